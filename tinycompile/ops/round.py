"""ROUND: the nearest integer, ties to even, see `_float_math.py`."""

import numpy as np

from tinycompile.ops._float_math import FloatFunction
from tinycompile.ops.base import register


@register
class Round(FloatFunction):
    """ROUND of float32."""

    kind = "ROUND"
    function = np.rint
