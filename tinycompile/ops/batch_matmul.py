"""BATCH_MATMUL: products of matrices, with broadcast batch dimensions; either operand may be given transposed.

Source of the semantics: `BatchMatMul` in tensorflow/lite/kernels/internal/reference/batch_matmul.h; the product of the input
scales is rounded to float32, as `GetQuantizedConvolutionMultipler` does. Where a transposed first operand meets a second one
with a batch of 1, tflite-runtime 2.14 reads wrong elements; here is the product, as in TensorFlow Lite Micro.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from tinycompile.ir import Array, Attributes, DType, Options
from tinycompile.ops._copy import collapse
from tinycompile.ops._limits import QUANTIZED, has_elements, has_per_tensor_quantization
from tinycompile.ops._template import DspTemplateKernel, TemplateCode, TemplateKernel
from tinycompile.ops.access import WHOLE, Access
from tinycompile.ops.base import Operation, Operator, TypeRule, register
from tinycompile.program import Parameter
from tinycompile.quant import (
    Multiplier,
    multiply_by_quantized_multiplier,
    quantize_multiplier,
    reduced_multiplier,
    requantize_wide,
    wrap_int32,
)


@dataclass(frozen=True)
class BatchMatMulAttributes(Attributes):
    """Options: which operand is given transposed."""

    adj_x: bool = False
    adj_y: bool = False


def has_matching_matrices(operation: Operation) -> str | None:
    """Both operands have 2 to 5 dimensions, the inner extents agree, and the batch dimensions broadcast."""
    first, second = operation.inputs[0], operation.optional(1)
    if first is None or second is None:
        return "an operand is missing"
    found = f"{first.describe()} and {second.describe()}"
    if not all(2 <= len(tensor.shape) <= 5 for tensor in (first, second)):
        return found
    try:
        np.broadcast_shapes(first.shape[:-2], second.shape[:-2])
    except ValueError:
        return found
    return None if _extents(operation)[1] == _inner_of_second(operation) else found


def has_bounded_factor(operation: Operation) -> str | None:
    """The product of the input scales is less than 2**30 times the output scale, for int16 2**7 times."""
    if operation.output.dtype not in QUANTIZED or has_per_tensor_quantization(operation):
        return None
    factor = _factor(operation)
    largest = 2.0**7 if operation.output.dtype is DType.INT16 else 2.0**30
    return None if factor < largest else f"it is {factor:g} times that"


@register
class BatchMatMul(Operator):
    """BATCH_MATMUL."""

    kind = "BATCH_MATMUL"
    types = tuple(TypeRule((dtype,), (dtype,)) for dtype in (DType.INT8, DType.INT16, DType.FLOAT32))
    limits = (has_elements, has_matching_matrices, has_per_tensor_quantization, has_bounded_factor)
    min_inputs = 2
    kernels = (
        DspTemplateKernel(lambda operation: _dsp_code(operation)),
        TemplateKernel(lambda operation: _code(operation)),
    )

    def parse(self, options: Options) -> BatchMatMulAttributes:
        """Read BatchMatMulOptions."""
        return BatchMatMulAttributes(bool(options.get("adj_x", False)), bool(options.get("adj_y", False)))

    def infer(self, operation: Operation) -> tuple[tuple[int, ...], ...]:
        """Broadcast batch dimensions, rows of the first and columns of the second operand."""
        rows, _, columns = _extents(operation)
        batch = np.broadcast_shapes(operation.input(0).shape[:-2], operation.input(1).shape[:-2])
        return ((*batch, rows, columns),)

    def evaluate(self, operation: Operation, inputs: Sequence[Array | None]) -> tuple[Array, ...]:
        """numpy's matrix product."""
        first, second = inputs[0], inputs[1]
        assert first is not None and second is not None
        attributes, output = _attributes(operation), operation.output
        if output.dtype in QUANTIZED:
            first = first.astype(np.int64) - operation.input(0).zero_point
            second = second.astype(np.int64) - operation.input(1).zero_point
        first = first.swapaxes(-1, -2) if attributes.adj_x else first
        second = second.swapaxes(-1, -2) if attributes.adj_y else second
        product: Array = first @ second
        if output.dtype not in QUANTIZED:
            return (product,)
        scaled = (
            requantize_wide(product, (_multiplier(operation),))
            if output.dtype is DType.INT16
            else multiply_by_quantized_multiplier(wrap_int32(product), _multiplier(operation))
        )
        return (np.clip(scaled + output.zero_point, *output.dtype.limits).astype(output.dtype.numpy),)

    def access(self, operation: Operation, index: int) -> Access:
        """All of both operands."""
        return WHOLE

    def macs(self, operation: Operation) -> int:
        """One for each output element and inner index."""
        return operation.output.elements * _extents(operation)[1]


