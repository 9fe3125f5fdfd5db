"""ZEROS_LIKE: zeros in the shape of the input."""

from collections.abc import Sequence

from tinycompile.ir import Array, DType
from tinycompile.ops._copy import CopyKernel, DataMovement, Views
from tinycompile.ops._limits import has_elements
from tinycompile.ops.base import Operation, TypeRule, register


@register
class ZerosLike(DataMovement):
    """ZEROS_LIKE."""

    kind = "ZEROS_LIKE"
    types = tuple(TypeRule((dtype,), (dtype,)) for dtype in (DType.INT32, DType.INT64, DType.FLOAT32))
    limits = (has_elements,)
    kernels = (CopyKernel(),)

    def infer(self, operation: Operation) -> tuple[tuple[int, ...], ...]:
        """The input's shape."""
        return (operation.input(0).shape,)

    def fill(self, operation: Operation) -> int | float | bool | None:
        """Zero."""
        return 0

    def views(self, operation: Operation, inputs: Sequence[Array], outputs: Sequence[Array]) -> Views:
        """Nothing is moved."""
        return []
