"""LOGICAL_AND: both are true."""

from tinycompile.ir import Array, DType
from tinycompile.ops._binary import PlainBinary, binary_types
from tinycompile.ops.base import register


@register
class LogicalAnd(PlainBinary):
    """LOGICAL_AND with broadcasting."""

    kind = "LOGICAL_AND"
    types = binary_types(None, DType.BOOL)

    def apply(self, first: Array, second: Array) -> Array:
        """See above."""
        result: Array = first & second
        return result
