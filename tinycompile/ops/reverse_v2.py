"""REVERSE_V2: some axes backwards.

Source of the semantics: `Reverse` in tensorflow/lite/kernels/internal/reference/reverse.h.
"""

from collections.abc import Sequence

from tinycompile.ir import Array, DType
from tinycompile.ops._copy import CopyKernel, DataMovement, Views, moves_type
from tinycompile.ops._limits import constant_input, constant_integers, has_elements
from tinycompile.ops.base import Operation, register


def has_legal_axes(operation: Operation) -> str | None:
    """Axes are dimensions of the input, each at most once, negative ones counted from the end."""
    source, axes = operation.inputs[0], constant_integers(operation, 1)
    if source is None or axes is None:
        return None
    rank = len(source.shape)
    legal = all(-rank <= axis < rank for axis in axes) and len({axis % rank for axis in axes}) == len(axes)
    return None if legal else f"axes {axes} of {source.describe()}"


@register
class ReverseV2(DataMovement):
    """REVERSE_V2 along constant axes."""

    kind = "REVERSE_V2"
    types = moves_type(DType.INT32)
    limits = (has_elements, constant_input(1, "list of axes"), has_legal_axes)
    min_inputs = 2
    kernels = (CopyKernel(),)

    def infer(self, operation: Operation) -> tuple[tuple[int, ...], ...]:
        """The input's shape."""
        return (operation.input(0).shape,)

    def views(self, operation: Operation, inputs: Sequence[Array], outputs: Sequence[Array]) -> Views:
        """All of the output from the reversed input."""
        rank = inputs[0].ndim
        axes = {int(axis) % rank for axis in operation.input(1).values.reshape(-1)}
        backwards = tuple(slice(None, None, -1 if axis in axes else 1) for axis in range(rank))
        return [(outputs[0], inputs[0][backwards])]
