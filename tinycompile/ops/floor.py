"""FLOOR: the greatest integer that is not greater, see `_float_math.py`."""

import numpy as np

from tinycompile.ops._float_math import FloatFunction
from tinycompile.ops.base import register


@register
class Floor(FloatFunction):
    """FLOOR of float32."""

    kind = "FLOOR"
    function = np.floor
