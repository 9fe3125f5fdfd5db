"""MINIMUM: the smaller of two stored values; scales are not looked at."""

import numpy as np

from tinycompile.ir import Array, DType
from tinycompile.ops._binary import PlainBinary, binary_types
from tinycompile.ops.base import register


@register
class Minimum(PlainBinary):
    """MINIMUM with broadcasting."""

    kind = "MINIMUM"
    types = binary_types(None, DType.INT8, DType.UINT8, DType.INT16, DType.INT32, DType.INT64, DType.FLOAT32)

    def apply(self, first: Array, second: Array) -> Array:
        """See above."""
        result: Array = np.minimum(first, second)
        return result
