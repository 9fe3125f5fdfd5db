"""Attributes and channels of FULLY_CONNECTED, for the operator and its kernels."""

from dataclasses import dataclass

from tinycompile.ir import Attributes
from tinycompile.ops._dsp import Channels
from tinycompile.ops._linear import bias_values, clamps, matrix_multipliers
from tinycompile.ops.base import Operation
from tinycompile.quant import Activation


@dataclass(frozen=True)
class FullyConnectedAttributes(Attributes):
    """Options of a fully connected layer."""

    activation: Activation = Activation.NONE
    keep_dimensions: bool = False
    """The output keeps all but the last dimension of the input; otherwise it is [batch, units]."""
    weights_format: str = "DEFAULT"
    asymmetric_inputs: bool = False
    """Float activations that are quantized when the model runs get a zero point."""


def attributes_of(operation: Operation) -> FullyConnectedAttributes:
    """The options of a fully connected layer."""
    assert isinstance(operation.node.attributes, FullyConnectedAttributes)
    return operation.node.attributes


def matrix_channels(operation: Operation) -> Channels:
    """What requantization needs to know of a fully connected layer with symmetric weights."""
    weights = operation.input(1)
    assert weights.zero_point == 0
    units = weights.shape[0]
    low, high = clamps(operation.output, attributes_of(operation).activation)
    return Channels(
        weights=weights.values,
        bias=bias_values(operation, units),
        in_zero_point=operation.input(0).zero_point,
        multipliers=matrix_multipliers(operation, units),
        out_zero_point=operation.output.zero_point,
        low=low,
        high=high,
    )
