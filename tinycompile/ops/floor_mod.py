"""FLOOR_MOD: what FLOOR_DIV leaves over. An integer divisor of 0, which the reference refuses, gives 0."""

import numpy as np

from tinycompile.ir import Array, DType
from tinycompile.ops._binary import PlainBinary, binary_types
from tinycompile.ops.base import register


@register
class FloorMod(PlainBinary):
    """FLOOR_MOD with broadcasting."""

    kind = "FLOOR_MOD"
    types = binary_types(None, DType.INT32, DType.INT64, DType.FLOAT32)

    def apply(self, first: Array, second: Array) -> Array:
        """See above."""
        with np.errstate(divide="ignore", invalid="ignore"):
            result: Array = np.mod(first, second)
        return result
