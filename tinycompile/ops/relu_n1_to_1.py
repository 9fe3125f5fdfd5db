"""RELU_N1_TO_1: min(max(x, -1), 1), see `_relu.py`."""

from tinycompile.ops._activations import activation_kernels
from tinycompile.ops._relu import Clamp
from tinycompile.ops.base import register
from tinycompile.quant import Activation


@register
class ReluN1To1(Clamp):
    """RELU_N1_TO_1."""

    kind = "RELU_N1_TO_1"
    activation = Activation.RELU_N1_TO_1
    kernels = activation_kernels()
