"""SIN: the sine, see `_float_math.py`."""

import numpy as np

from tinycompile.ops._float_math import FloatFunction
from tinycompile.ops.base import register


@register
class Sin(FloatFunction):
    """SIN of float32."""

    kind = "SIN"
    function = np.sin
