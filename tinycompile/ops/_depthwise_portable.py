"""Portable kernel of DEPTHWISE_CONV_2D: plain C that compilers vectorise over channels."""

import numpy as np

from tinycompile.board import Board
from tinycompile.ops._conv_2d_portable import image_parameters, portable_cost, window_parameters
from tinycompile.ops._linear import weights_without_zero_point
from tinycompile.ops._portable import portable_form
from tinycompile.ops.base import Cost, Kernel, Operation
from tinycompile.program import Granularity, KernelCode, Passing


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
        weights, in_channels = weights_without_zero_point(operation)[0], operation.input(0).shape[3]
        channels = weights.shape[2]
        by_channel = weights.reshape(-1, channels).T
        form = portable_form(operation, by_channel, np.ascontiguousarray(weights), border=True)
        images = image_parameters(operation)
        return KernelCode(
            template="depthwise_conv_2d/portable.c.j2",
            parameters={
                **form.holes,
                **window_parameters(operation),
                **images,
                "in_channels": in_channels,
                "multiplier": channels // in_channels,
            },
            granularity=granularity,
            inputs=((0, Passing.WINDOW), *form.inputs),
            constants=form.constants,
            arguments=form.arguments,
            runtime=form.runtime,
            takes_row=bool(images["takes_row"]),
        )
