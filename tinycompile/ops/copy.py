"""COPY: the same tensor in bytes of its own. No operator of the schema; a pass makes it of old values that variables lose."""

from collections.abc import Sequence

from tinycompile.ir import Array
from tinycompile.ops._copy import CopyKernel, DataMovement, Views, moves_type
from tinycompile.ops.base import Operation, register


@register
class Copy(DataMovement):
    """A copy of any tensor."""

    kind = "COPY"
    types = moves_type()
    made_by_passes = True
    kernels = (CopyKernel(),)

    def infer(self, operation: Operation) -> tuple[tuple[int, ...], ...]:
        """The input's shape."""
        return (operation.input(0).shape,)

    def views(self, operation: Operation, inputs: Sequence[Array], outputs: Sequence[Array]) -> Views:
        """All of the output from all of the input."""
        return [(outputs[0], inputs[0])]
