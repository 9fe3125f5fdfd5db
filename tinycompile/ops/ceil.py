"""CEIL: the least integer that is not smaller, see `_float_math.py`."""

import numpy as np

from tinycompile.ops._float_math import FloatFunction
from tinycompile.ops.base import register


@register
class Ceil(FloatFunction):
    """CEIL of float32."""

    kind = "CEIL"
    function = np.ceil
