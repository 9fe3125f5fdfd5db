"""TRANSPOSE: the dimensions in another order.

Source of the semantics: `Transpose` in tensorflow/lite/kernels/internal/reference/transpose.h.
"""

from collections.abc import Sequence

from tinycompile.ir import Array, DType
from tinycompile.ops._copy import CopyKernel, DataMovement, Views, moves_type
from tinycompile.ops._limits import constant_input, constant_integers, has_elements
from tinycompile.ops.base import Operation, register


def has_permutation(operation: Operation) -> str | None:
    """The permutation names every dimension once."""
    source, order = operation.inputs[0], constant_integers(operation, 1)
    if source is None or order is None:
        return None
    rank = len(source.shape)
    named = sorted(axis + rank if axis < 0 else axis for axis in order)
    return None if named == list(range(rank)) else f"permutation {order} of {source.describe()}"


@register
class Transpose(DataMovement):
    """TRANSPOSE with a constant permutation."""

    kind = "TRANSPOSE"
    types = moves_type(DType.INT32)
    limits = (has_elements, constant_input(1, "permutation"), has_permutation)
    min_inputs = 2
    kernels = (CopyKernel(),)

    def infer(self, operation: Operation) -> tuple[tuple[int, ...], ...]:
        """The extents in the order of the permutation."""
        return (tuple(operation.input(0).shape[axis] for axis in _order(operation)),)

    def views(self, operation: Operation, inputs: Sequence[Array], outputs: Sequence[Array]) -> Views:
        """All of the output from the transposed input."""
        return [(outputs[0], inputs[0].transpose(_order(operation)))]


def _order(operation: Operation) -> list[int]:
    return [int(axis) for axis in operation.input(1).values]
