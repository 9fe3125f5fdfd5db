"""RSQRT: one over the square root, see `_float_math.py`.

Source of the semantics of int8: `RsqrtEvalQuantizedInt8` in tensorflow/lite/kernels/elementwise.cc.
"""

import numpy as np

from tinycompile.ir import Array, DType
from tinycompile.ops._activations import activation_kernels, same_types
from tinycompile.ops._float_math import FloatFunction
from tinycompile.ops._limits import has_elements, has_per_tensor_quantization
from tinycompile.ops.base import Operation, register
from tinycompile.quant import (
    Multiplier,
    inverse_square_root,
    multiply_by_quantized_multiplier,
    quantize_multiplier,
)

_FRACTION_BITS = 20
"""1 / sqrt(x) is kept with so many."""


def has_bounded_factor(operation: Operation) -> str | None:
    """1 / (sqrt(input scale) * output scale) is less than 2**30."""
    source = operation.inputs[0]
    if source is None or source.dtype is not DType.INT8 or has_per_tensor_quantization(operation):
        return None
    factor = _factor(operation)
    return None if factor < 2.0**30 else f"it is {factor:g}"


@register
class Rsqrt(FloatFunction):
    """RSQRT; the reference stops at negative inputs, for which we give what 0 gives: the greatest value."""

    kind = "RSQRT"
    function = np.sqrt
    types = same_types(DType.INT8, DType.FLOAT32)
    limits = (has_elements, has_per_tensor_quantization, has_bounded_factor)
    kernels = activation_kernels(cycles=40)

    def apply(self, operation: Operation, values: Array) -> Array:
        """float32 in double; int8 in fixed point, which is a table in the C."""
        if values.dtype == np.float32:
            with np.errstate(all="ignore"):
                result: Array = (1.0 / np.sqrt(values.astype(np.float64))).astype(np.float32)
            return result
        multiplier, output = quantize_multiplier(_factor(operation)), operation.output
        by_value = {value: _inverse_root(operation, multiplier, int(value)) for value in np.unique(values)}
        scaled = np.array([by_value[value] for value in values.reshape(-1)]).reshape(values.shape)
        return np.clip(scaled, *output.dtype.limits).astype(output.dtype.numpy)


def _factor(operation: Operation) -> float:
    root = float(np.sqrt(np.float32(operation.input(0).scale)))
    return 1.0 / float(np.float32(root) * np.float32(operation.output.scale))


def _inverse_root(operation: Operation, multiplier: Multiplier, value: int) -> int:
    output, real = operation.output, value - operation.input(0).zero_point
    if real <= 0:
        return output.dtype.limits[1]
    root, shift = inverse_square_root(real)
    fixed = multiply_by_quantized_multiplier(np.array(1), Multiplier(root, shift + _FRACTION_BITS))
    scaled = Multiplier(multiplier.value, multiplier.shift - _FRACTION_BITS)
    return int(multiply_by_quantized_multiplier(fixed, scaled)) + output.zero_point