def _attributes(operation: Operation) -> BatchMatMulAttributes:
    assert isinstance(operation.node.attributes, BatchMatMulAttributes)
    return operation.node.attributes


def _extents(operation: Operation) -> tuple[int, int, int]:
    """Rows, inner extent, columns."""
    rows, depth = operation.input(0).shape[-2:]
    if _attributes(operation).adj_x:
        rows, depth = depth, rows
    columns = operation.input(1).shape[-2 if _attributes(operation).adj_y else -1]
    return rows, depth, columns


def _inner_of_second(operation: Operation) -> int:
    return operation.input(1).shape[-1 if _attributes(operation).adj_y else -2]


def _batch_loops(operation: Operation) -> Parameter:
    """Loops over the batch: extent, stride of the output and of both operands in matrices."""
    batch = operation.output.shape[:-2]
    views = [
        np.broadcast_to(np.empty(operation.input(index).shape[:-2], np.int8), batch).strides
        for index in (0, 1)
    ]
    loops: Parameter = collapse(batch, np.empty(batch, np.int8).strides, *views)
    return loops


def _factor(operation: Operation) -> float:
    first, second = (np.float32(operation.input(index).scale) for index in (0, 1))
    return float(first * second) / operation.output.scale


def _multiplier(operation: Operation) -> Multiplier:
    return quantize_multiplier(_factor(operation))


def _code(operation: Operation) -> TemplateCode:
    rows, depth, columns = _extents(operation)
    attributes, dtype = _attributes(operation), operation.output.dtype
    parameters: dict[str, Parameter] = {
        "c_type": dtype.c_type,
        "rows": rows,
        "depth": depth,
        "columns": columns,
        "first_steps": (1, rows) if attributes.adj_x else (depth, 1),
        "second_steps": (depth, 1) if attributes.adj_y else (1, columns),
        "loops": _batch_loops(operation),
    }
    template, cycles = "batch_matmul/portable.c.j2", operation.output.elements * (20 + 5 * depth)
    if dtype is DType.FLOAT32:
        return TemplateCode(template, parameters, (0, 1), cycles=cycles)
    multiplier = _multiplier(operation)
    if dtype is DType.INT16:
        arguments: tuple[int, ...] = (reduced_multiplier(multiplier), multiplier.shift)
    else:
        offsets = (-operation.input(index).zero_point for index in (0, 1))
        arguments = (*offsets, operation.output.zero_point, multiplier.value, multiplier.shift)
    runtime = ("tc_requantize.h",)
    return TemplateCode(template, parameters, (0, 1), (), arguments, runtime=runtime, cycles=cycles)


def _dsp_code(operation: Operation) -> TemplateCode:
    """int8: rows of the first and columns of the second operand are contiguous, or are made so in scratch."""
    rows, depth, columns = _extents(operation)
    attributes = _attributes(operation)
    a_is_shifted, b_is_shifted = (operation.input(index).zero_point != 0 for index in (0, 1))
    staged = (4 * rows * b_is_shifted, rows * depth * attributes.adj_x, 4 * depth * (not attributes.adj_y))
    code = _code(operation)
    return replace(
        code,
        template="batch_matmul/dsp.c.j2",
        parameters={
            "rows": rows,
            "depth": depth,
            "columns": columns,
            "transposed": (attributes.adj_x, attributes.adj_y),
            "a_is_shifted": a_is_shifted,
            "b_is_shifted": b_is_shifted,
            "loops": _batch_loops(operation),
            "scratch_bytes": sum(staged),
        },
        scratch_bytes=sum(staged),
        runtime=("tc_dot.h", "tc_dot_dsp.h", "tc_requantize.h"),
        cycles=operation.output.elements * (25 + 2 * depth),
    )
