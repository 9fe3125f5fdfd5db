"""EXP: e**x, see `_float_math.py`."""

import numpy as np

from tinycompile.ops._float_math import FloatFunction
from tinycompile.ops.base import register


@register
class Exp(FloatFunction):
    """EXP of float32."""

    kind = "EXP"
    function = np.exp
