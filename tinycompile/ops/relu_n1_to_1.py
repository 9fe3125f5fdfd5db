"""RELU_N1_TO_1: min(max(x, -1), 1), see `_relu.py`."""

from tinycompile.ir import DType
from tinycompile.ops._activations import same_types
from tinycompile.ops._relu import Clamp
from tinycompile.ops.base import register
from tinycompile.quant import Activation


@register
class ReluN1To1(Clamp):
    """RELU_N1_TO_1."""

    kind = "RELU_N1_TO_1"
    activation = Activation.RELU_N1_TO_1
    types = same_types(DType.INT8, DType.UINT8, DType.FLOAT32)
