"""UNPACK: one output for each index of an axis, which goes away.

Source of the semantics: `Unpack` in tensorflow/lite/kernels/internal/reference/reference_ops.h.
"""

from collections.abc import Sequence

from tinycompile.ir import Array, DType, Options
from tinycompile.ops._axis import AxisAttributes, axis_option, axis_problem, raw_axis
from tinycompile.ops._copy import CopyKernel, DataMovement, Views, moves_type
from tinycompile.ops._limits import has_elements
from tinycompile.ops.base import Operation, register


def has_an_output_for_each_index(operation: Operation) -> str | None:
    """The axis is a dimension of the input, and there are as many outputs as its extent."""
    source = operation.inputs[0]
    if source is None:
        return "the input is missing"
    axis = raw_axis(operation)
    if axis_problem(axis, len(source.shape)):
        return axis_problem(axis, len(source.shape))
    count = len(operation.outputs)
    return None if source.shape[axis] == count else f"{count} outputs from axis {axis} of {source.describe()}"


@register
class Unpack(DataMovement):
    """UNPACK."""

    kind = "UNPACK"
    types = moves_type(without=(DType.INT64,))
    limits = (has_elements, has_an_output_for_each_index)
    kernels = (CopyKernel(),)

    def parse(self, options: Options) -> AxisAttributes:
        """Read UnpackOptions."""
        return AxisAttributes.parse(options)

    def infer(self, operation: Operation) -> tuple[tuple[int, ...], ...]:
        """The input's shape without the axis, for each output."""
        shape = operation.input(0).shape
        axis = axis_option(operation, len(shape))
        return ((*shape[:axis], *shape[axis + 1 :]),) * len(operation.outputs)

    def views(self, operation: Operation, inputs: Sequence[Array], outputs: Sequence[Array]) -> Views:
        """Each output from its index."""
        axis = axis_option(operation, inputs[0].ndim)
        return [(array, inputs[0][(slice(None),) * axis + (i, ...)]) for i, array in enumerate(outputs)]
