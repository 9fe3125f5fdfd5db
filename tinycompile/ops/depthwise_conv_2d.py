"""DEPTHWISE_CONV_2D, int8: each channel is convolved with its own filters, `depth multiplier` of them.

Source of the semantics: `DepthwiseConvPerChannel` in tensorflow/lite/kernels/internal/reference/integer_ops/depthwise_conv.h.
"""

from collections.abc import Sequence

import numpy as np

from tinycompile.ir import Array, Options
from tinycompile.ops._convolution import (
    ConvolutionAttributes,
    attributes_of,
    convolution_window,
    has_clamp_activation,
    has_full_bias,
    has_legal_window,
    has_weight_scales,
)
from tinycompile.ops._depthwise_asm import DepthwiseAsm
from tinycompile.ops._depthwise_dsp import DepthwiseDsp
from tinycompile.ops._depthwise_portable import DepthwisePortable
from tinycompile.ops._linear import (
    INT8_TYPES,
    bias_values,
    convolution_multipliers,
    has_constant_weights,
    has_image_operands,
    has_per_tensor_activations,
    has_symmetric_weights,
    requantized,
)
from tinycompile.ops._one_channel import OneChannelAsm, OneChannelDsp, OneChannelVectorDsp
from tinycompile.ops._window import WindowOptions
from tinycompile.ops.access import Access
from tinycompile.ops.base import Operation, Operator, register
from tinycompile.quant import Activation


def has_whole_multiplier(operation: Operation) -> str | None:
    """Weights are [1, rows, columns, C * depth multiplier] for C input channels."""
    if has_image_operands(operation):
        return None
    weights = operation.input(1)
    if weights.shape[0] != 1 or weights.shape[3] % operation.input(0).shape[3]:
        return f"{operation.input(0).shape[3]} input channels, weights {weights.describe()}"
    return None


@register
class DepthwiseConv2D(Operator):
    """DEPTHWISE_CONV_2D for int8 tensors. The depth multiplier follows from the shapes, as in TFLite's kernels."""

    kind = "DEPTHWISE_CONV_2D"
    types = INT8_TYPES
    limits = (
        has_image_operands,
        has_constant_weights,
        has_legal_window,
        has_whole_multiplier,
        has_full_bias,
        has_clamp_activation,
        has_per_tensor_activations,
        has_symmetric_weights,
        has_weight_scales,
    )
    min_inputs = 2
    max_inputs = 3
    kernels = (
        DepthwiseAsm(),
        OneChannelAsm(),
        OneChannelDsp(),
        OneChannelVectorDsp(),
        DepthwiseDsp(),
        DepthwisePortable(),
    )

    def parse(self, options: Options) -> ConvolutionAttributes:
        """Read DepthwiseConv2DOptions."""
        activation = Activation(options.get("fused_activation_function", "NONE"))
        return ConvolutionAttributes(WindowOptions.parse(options), activation)

    def infer(self, operation: Operation) -> tuple[tuple[int, ...], ...]:
        """[N, H, W, C] and weights [1, R, S, C * M] give [N, H', W', C * M]."""
        window = convolution_window(operation)
        images, channels = operation.input(0).shape[0], operation.input(1).shape[3]
        return ((images, window.rows.out_extent, window.columns.out_extent, channels),)

    def evaluate(self, operation: Operation, inputs: Sequence[Array | None]) -> tuple[Array, ...]:
        """Sum over taps of shifted images times weights, in int64."""
        image, weights = inputs[0], operation.input(1).values[0].astype(np.int64)
        assert image is not None
        channels = weights.shape[2]
        accumulators = np.zeros(self.infer(operation)[0], np.int64) + bias_values(operation, channels)
        for row, column, shifted in convolution_window(operation).shifted_images(
            image, operation.input(0).zero_point
        ):
            accumulators += np.repeat(shifted, channels // image.shape[3], axis=-1) * weights[row, column]
        multipliers = convolution_multipliers(operation, channels)
        return (
            requantized(accumulators, multipliers, operation.output, attributes_of(operation).activation),
        )

    def access(self, operation: Operation, index: int) -> Access:
        """The rows of the window; weights are constant."""
        return convolution_window(operation).access

    def macs(self, operation: Operation) -> int:
        """One for each output element and weight of its filter, padding included."""
        _, rows, columns, _ = operation.input(1).shape
        return operation.output.elements * rows * columns
