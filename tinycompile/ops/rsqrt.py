"""RSQRT: one over the square root, see `_float_math.py`."""

import numpy as np

from tinycompile.ir import Array
from tinycompile.ops._float_math import FloatFunction
from tinycompile.ops.base import Operation, register


@register
class Rsqrt(FloatFunction):
    """RSQRT of float32."""

    kind = "RSQRT"
    function = np.sqrt

    def apply(self, operation: Operation, values: Array) -> Array:
        """In double, rounded to float32."""
        with np.errstate(all="ignore"):
            result: Array = (1.0 / np.sqrt(values.astype(np.float64))).astype(np.float32)
        return result
