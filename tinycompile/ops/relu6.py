"""RELU6: min(max(x, 0), 6), see `_relu.py`."""

from tinycompile.ops._relu import Clamp
from tinycompile.ops.base import register
from tinycompile.quant import Activation


@register
class Relu6(Clamp):
    """RELU6."""

    kind = "RELU6"
    activation = Activation.RELU6
