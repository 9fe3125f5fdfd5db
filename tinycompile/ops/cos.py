"""COS: the cosine, see `_float_math.py`."""

import numpy as np

from tinycompile.ops._float_math import FloatFunction
from tinycompile.ops.base import register


@register
class Cos(FloatFunction):
    """COS of float32."""

    kind = "COS"
    function = np.cos
