"""CONV_2D: convolution of NHWC images with OHWI weights, in one or several groups.

Source of the semantics: `ConvPerChannel` in tensorflow/lite/kernels/internal/reference/integer_ops/conv.h.
"""

from typing import ClassVar

import numpy as np

from tinycompile.assembly.matrix_shape import Weights
from tinycompile.assembly.sparse_records import BLOCKS
from tinycompile.ir import Array, Options
from tinycompile.ops._conv_2d_asm import PointwiseAsm, WindowAsm
from tinycompile.ops._conv_2d_dsp import PointwiseDsp, WindowDsp
from tinycompile.ops._conv_2d_planar import PointwisePlanarAsm, WindowPlanarAsm
from tinycompile.ops._conv_2d_portable import PointwisePortable, WindowPortable
from tinycompile.ops._conv_2d_winograd import WinogradAsm
from tinycompile.ops._conv_2d_winograd_row import WinogradRowAsm
from tinycompile.ops._convolution import (
    ConvolutionAttributes,
    convolution_window,
    has_clamp_activation,
    has_full_bias,
    has_legal_window,
    has_weight_scales,
)
from tinycompile.ops._dense import Dense
from tinycompile.ops._dynamic import DYNAMIC, HYBRID
from tinycompile.ops._gemm_vector import PointwiseVectorAsm
from tinycompile.ops._linear import (
    has_constant_weights,
    has_image_operands,
    has_per_tensor_activations,
    has_symmetric_weights,
)
from tinycompile.ops._linear_float import PointwiseFloat, WindowFloat
from tinycompile.ops._rows_vector_dsp import RowsVectorDsp
from tinycompile.ops._schemes import FLOAT, INT8, INT16, INT16_BIAS_32, UINT8, KernelsByScheme, LinearOperator
from tinycompile.ops._sparse_asm import PointwiseSparse, WindowSparse
from tinycompile.ops._vector_dsp import PointwiseVectorDsp, WindowVectorDsp
from tinycompile.ops.access import WHOLE, Access
from tinycompile.ops.base import Operation, register


def has_whole_groups(operation: Operation) -> str | None:
    """The input's channels are a multiple of the weights' channels, and the output's channels of that number of groups."""
    if has_image_operands(operation):
        return None
    channels, (out_channels, _, _, depth) = operation.input(0).shape[3], operation.input(1).shape
    if channels % depth or out_channels % (channels // depth):
        return f"{channels} input channels, weights {operation.input(1).describe()}"
    return None


@register
class Conv2D(LinearOperator):
    """CONV_2D."""

    kind = "CONV_2D"
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
    schemes: ClassVar[KernelsByScheme] = {
        INT8: (
            PointwiseAsm(),
            PointwiseAsm(Weights.PACKED),
            PointwiseAsm(Weights.CHAINED),
            PointwiseVectorAsm(),
            PointwiseVectorAsm(Weights.PACKED),
            PointwiseVectorAsm(Weights.CHAINED),
            PointwisePlanarAsm(),
            PointwisePlanarAsm(Weights.PACKED),
            PointwisePlanarAsm(Weights.CHAINED),
            WindowPlanarAsm(),
            WindowPlanarAsm(Weights.PACKED),
            WindowPlanarAsm(Weights.CHAINED),
            WindowAsm(),
            WindowAsm(Weights.PACKED),
            WindowAsm(Weights.CHAINED),
            WinogradAsm(),
            WinogradRowAsm(tiles=2),
            WinogradRowAsm(tiles=1),
            PointwiseSparse(),
            PointwiseSparse(BLOCKS),
            WindowSparse(),
            WindowSparse(BLOCKS),
            PointwiseDsp(),
            PointwiseVectorDsp(),
            WindowDsp(),
            WindowVectorDsp(),
            RowsVectorDsp(),
            Dense(PointwiseAsm()),
            Dense(PointwiseAsm(Weights.PACKED)),
            Dense(PointwiseAsm(Weights.CHAINED)),
            Dense(WindowAsm()),
            Dense(WindowAsm(Weights.PACKED)),
            Dense(WindowAsm(Weights.CHAINED)),
            Dense(PointwiseSparse()),
            Dense(PointwiseSparse(BLOCKS)),
            Dense(WindowSparse()),
            Dense(WindowSparse(BLOCKS)),
            Dense(PointwiseVectorDsp()),
            Dense(WindowDsp()),
            Dense(WindowVectorDsp()),
            PointwisePortable(),
            WindowPortable(),
        ),
        UINT8: (PointwisePortable(), WindowPortable()),
        INT16: (PointwisePortable(), WindowPortable()),
        INT16_BIAS_32: (PointwisePortable(), WindowPortable()),
        FLOAT: (PointwiseFloat(), WindowFloat()),
        HYBRID: (),  # a pass makes it DYNAMIC
        DYNAMIC: (WindowPortable(),),
    }

    def parse(self, options: Options) -> ConvolutionAttributes:
        """Read Conv2DOptions."""
        return ConvolutionAttributes.parse(options)

    def infer(self, operation: Operation) -> tuple[tuple[int, ...], ...]:
        """[N, H, W, C] and weights [O, R, S, C / groups] give [N, H', W', O]."""
        window = convolution_window(operation)
        images, channels = operation.input(0).shape[0], operation.input(1).shape[0]
        return ((images, window.rows.out_extent, window.columns.out_extent, channels),)

    def sums(self, operation: Operation, source: Array, weights: Array) -> Array:
        """Sum over taps of shifted images times weights."""
        channels, depth = weights.shape[0], weights.shape[3]
        groups = source.shape[3] // depth
        total = np.zeros(self.infer(operation)[0])
        for row, column, shifted in convolution_window(operation).shifted_images(source):
            filters = weights[:, row, column, :].reshape(groups, channels // groups, depth)
            by_group = np.split(shifted, groups, axis=-1)
            total += np.concatenate([part @ filters[g].T for g, part in enumerate(by_group)], axis=-1)
        return total

    def access(self, operation: Operation, index: int) -> Access:
        """The rows of the window; factors and zero points of quantized images are whole, weights are constant."""
        return convolution_window(operation).access if index == 0 else WHOLE

    def macs(self, operation: Operation) -> int:
        """One for each output element and weight of its filter, padding included."""
        _, rows, columns, depth = operation.input(1).shape
        return operation.output.elements * rows * columns * depth
