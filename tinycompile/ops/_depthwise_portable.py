"""Portable kernel of DEPTHWISE_CONV_2D: plain C that compilers vectorise over channels."""

import numpy as np

from tinycompile.board import Board
from tinycompile.ops._conv_2d_portable import portable_cost, window_parameters
from tinycompile.ops._convolution import attributes_of
from tinycompile.ops._linear import bias_values, channel_constants, clamps, convolution_multipliers
from tinycompile.ops.base import Cost, Kernel, Operation
from tinycompile.program import Constant, Granularity, KernelCode, Passing


class DepthwisePortable(Kernel):
    """Any window, stride, dilation and depth multiplier, 16 channels at a time."""

    name = "depthwise_portable"
    granularities = (Granularity.ROW,)

    def cost(self, operation: Operation, board: Board) -> Cost:
        """See `portable_cost`; sums are kept in memory, which doubles the cost of a product."""
        _, rows, columns, _ = operation.input(1).shape
        return portable_cost(operation, 2 * rows * columns)

    def lower(self, operation: Operation, board: Board, granularity: Granularity) -> KernelCode:
        """Holes of `depthwise_conv_2d/portable.c.j2`."""
        weights, source = operation.input(1).values[0], operation.input(0)
        channels, in_channels = weights.shape[2], source.shape[3]
        low, high = clamps(operation.output, attributes_of(operation).activation)
        folded = channel_constants(
            weights.reshape(-1, channels).T,
            bias_values(operation, channels),
            source.zero_point,
            convolution_multipliers(operation, channels),
        )
        return KernelCode(
            template="depthwise_conv_2d/portable.c.j2",
            parameters={
                **window_parameters(operation),
                "in_channels": in_channels,
                "multiplier": channels // in_channels,
            },
            granularity=granularity,
            inputs=((0, Passing.WINDOW),),
            constants=(
                Constant("weights", np.ascontiguousarray(weights)),
                Constant("channels", folded, "bias, multiplier, shift"),
            ),
            arguments=(source.zero_point, operation.output.zero_point, low, high),
            runtime=("tc_requantize.h",),
        )
