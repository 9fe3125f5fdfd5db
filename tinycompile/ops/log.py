"""LOG: the natural logarithm, see `_float_math.py`."""

import numpy as np

from tinycompile.ops._float_math import FloatFunction
from tinycompile.ops.base import register


@register
class Log(FloatFunction):
    """LOG of float32."""

    kind = "LOG"
    function = np.log
