"""Sums of int8 as ADD_N and CUMSUM of TensorFlow Lite Micro compute them.

Every term is moved up by 19 bits, which leaves room for 16 of them in int32, and the sum starts at minus the zero point
instead of at 0. Source of the semantics: tensorflow/lite/kernels/internal/reference/add_n.h and cumsum.h.
"""

from typing import Any

import numpy as np

from tinycompile.ir import Array, DType
from tinycompile.ops._limits import has_per_tensor_quantization
from tinycompile.ops.base import Operation
from tinycompile.quant import Multiplier, multiply_by_quantized_multiplier, quantize_multiplier, wrap_int32

SUM_BITS = 19
"""Bits that a term is moved up before it is added."""


def has_small_steps(operation: Operation) -> str | None:
    """int8: the input's scale is less than 2**19 times the output's."""
    source = operation.inputs[0]
    if source is None or source.dtype is not DType.INT8 or operation.output.dtype is not DType.INT8:
        return None
    if has_per_tensor_quantization(operation) or _factor(operation) < 1.0:
        return None
    return f"scale {source.scale:g} to {operation.output.scale:g}"


def sum_arguments(operation: Operation) -> tuple[int, ...]:
    """What a template takes: minus the input's zero point, multiplier, shift, the output's zero point."""
    multiplier = _multiplier(operation)
    offset = -operation.input(0).zero_point
    return offset, multiplier.value, multiplier.shift, operation.output.zero_point


def scaled_sums(operation: Operation, totals: Any) -> Array:
    """int8 of sums of quantized values, from which the zero points are taken off already."""
    raised = wrap_int32((totals - operation.input(0).zero_point) * (1 << SUM_BITS))
    scaled = multiply_by_quantized_multiplier(raised, _multiplier(operation)) + operation.output.zero_point
    result: Array = np.clip(scaled, *DType.INT8.limits).astype(np.int8)
    return result


def _factor(operation: Operation) -> float:
    return 2 * operation.input(0).scale / ((1 << (SUM_BITS + 1)) * operation.output.scale)


def _multiplier(operation: Operation) -> Multiplier:
    return quantize_multiplier(_factor(operation))
