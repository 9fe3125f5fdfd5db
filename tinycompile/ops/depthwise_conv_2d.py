"""DEPTHWISE_CONV_2D: each channel is convolved with its own filters, `depth multiplier` of them.

Source of the semantics: `DepthwiseConvPerChannel` in tensorflow/lite/kernels/internal/reference/integer_ops/depthwise_conv.h.
"""

from typing import ClassVar

import numpy as np

from tinycompile.assembly.matrix_shape import Weights
from tinycompile.ir import Array, Options
from tinycompile.ops._conv_2d_asm import WindowAsm
from tinycompile.ops._conv_2d_dsp import WindowDsp
from tinycompile.ops._convolution import (
    ConvolutionAttributes,
    convolution_window,
    has_clamp_activation,
    has_full_bias,
    has_legal_window,
    has_weight_scales,
)
from tinycompile.ops._dense import Dense
from tinycompile.ops._depthwise_asm import DepthwiseAsm
from tinycompile.ops._depthwise_dsp import DepthwiseDsp
from tinycompile.ops._depthwise_planar_asm import DepthwisePlanarAsm
from tinycompile.ops._depthwise_planes_asm import DepthwisePlanesAsm
from tinycompile.ops._depthwise_portable import DepthwisePortable
from tinycompile.ops._dynamic import DYNAMIC, HYBRID, is_hybrid
from tinycompile.ops._linear import (
    has_constant_weights,
    has_image_operands,
    has_per_tensor_activations,
    has_symmetric_weights,
)
from tinycompile.ops._linear_float import DepthwiseFloat
from tinycompile.ops._schemes import FLOAT, INT8, INT16, UINT8, KernelsByScheme, LinearOperator
from tinycompile.ops._sparse_asm import WindowSparse
from tinycompile.ops._vector_dsp import WindowVectorDsp
from tinycompile.ops.access import WHOLE, Access
from tinycompile.ops.base import Operation, register


def has_whole_multiplier(operation: Operation) -> str | None:
    """Weights are [1, rows, columns, C * depth multiplier] for C input channels."""
    if has_image_operands(operation):
        return None
    weights = operation.input(1)
    if weights.shape[0] != 1 or weights.shape[3] % operation.input(0).shape[3]:
        return f"{operation.input(0).shape[3]} input channels, weights {weights.describe()}"
    return None


def has_all_scales_when_hybrid(operation: Operation) -> str | None:
    """Float activations with int8 weights: the weights have a scale for each output channel."""
    weights = operation.inputs[1]
    if weights is None or weights.quantization is None or not is_hybrid(operation):
        return None
    count, channels = len(weights.quantization.scales), operation.output.shape[-1]
    return None if count == channels else f"weights have {count} scales for {channels} output channels"


@register
class DepthwiseConv2D(LinearOperator):
    """DEPTHWISE_CONV_2D. The depth multiplier follows from the shapes, as in TFLite's kernels."""

    kind = "DEPTHWISE_CONV_2D"
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
        has_all_scales_when_hybrid,
    )
    min_inputs = 2
    max_inputs = 3
    schemes: ClassVar[KernelsByScheme] = {
        INT8: (
            DepthwisePlanesAsm(),
            DepthwiseAsm(),
            DepthwisePlanarAsm(),
            Dense(WindowAsm()),
            Dense(WindowAsm(Weights.PACKED)),
            Dense(WindowAsm(Weights.CHAINED)),
            Dense(WindowSparse(), least_outputs=2),
            Dense(WindowDsp()),
            Dense(WindowVectorDsp()),
            DepthwiseDsp(),
            DepthwisePortable(),
        ),
        UINT8: (DepthwisePortable(),),
        INT16: (DepthwisePortable(),),
        FLOAT: (DepthwiseFloat(),),
        HYBRID: (),  # a pass makes it DYNAMIC
        DYNAMIC: (DepthwisePortable(),),
    }

    def parse(self, options: Options) -> ConvolutionAttributes:
        """Read DepthwiseConv2DOptions."""
        return ConvolutionAttributes.parse(options)

    def infer(self, operation: Operation) -> tuple[tuple[int, ...], ...]:
        """[N, H, W, C] and weights [1, R, S, C * M] give [N, H', W', C * M]."""
        window = convolution_window(operation)
        images, channels = operation.input(0).shape[0], operation.input(1).shape[3]
        return ((images, window.rows.out_extent, window.columns.out_extent, channels),)

    def sums(self, operation: Operation, source: Array, weights: Array) -> Array:
        """Sum over taps of shifted images times weights."""
        channels = weights.shape[3]
        total = np.zeros(self.infer(operation)[0])
        for row, column, shifted in convolution_window(operation).shifted_images(source):
            total += np.repeat(shifted, channels // source.shape[3], axis=-1) * weights[0, row, column]
        return total

    def access(self, operation: Operation, index: int) -> Access:
        """The rows of the window; factors and zero points of quantized images are whole, weights are constant."""
        return convolution_window(operation).access if index == 0 else WHOLE

    def macs(self, operation: Operation) -> int:
        """One for each output element and weight of its filter, padding included."""
        _, rows, columns, _ = operation.input(1).shape
        return operation.output.elements * rows * columns
