"""RELU: max(x, 0), see `_relu.py`."""

from tinycompile.ops._relu import Clamp
from tinycompile.ops.base import register
from tinycompile.quant import Activation


@register
class Relu(Clamp):
    """RELU."""

    kind = "RELU"
    activation = Activation.RELU
