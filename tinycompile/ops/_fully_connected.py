"""Attributes of FULLY_CONNECTED, for the operator and its kernels."""

from dataclasses import dataclass

from tinycompile.ir import Attributes
from tinycompile.ops.base import Operation
from tinycompile.quant import Activation


@dataclass(frozen=True)
class FullyConnectedAttributes(Attributes):
    """Options of a fully connected layer."""

    activation: Activation = Activation.NONE
    keep_dimensions: bool = False
    """The output keeps all but the last dimension of the input; otherwise it is [batch, units]."""
    weights_format: str = "DEFAULT"


def attributes_of(operation: Operation) -> FullyConnectedAttributes:
    """The options of a fully connected layer."""
    assert isinstance(operation.node.attributes, FullyConnectedAttributes)
    return operation.node.attributes
