"""The quantized sum that MEAN and SUM share.

Source of the semantics: `QuantizedMeanOrSum` in tensorflow/lite/kernels/internal/reference/reduce.h.
"""

import numpy as np

from tinycompile.ir import Array
from tinycompile.ops._limits import QUANTIZED, has_per_tensor_quantization
from tinycompile.ops._reduce import Form, axes_of, reduced_elements
from tinycompile.ops.base import Operation
from tinycompile.quant import Multiplier, multiply_by_quantized_multiplier, quantize_multiplier, wrap_int32


def has_bounded_scale(operation: Operation) -> str | None:
    """The input scale is less than 2**24 times the output scale."""
    source = operation.inputs[0]
    if source is None or source.dtype not in QUANTIZED or has_per_tensor_quantization(operation):
        return None
    factor = source.scale / operation.output.scale
    return f"it is {factor:g} times that" if factor >= 2.0**24 else None


def scaled_sum_form(operation: Operation, divide: bool) -> Form:
    """Arguments of the form `scaled_sum`: minus the zero points of all elements, multiplier, shift, output zero point."""
    count = reduced_elements(operation)
    multiplier = _multiplier(operation, divide)
    start = int(wrap_int32(-operation.input(0).zero_point * count))
    return Form("scaled_sum", (start, multiplier.value, multiplier.shift, operation.output.zero_point), count)


def scaled_sum(operation: Operation, values: Array, divide: bool) -> Array:
    """The reference: sums without zero points, scaled and clamped; `divide` makes them means."""
    total = values.astype(np.int64).sum(axis=axes_of(operation)).reshape(operation.output.shape)
    total = wrap_int32(total - operation.input(0).zero_point * reduced_elements(operation))
    scaled = multiply_by_quantized_multiplier(total, _multiplier(operation, divide))
    dtype = operation.output.dtype
    result: Array = np.clip(scaled + operation.output.zero_point, *dtype.limits).astype(dtype.numpy)
    return result


def _multiplier(operation: Operation, divide: bool) -> Multiplier:
    """Factor from sum to output; a mean has the number of elements in it, in integers, with as many bits as there is room for."""
    scale = quantize_multiplier(operation.input(0).scale / operation.output.scale)
    if not divide:
        return scale
    count = reduced_elements(operation)
    shift = min(count.bit_length() - 1, 32, 31 + scale.shift)
    return Multiplier((scale.value << shift) // count, scale.shift - shift)
