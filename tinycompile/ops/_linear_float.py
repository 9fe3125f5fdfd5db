"""float32 kernels of CONV_2D, DEPTHWISE_CONV_2D and FULLY_CONNECTED.

Blocks of output channels keep their sums in registers and add the taps in the order of TFLite's reference kernels: no sum is
reordered, and a compiler may still take the channels of a block as the lanes of a vector.
"""

import numpy as np

from tinycompile.board import Board
from tinycompile.ir import Array
from tinycompile.ops._conv_2d_portable import window_parameters
from tinycompile.ops._convolution import convolution_window
from tinycompile.ops._fused import clamp_holes
from tinycompile.ops.access import row_shape
from tinycompile.ops.base import Cost, Kernel, Operation
from tinycompile.program import Constant, Granularity, KernelCode, Parameter, Passing

BLOCK = 8
"""Output channels whose sums are in registers; float32 of a Cortex-M has 32."""

TOGETHER = 2
"""Pixels that share the weights they are multiplied with."""

_CYCLES_PER_MAC = 4.5
_CYCLES_PER_OUTPUT = 10


def _cost(operation: Operation, taps: int) -> Cost:
    cycles = operation.output.elements * (_CYCLES_PER_OUTPUT + taps * _CYCLES_PER_MAC)
    return Cost(int(cycles), operation.input(1).bytes + 4 * operation.output.shape[-1])


def in_blocks(weights: Array, groups: int = 1) -> Array:
    """Weights [channels, ...] as blocks of up to `BLOCK` channels of a group, the channel of the block innermost."""
    packed = [
        group[first : first + BLOCK].reshape(len(group[first : first + BLOCK]), -1).T.reshape(-1)
        for group in np.split(weights, groups)
        for first in range(0, len(group), BLOCK)
    ]
    return np.concatenate(packed)


def _common(operation: Operation) -> dict[str, Parameter]:
    """Holes that all templates have."""
    return {"block": BLOCK, "has_bias": operation.optional(2) is not None, **clamp_holes(operation)}


def _constants(operation: Operation, weights: Array) -> tuple[Constant, ...]:
    bias = operation.optional(2)
    biases = () if bias is None else (Constant("bias", bias.values.reshape(-1), "bias of each channel"),)
    return (Constant("weights", weights), *biases)


class PointwiseFloat(Kernel):
    """A 1x1 window: the image is one long row of pixels."""

    name = "pointwise_float"
    granularities = (Granularity.WHOLE, Granularity.ROW)

    def supports(self, operation: Operation, board: Board) -> bool:
        """One group, a 1x1 window, stride 1."""
        channels, depth = operation.input(0).shape[3], operation.input(1).shape[3]
        return convolution_window(operation).is_pointwise and channels == depth

    def cost(self, operation: Operation, board: Board) -> Cost:
        """A product and a sum for each tap."""
        return _cost(operation, operation.input(1).shape[3])

    def step_pixels(self, operation: Operation) -> int:
        """Those that share weights."""
        return TOGETHER

    def lower(self, operation: Operation, board: Board, granularity: Granularity) -> KernelCode:
        """Holes of `gemm/float.c.j2`."""
        units, _, _, depth = operation.input(1).shape
        rows, row_elements = row_shape(operation.output.shape)
        vectors = row_elements // units * (rows if granularity is Granularity.WHOLE else 1)
        return _matrix_code(operation, granularity, vectors, units, depth)


class FullyConnectedFloat(Kernel):
    """Any depth, number of units and batch."""

    name = "fully_connected_float"

    def cost(self, operation: Operation, board: Board) -> Cost:
        """A product and a sum for each weight."""
        return _cost(operation, operation.input(1).shape[1])

    def lower(self, operation: Operation, board: Board, granularity: Granularity) -> KernelCode:
        """Holes of `gemm/float.c.j2`."""
        units, depth = operation.input(1).shape
        return _matrix_code(operation, granularity, operation.output.elements // units, units, depth)


def _matrix_code(
    operation: Operation, granularity: Granularity, vectors: int, units: int, depth: int
) -> KernelCode:
    return KernelCode(
        template="gemm/float.c.j2",
        parameters={
            **_common(operation),
            "kind": operation.node.kind,
            "together": TOGETHER,
            "vectors": vectors,
            "depth": depth,
            "units": units,
        },
        granularity=granularity,
        inputs=((0, Passing.POINTER),),
        constants=_constants(operation, in_blocks(operation.input(1).values)),
        runtime=("tc_float.h",),
    )


class WindowFloat(Kernel):
    """Any window, stride, dilation and number of groups, from row pointers."""

    name = "window_float"
    granularities = (Granularity.ROW,)

    def cost(self, operation: Operation, board: Board) -> Cost:
        """A product and a sum for each tap, and the checks for the border."""
        _, rows, columns, depth = operation.input(1).shape
        cost = _cost(operation, rows * columns * depth)
        return Cost(cost.cycles * 5 // 4, cost.flash_bytes)

    def lower(self, operation: Operation, board: Board, granularity: Granularity) -> KernelCode:
        """Holes of `conv_2d/window_float.c.j2`."""
        in_channels = operation.input(0).shape[3]
        groups = in_channels // operation.input(1).shape[3]
        return KernelCode(
            template="conv_2d/window_float.c.j2",
            parameters={
                **_common(operation),
                **window_parameters(operation),
                "in_channels": in_channels,
                "out_channels": operation.output.shape[3],
                "groups": groups,
            },
            granularity=granularity,
            inputs=((0, Passing.WINDOW),),
            constants=_constants(operation, in_blocks(operation.input(1).values, groups)),
            runtime=("tc_float.h",),
        )


class DepthwiseFloat(Kernel):
    """Any window, stride, dilation and depth multiplier."""

    name = "depthwise_float"
    granularities = (Granularity.ROW,)

    def cost(self, operation: Operation, board: Board) -> Cost:
        """A product and a sum for each tap, which has two operands to load."""
        _, rows, columns, _ = operation.input(1).shape
        return _cost(operation, 2 * rows * columns)

    def lower(self, operation: Operation, board: Board, granularity: Granularity) -> KernelCode:
        """Holes of `depthwise_conv_2d/float.c.j2`."""
        in_channels, channels = operation.input(0).shape[3], operation.input(1).shape[3]
        return KernelCode(
            template="depthwise_conv_2d/float.c.j2",
            parameters={
                **_common(operation),
                **window_parameters(operation),
                "in_channels": in_channels,
                "multiplier": channels // in_channels,
            },
            granularity=granularity,
            inputs=((0, Passing.WINDOW),),
            constants=_constants(operation, np.ascontiguousarray(operation.input(1).values[0])),
            runtime=("tc_float.h",),
        )
