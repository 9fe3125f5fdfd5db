"""Convolutions in groups, depthwise ones among them, as convolutions in one group: weights between groups are zero.

Most kernels multiply by them, and still beat plain C by far when there are few groups; the sparse ones leave them out. An image
of one channel has one group in any case: there a depthwise convolution is a convolution with as many filters as there are
output channels.
"""

from dataclasses import replace

import numpy as np

from tinycompile.board import Board
from tinycompile.ir import Array, Tensor
from tinycompile.ops.base import Cost, Kernel, Operation
from tinycompile.program import Granularity, KernelCode

_LARGEST_WEIGHTS = 1 << 16
"""Dense weights beyond that are not looked at."""
_ENOUGH_CHANNELS = 4
"""Depthwise kernels take so many channels with one filter each, and multiply by no zeros."""


def dense(operation: Operation) -> Operation:
    """The operation with the dense weights of a CONV_2D, [channels, rows, columns, input channels].

    Given are those of a CONV_2D, [channels, rows, columns, input channels / groups], or of a DEPTHWISE_CONV_2D, [1, rows,
    columns, channels].
    """
    weights, depth = operation.input(1), operation.input(0).shape[3]
    filters = _filters(operation)
    channels, _, _, group_depth = filters.shape
    first = np.arange(channels) // (channels * group_depth // depth) * group_depth
    spread = np.zeros((*filters.shape[:3], depth), filters.dtype)
    columns = (first[:, None] + np.arange(group_depth))[:, None, None, :]
    np.put_along_axis(spread, np.broadcast_to(columns, filters.shape), filters, axis=3)
    tensor: Tensor = replace(weights, shape=spread.shape, data=spread)
    return replace(operation, inputs=(operation.input(0), tensor, *operation.inputs[2:]))


def _filters(operation: Operation) -> Array:
    """Weights with the output channels first."""
    values: Array = operation.input(1).values
    if operation.node.kind == "DEPTHWISE_CONV_2D":
        return np.moveaxis(values[0], 2, 0)[..., np.newaxis]
    return values


class Dense(Kernel):
    """A kernel of CONV_2D that computes a convolution in groups, of at least so many output channels each."""

    def __init__(self, convolution: Kernel, least_outputs: int = 1) -> None:
        self.convolution = convolution
        self.least_outputs = least_outputs
        self.name = f"dense_{convolution.name}"  # type: ignore[misc]
        self.granularities = convolution.granularities  # type: ignore[misc]
        self.stages_steps = convolution.stages_steps  # type: ignore[misc]

    def supports(self, operation: Operation, board: Board) -> bool:
        """Groups, or one input channel; few enough weights, and a convolution that the kernel takes."""
        depth, weights = operation.input(0).shape[3], operation.input(1)
        depthwise = operation.node.kind == "DEPTHWISE_CONV_2D"
        groups = depth if depthwise else depth // weights.shape[3]
        if (groups == 1 and not depthwise) or weights.elements * groups > _LARGEST_WEIGHTS:
            return False
        if depthwise and weights.shape[3] == depth >= _ENOUGH_CHANNELS:
            return False
        if operation.output.shape[3] < self.least_outputs * groups:
            return False
        return self.convolution.supports(dense(operation), board)

    def cost(self, operation: Operation, board: Board) -> Cost:
        """As the convolution."""
        return self.convolution.cost(dense(operation), board)

    def scratch_bytes(self, operation: Operation, board: Board) -> int:
        """As the convolution."""
        return self.convolution.scratch_bytes(dense(operation), board)

    def step_pixels(self, operation: Operation) -> int:
        """As the convolution."""
        return self.convolution.step_pixels(dense(operation))

    def macs_left_out(self, operation: Operation) -> int:
        """What the convolution leaves out of its own products beyond those between the groups."""
        whole = dense(operation)
        between = whole.input(1).elements - operation.input(1).elements
        pixels = operation.output.elements // operation.output.shape[3]
        return max(0, self.convolution.macs_left_out(whole) - pixels * between)

    def lower(self, operation: Operation, board: Board, granularity: Granularity) -> KernelCode:
        """As the convolution."""
        return self.convolution.lower(dense(operation), board, granularity)
