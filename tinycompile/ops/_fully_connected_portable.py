"""Portable kernel of FULLY_CONNECTED: plain C that compilers vectorise."""

import numpy as np

from tinycompile.board import Board
from tinycompile.ops._conv_2d_portable import portable_cost
from tinycompile.ops._fully_connected import attributes_of
from tinycompile.ops._linear import bias_values, channel_constants, clamps, matrix_multipliers
from tinycompile.ops.base import Cost, Kernel, Operation
from tinycompile.program import Constant, Granularity, KernelCode, Passing


class FullyConnectedPortable(Kernel):
    """Any depth, number of units and batch; weights may have a zero point."""

    name = "fully_connected_portable"

    def cost(self, operation: Operation, board: Board) -> Cost:
        """See `portable_cost`."""
        return portable_cost(operation, operation.input(1).shape[1])

    def lower(self, operation: Operation, board: Board, granularity: Granularity) -> KernelCode:
        """Holes of `fully_connected/portable.c.j2`."""
        weights, source = operation.input(1), operation.input(0)
        units, depth = weights.shape
        low, high = clamps(operation.output, attributes_of(operation).activation)
        offset = weights.values.astype(np.int64) - weights.zero_point
        folded = channel_constants(
            offset, bias_values(operation, units), source.zero_point, matrix_multipliers(operation, units)
        )
        return KernelCode(
            template="fully_connected/portable.c.j2",
            parameters={
                "batches": operation.output.elements // units,
                "depth": depth,
                "units": units,
                "asymmetric": weights.zero_point != 0,
            },
            granularity=granularity,
            inputs=((0, Passing.POINTER),),
            constants=(
                Constant("weights", weights.values),
                Constant("channels", folded, "bias, multiplier, shift"),
            ),
            arguments=(weights.zero_point, operation.output.zero_point, low, high),
            runtime=("tc_dot.h", "tc_requantize.h"),
        )
