"""CONV_2D, int8: convolution of NHWC images with OHWI weights, in one or several groups.

Source of the semantics: `ConvPerChannel` in tensorflow/lite/kernels/internal/reference/integer_ops/conv.h.
"""

from collections.abc import Sequence

import numpy as np

from tinycompile.ir import Array, Options
from tinycompile.ops._conv_2d_asm import PointwiseAsm, WindowAsm
from tinycompile.ops._conv_2d_dsp import PointwiseDsp, WindowDsp
from tinycompile.ops._conv_2d_portable import PointwisePortable, WindowPortable
from tinycompile.ops._convolution import (
    ConvolutionAttributes,
    attributes_of,
    convolution_window,
    has_clamp_activation,
    has_full_bias,
    has_legal_window,
    has_weight_scales,
)
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
from tinycompile.ops._rows_vector_dsp import RowsVectorDsp
from tinycompile.ops._vector_dsp import PointwiseVectorDsp, WindowVectorDsp
from tinycompile.ops._window import WindowOptions
from tinycompile.ops.access import Access
from tinycompile.ops.base import Operation, Operator, register
from tinycompile.quant import Activation


def has_whole_groups(operation: Operation) -> str | None:
    """The input's channels are a multiple of the weights' channels, and the output's channels of that number of groups."""
    if has_image_operands(operation):
        return None
    channels, (out_channels, _, _, depth) = operation.input(0).shape[3], operation.input(1).shape
    if channels % depth or out_channels % (channels // depth):
        return f"{channels} input channels, weights {operation.input(1).describe()}"
    return None


@register
class Conv2D(Operator):
    """CONV_2D for int8 tensors."""

    kind = "CONV_2D"
    types = INT8_TYPES
    limits = (
        has_image_operands,
        has_constant_weights,
        has_legal_window,
        has_whole_groups,
        has_full_bias,
        has_clamp_activation,
        has_per_tensor_activations,
        has_symmetric_weights,
        has_weight_scales,
    )
    min_inputs = 2
    max_inputs = 3
    kernels = (
        PointwiseAsm(),
        PointwiseAsm(packed=True),
        WindowAsm(),
        WindowAsm(packed=True),
        PointwiseDsp(),
        PointwiseVectorDsp(),
        WindowDsp(),
        WindowVectorDsp(),
        RowsVectorDsp(),
        PointwisePortable(),
        WindowPortable(),
    )

    def parse(self, options: Options) -> ConvolutionAttributes:
        """Read Conv2DOptions."""
        activation = Activation(options.get("fused_activation_function", "NONE"))
        return ConvolutionAttributes(WindowOptions.parse(options), activation)

    def infer(self, operation: Operation) -> tuple[tuple[int, ...], ...]:
        """[N, H, W, C] and weights [O, R, S, C / groups] give [N, H', W', O]."""
        window = convolution_window(operation)
        images, channels = operation.input(0).shape[0], operation.input(1).shape[0]
        return ((images, window.rows.out_extent, window.columns.out_extent, channels),)

    def evaluate(self, operation: Operation, inputs: Sequence[Array | None]) -> tuple[Array, ...]:
        """Sum over taps of shifted images times weights; float64 products and sums of int8 are exact."""
        image, weights = inputs[0], operation.input(1).values.astype(np.float64)
        assert image is not None
        channels, depth = weights.shape[0], weights.shape[3]
        groups = image.shape[3] // depth
        total = np.zeros(self.infer(operation)[0], np.float64)
        for row, column, shifted in convolution_window(operation).shifted_images(
            image, operation.input(0).zero_point
        ):
            filters = weights[:, row, column, :].reshape(groups, channels // groups, depth)
            by_group = np.split(shifted.astype(np.float64), groups, axis=-1)
            total += np.concatenate([part @ filters[g].T for g, part in enumerate(by_group)], axis=-1)
        accumulators = total.astype(np.int64) + bias_values(operation, channels)
        multipliers = convolution_multipliers(operation, channels)
        return (
            requantized(accumulators, multipliers, operation.output, attributes_of(operation).activation),
        )

    def access(self, operation: Operation, index: int) -> Access:
        """The rows of the window; weights are constant."""
        return convolution_window(operation).access

    def macs(self, operation: Operation) -> int:
        """One for each output element and weight of its filter, padding included."""
        _, rows, columns, depth = operation.input(1).shape
        return operation.output.elements * rows * columns * depth
