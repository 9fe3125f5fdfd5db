"""CONCATENATION: tensors one after the other along an axis.

Source of the semantics: `Concatenation` in tensorflow/lite/kernels/internal/reference/concatenation.h.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from tinycompile.ir import Array, Options
from tinycompile.ops._axis import AxisAttributes, along, axis_option, axis_problem, raw_axis
from tinycompile.ops._copy import CopyKernel, CopyRows, DataMovement, Views, moves_type
from tinycompile.ops._limits import has_elements, has_same_quantization
from tinycompile.ops.base import Operation, register


@dataclass(frozen=True)
class ConcatenationAttributes(AxisAttributes):
    """Options of a concatenation."""

    activation: str = "NONE"


def has_matching_shapes(operation: Operation) -> str | None:
    """All inputs have the same extents except along the axis, which is a dimension of theirs."""
    shapes = [tensor.shape for tensor in operation.inputs if tensor is not None]
    if len(shapes) != len(operation.inputs):
        return "an input is missing"
    axis, rank = raw_axis(operation), len(shapes[0])
    if axis_problem(axis, rank):
        return axis_problem(axis, rank)
    rests = {shape[: axis % rank] + shape[axis % rank + 1 :] for shape in shapes}
    same_rank = all(len(shape) == rank for shape in shapes)
    return None if same_rank and len(rests) == 1 else f"shapes {', '.join(map(str, shapes[:4]))}, axis {axis}"


def has_no_activation(operation: Operation) -> str | None:
    """There is no fused activation."""
    attributes = operation.node.attributes
    assert isinstance(attributes, ConcatenationAttributes)
    return None if attributes.activation == "NONE" else f"fused activation is {attributes.activation}"


@register
class Concatenation(DataMovement):
    """CONCATENATION of tensors with one quantization."""

    kind = "CONCATENATION"
    types = moves_type()
    limits = (has_elements, has_matching_shapes, has_no_activation, has_same_quantization)
    max_inputs = 1 << 16
    kernels = (CopyKernel(), CopyRows())

    def parse(self, options: Options) -> ConcatenationAttributes:
        """Read ConcatenationOptions."""
        activation = str(options.get("fused_activation_function", "NONE"))
        return ConcatenationAttributes(AxisAttributes.parse(options).axis, activation)

    def infer(self, operation: Operation) -> tuple[tuple[int, ...], ...]:
        """The extents along the axis add up."""
        shapes = [tensor.shape for tensor in operation.inputs if tensor is not None]
        axis = axis_option(operation, len(shapes[0]))
        total = sum(shape[axis] for shape in shapes)
        return ((*shapes[0][:axis], total, *shapes[0][axis + 1 :]),)

    def moves_rows(self, operation: Operation) -> bool:
        """Images beside each other, or their channels."""
        rank = len(operation.output.shape)
        return rank == 4 and axis_option(operation, rank) >= 2

    def views(self, operation: Operation, inputs: Sequence[Array], outputs: Sequence[Array]) -> Views:
        """Each input to its part of the output."""
        axis, start = axis_option(operation, outputs[0].ndim), 0
        for array in inputs:
            stop = start + array.shape[axis]
            yield outputs[0][along(axis, start, stop)], array
            start = stop
