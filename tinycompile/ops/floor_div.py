"""FLOOR_DIV: the quotient rounded down. An integer divisor of 0, which the reference refuses, gives 0."""

import numpy as np

from tinycompile.ir import Array, DType
from tinycompile.ops._binary import PlainBinary, binary_types
from tinycompile.ops.base import register


@register
class FloorDiv(PlainBinary):
    """FLOOR_DIV with broadcasting."""

    kind = "FLOOR_DIV"
    types = binary_types(None, DType.INT32, DType.FLOAT32)

    def apply(self, first: Array, second: Array) -> Array:
        """See above."""
        with np.errstate(divide="ignore", invalid="ignore"):
            result: Array = np.floor_divide(first, second)
        return result
