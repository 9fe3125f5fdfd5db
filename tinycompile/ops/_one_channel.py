"""DEPTHWISE_CONV_2D of an image with one channel: it is a convolution with as many filters as there are output channels."""

from dataclasses import replace
from typing import ClassVar

import numpy as np

from tinycompile.board import Board
from tinycompile.ops._conv_2d_asm import WindowAsm
from tinycompile.ops._conv_2d_dsp import WindowDsp
from tinycompile.ops._vector_dsp import WindowVectorDsp
from tinycompile.ops.base import Cost, Kernel, Operation
from tinycompile.program import Granularity, KernelCode


def as_convolution(operation: Operation) -> Operation:
    """The operation with weights [1, R, S, M] as those of a convolution, [M, R, S, 1]."""
    weights = operation.input(1)
    turned = np.ascontiguousarray(np.moveaxis(weights.values[0], 2, 0))[..., np.newaxis]
    filters = replace(weights, shape=turned.shape, data=turned)
    return replace(operation, inputs=(operation.input(0), filters, *operation.inputs[2:]))


class OneChannel(Kernel):
    """A kernel of CONV_2D that computes a depthwise convolution of one channel."""

    granularities = (Granularity.ROW,)
    convolution: ClassVar[Kernel]

    def supports(self, operation: Operation, board: Board) -> bool:
        """One input channel, and a convolution that the kernel takes."""
        one_channel = operation.input(0).shape[3] == 1
        return one_channel and self.convolution.supports(as_convolution(operation), board)

    def cost(self, operation: Operation, board: Board) -> Cost:
        """As the convolution."""
        return self.convolution.cost(as_convolution(operation), board)

    def scratch_bytes(self, operation: Operation, board: Board) -> int:
        """As the convolution."""
        return self.convolution.scratch_bytes(as_convolution(operation), board)

    def lower(self, operation: Operation, board: Board, granularity: Granularity) -> KernelCode:
        """As the convolution."""
        return self.convolution.lower(as_convolution(operation), board, granularity)


class OneChannelAsm(OneChannel):
    """In assembly."""

    name = "one_channel_asm"
    convolution = WindowAsm()


class OneChannelDsp(OneChannel):
    """With SMLAD, staged."""

    name = "one_channel_dsp"
    convolution = WindowDsp()


class OneChannelVectorDsp(OneChannel):
    """With SMLAD, for large windows."""

    name = "one_channel_vector_dsp"
    convolution = WindowVectorDsp()
