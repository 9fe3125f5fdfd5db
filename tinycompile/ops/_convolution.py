"""What CONV_2D and DEPTHWISE_CONV_2D share: attributes, window, limits."""

from dataclasses import dataclass, field

from tinycompile.ir import Attributes
from tinycompile.ops._linear import (
    activation_problem,
    bias_problem,
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


def attributes_of(operation: Operation) -> ConvolutionAttributes:
    """The options of a convolution."""
    assert isinstance(operation.node.attributes, ConvolutionAttributes)
    return operation.node.attributes


def convolution_window(operation: Operation) -> Window:
    """The window of a convolution; rows and columns of the filter are dimensions 1 and 2 of its weights."""
    _, rows, columns, _ = operation.input(1).shape
    return window_of(attributes_of(operation).window, operation.input(0).shape, (rows, columns))


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
