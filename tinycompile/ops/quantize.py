"""QUANTIZE: float32 to integers, or integers to other integers with another scale and zero point.

Source of the semantics: `AffineQuantize` in tensorflow/lite/kernels/internal/reference/quantize.h, `Requantize` in requantize.h.
"""

import numpy as np

from tinycompile.board import Board
from tinycompile.ir import Array, DType
from tinycompile.ops._elementwise import Body, ElementwiseKernel
from tinycompile.ops._limits import LEAST_SCALE, has_elements
from tinycompile.ops._lookup import Unary, lookup_kernels
from tinycompile.ops._quantize_float import DivisionKernel, ProductKernel, Quantized
from tinycompile.ops.base import Operation, TypeRule, register
from tinycompile.quant import Multiplier, multiply_by_quantized_multiplier, quantize_multiplier


def has_scales(operation: Operation) -> str | None:
    """Integers have one scale of at least 1e-30 and one zero point that the type holds (int32: 0)."""
    for role, tensor in (("the input", operation.inputs[0]), ("the output", operation.output)):
        if tensor is None or not tensor.dtype.is_integer:
            continue
        found = tensor.quantization
        if found is None or len(found.scales) != 1 or not LEAST_SCALE <= found.scale < np.inf:
            return f"{role} has {'no quantization' if found is None else f'scales {found.scales}'}"
        low, high = tensor.dtype.limits if tensor.dtype is not DType.INT32 else (0, 0)
        if not low <= found.zero_point <= high:
            return f"{role} has zero point {found.zero_point}"
    return None


def has_bounded_scale(operation: Operation) -> str | None:
    """The scale of an integer input is less than 2**14 times the output scale (int32: less than the output scale)."""
    source = operation.inputs[0]
    if source is None or not source.dtype.is_integer or has_scales(operation):
        return None
    factor = source.scale / operation.output.scale
    return (
        None if factor < (1.0 if source.dtype is DType.INT32 else 2.0**14) else f"it is {factor:g} times that"
    )


def _multiplier(operation: Operation) -> Multiplier:
    return quantize_multiplier(operation.input(0).scale / operation.output.scale)


def _from_float(operation: Operation) -> Quantized:
    output = operation.output
    return Quantized(output.scale, output.zero_point, *output.dtype.limits, output.dtype)


def _from_integer(operation: Operation, board: Board) -> Body:
    output, multiplier = operation.output, _multiplier(operation)
    return Body(
        template="quantize/requantize.c.j2",
        parameters={
            "kind": "QUANTIZE",
            "in_type": operation.input(0).dtype.c_type,
            "out_type": output.dtype.c_type,
        },
        arguments=(
            -operation.input(0).zero_point,
            multiplier.value,
            multiplier.shift,
            output.zero_point,
            *output.dtype.limits,
        ),
        runtime=("tc_requantize.h",),
        cycles=20,
    )


class RequantizeKernel(ElementwiseKernel):
    """From int16 and int32."""

    name = "requantize"

    def __init__(self) -> None:
        super().__init__(_from_integer)

    def supports(self, operation: Operation, board: Board) -> bool:
        """Integers of more than a byte."""
        return operation.input(0).dtype in (DType.INT16, DType.INT32)


@register
class Quantize(Unary):
    """QUANTIZE with one scale for the tensor."""

    kind = "QUANTIZE"
    types = tuple(
        TypeRule((source,), (output,))
        for source, outputs in (
            (DType.FLOAT32, (DType.INT8, DType.UINT8, DType.INT16)),
            (DType.INT8, (DType.INT8, DType.UINT8, DType.INT16, DType.INT32)),
            (DType.UINT8, (DType.INT8, DType.UINT8)),
            (DType.INT16, (DType.INT8, DType.INT16, DType.INT32)),
            (DType.INT32, (DType.INT8, DType.INT16)),
        )
        for output in outputs
    )
    limits = (has_elements, has_scales, has_bounded_scale)
    kernels = (
        *lookup_kernels(),
        DivisionKernel(_from_float),
        ProductKernel(_from_float),
        RequantizeKernel(),
    )

    def apply(self, operation: Operation, values: Array) -> Array:
        """Divided by the scale in float32 and rounded, ties away from zero; or requantized."""
        if values.dtype == np.float32:
            return _from_float(operation).apply(values)
        scaled = multiply_by_quantized_multiplier(
            values.astype(np.int64) - operation.input(0).zero_point, _multiplier(operation)
        )
        output = operation.output
        result: Array = np.clip(scaled + output.zero_point, *output.dtype.limits).astype(output.dtype.numpy)
        return result
