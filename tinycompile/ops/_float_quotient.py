"""Operators that TFLite scales with a quotient of float32: its multiplier, and the limit under which it is one."""

import numpy as np

from tinycompile.ops._limits import QUANTIZED, has_per_tensor_quantization
from tinycompile.ops.base import Operation
from tinycompile.quant import Multiplier, quantize_multiplier


def has_bounded_scale(operation: Operation) -> str | None:
    """The input scale is less than 2**14 times the output scale."""
    source = operation.inputs[0]
    if source is None or source.dtype not in QUANTIZED or has_per_tensor_quantization(operation):
        return None
    factor = source.scale / operation.output.scale
    return None if factor < 2.0**14 else f"it is {factor:g} times that"


def scale_multiplier(operation: Operation) -> Multiplier:
    """The input scale in units of the output scale."""
    return quantize_multiplier(
        float(np.float32(operation.input(0).scale) / np.float32(operation.output.scale))
    )
