"""What CONV_2D and DEPTHWISE_CONV_2D share: attributes, window, limits."""

from dataclasses import dataclass, field

from tinycompile.ir import Array, Attributes, Options
from tinycompile.ops._dsp import Channels
from tinycompile.ops._linear import (
    activation_problem,
    bias_problem,
    bias_values,
    clamps,
    convolution_multipliers,
    has_image_operands,
    has_per_tensor_activations,
    multiplier_problem,
    multipliers_of,
    requantizes,
    weight_quantization_problem,
)
from tinycompile.ops._window import Window, WindowOptions, window_of
from tinycompile.ops.base import Operation
from tinycompile.quant import Activation


@dataclass(frozen=True)
class ConvolutionAttributes(Attributes):
    """Options of a convolution."""

    window: WindowOptions = field(default_factory=WindowOptions)
    activation: Activation = Activation.NONE

    @classmethod
    def parse(cls, options: Options) -> "ConvolutionAttributes":
        """Read the fields that Conv2DOptions and DepthwiseConv2DOptions both have."""
        activation = Activation(options.get("fused_activation_function", "NONE"))
        return cls(WindowOptions.parse(options), activation)


def attributes_of(operation: Operation) -> ConvolutionAttributes:
    """The options of a convolution."""
    assert isinstance(operation.node.attributes, ConvolutionAttributes)
    return operation.node.attributes


def convolution_window(operation: Operation) -> Window:
    """The window of a convolution; rows and columns of the filter are dimensions 1 and 2 of its weights."""
    _, rows, columns, _ = operation.input(1).shape
    return window_of(attributes_of(operation).window, operation.input(0).shape, (rows, columns))


def channels_of(operation: Operation, weights: Array) -> Channels:
    """What requantization needs to know of a convolution, whose weights are given as [channels, taps]."""
    channels = len(weights)
    low, high = clamps(operation.output, attributes_of(operation).activation)
    return Channels(
        weights=weights,
        bias=bias_values(operation, channels),
        in_zero_point=operation.input(0).zero_point,
        multipliers=convolution_multipliers(operation, channels),
        out_zero_point=operation.output.zero_point,
        low=low,
        high=high,
    )


def has_legal_window(operation: Operation) -> str | None:
    """Strides and dilations are positive, and the window fits the padded image."""
    problem = attributes_of(operation).window.problem
    if problem or has_image_operands(operation):
        return problem
    window = convolution_window(operation)
    extents = (window.rows.out_extent, window.columns.out_extent)
    return None if min(extents) > 0 else f"the output would have {extents[0]} rows and {extents[1]} columns"


def has_full_bias(operation: Operation) -> str | None:
    """The bias, when there is one, has one element for each output channel."""
    return None if has_image_operands(operation) else bias_problem(operation, operation.output.shape[3])


def has_clamp_activation(operation: Operation) -> str | None:
    """The fused activation is NONE, RELU, RELU6 or RELU_N1_TO_1."""
    return activation_problem(attributes_of(operation).activation)


def has_weight_scales(operation: Operation) -> str | None:
    """Weights have one scale, or (not uint8) one for each output channel;
    no factor to the output scale reaches 2**30 (int16: 2**7).
    """
    if has_image_operands(operation):
        return None
    channels = operation.output.shape[3]
    problem = weight_quantization_problem(operation, channels)
    if problem or has_per_tensor_activations(operation) or not requantizes(operation):
        return problem
    return multiplier_problem(operation, multipliers_of(operation, channels))
