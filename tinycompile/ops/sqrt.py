"""SQRT: the square root, see `_float_math.py`."""

import numpy as np

from tinycompile.ops._float_math import FloatFunction
from tinycompile.ops.base import register


@register
class Sqrt(FloatFunction):
    """SQRT of float32."""

    kind = "SQRT"
    function = np.sqrt
