"""RELU, RELU6 and RELU_N1_TO_1: a clamp of real values.

Quantized: scaled to the output with a float32 factor, then clamped. Source of the semantics: `QuantizedReluX` in
tensorflow/lite/kernels/activations.cc.
"""

from typing import ClassVar

import numpy as np

from tinycompile.ir import Array, DType
from tinycompile.ops._activations import same_types
from tinycompile.ops._limits import QUANTIZED, has_elements, has_per_tensor_quantization
from tinycompile.ops._lookup import Unary
from tinycompile.ops.base import Operation
from tinycompile.quant import (
    REAL_RANGES,
    Activation,
    activation_range,
    multiply_by_quantized_multiplier,
    quantize_multiplier,
)


def has_bounded_scale(operation: Operation) -> str | None:
    """The input scale is less than 2**14 times the output scale."""
    source = operation.inputs[0]
    if source is None or source.dtype not in QUANTIZED or has_per_tensor_quantization(operation):
        return None
    factor = source.scale / operation.output.scale
    return None if factor < 2.0**14 else f"it is {factor:g} times that"


class Clamp(Unary):
    """Base of these operators."""

    activation: ClassVar[Activation]
    types = same_types(DType.INT8, DType.UINT8, DType.FLOAT32)
    limits = (has_elements, has_per_tensor_quantization, has_bounded_scale)

    def apply(self, operation: Operation, values: Array) -> Array:
        """Scale and clamp."""
        low, high = REAL_RANGES[self.activation]
        if values.dtype == np.float32:
            return np.clip(values, low, high).astype(np.float32)
        source, output = operation.input(0), operation.output
        factor = float(np.float32(source.scale) / np.float32(output.scale))
        scaled = multiply_by_quantized_multiplier(
            values.astype(np.int64) - source.zero_point, quantize_multiplier(factor)
        )
        bounds = activation_range(self.activation, output.scale, output.zero_point, output.dtype.limits)
        result: Array = np.clip(scaled + output.zero_point, *bounds).astype(output.dtype.numpy)
        return result
