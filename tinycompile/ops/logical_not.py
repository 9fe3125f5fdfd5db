"""LOGICAL_NOT."""

from tinycompile.ir import Array, DType
from tinycompile.ops._elementwise import Body, elementwise_kernels
from tinycompile.ops._limits import has_elements
from tinycompile.ops._lookup import Unary
from tinycompile.ops.base import Operation, TypeRule, register


@register
class LogicalNot(Unary):
    """LOGICAL_NOT."""

    kind = "LOGICAL_NOT"
    types = (TypeRule((DType.BOOL,), (DType.BOOL,)),)
    limits = (has_elements,)
    kernels = elementwise_kernels(lambda operation, board: Body("logical_not/plain.c.j2", {}, cycles=4))

    def apply(self, operation: Operation, values: Array) -> Array:
        """True where the input is false."""
        return ~values
