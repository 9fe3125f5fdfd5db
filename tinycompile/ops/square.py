"""SQUARE: x * x, see `_float_math.py`."""

import numpy as np

from tinycompile.ops._float_math import FloatFunction
from tinycompile.ops.base import register


@register
class Square(FloatFunction):
    """SQUARE of float32."""

    kind = "SQUARE"
    function = np.square
