"""PACK: tensors of one shape side by side along a new axis.

Source of the semantics: `Pack` in tensorflow/lite/kernels/internal/reference/reference_ops.h.
"""

from collections.abc import Sequence

from tinycompile.ir import Array, DType, Options
from tinycompile.ops._axis import AxisAttributes, axis_option, axis_problem, raw_axis
from tinycompile.ops._copy import CopyKernel, DataMovement, Views, moves_type
from tinycompile.ops._limits import has_elements, has_same_quantization
from tinycompile.ops.base import Operation, register


def has_one_shape(operation: Operation) -> str | None:
    """All inputs have one shape, and the axis is a dimension of the output."""
    shapes = {tensor.shape if tensor is not None else None for tensor in operation.inputs}
    (shape,) = shapes if len(shapes) == 1 else (None,)
    if shape is None:
        return f"{len(shapes)} shapes"
    return axis_problem(raw_axis(operation), len(shape) + 1)


@register
class Pack(DataMovement):
    """PACK of tensors with one quantization."""

    kind = "PACK"
    types = moves_type(without=(DType.BOOL,))
    limits = (has_elements, has_one_shape, has_same_quantization)
    max_inputs = 1 << 16
    kernels = (CopyKernel(),)

    def parse(self, options: Options) -> AxisAttributes:
        """Read PackOptions."""
        return AxisAttributes.parse(options)

    def infer(self, operation: Operation) -> tuple[tuple[int, ...], ...]:
        """The new axis has an index for each input."""
        shape = operation.input(0).shape
        axis = axis_option(operation, len(shape) + 1)
        return ((*shape[:axis], len(operation.inputs), *shape[axis:]),)

    def views(self, operation: Operation, inputs: Sequence[Array], outputs: Sequence[Array]) -> Views:
        """Each input to its index of the new axis."""
        axis = axis_option(operation, outputs[0].ndim)
        return [(outputs[0][(slice(None),) * axis + (i, ...)], array) for i, array in enumerate(inputs)]
