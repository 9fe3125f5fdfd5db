"""Kernels of DEPTHWISE_CONV_2D for processors with SMLAD."""

import numpy as np

from tinycompile.board import Board
from tinycompile.ir import Array
from tinycompile.ops._conv_2d_portable import window_parameters
from tinycompile.ops._convolution import channels_of, convolution_window
from tinycompile.ops._dsp import DSP_RUNTIME, SCRATCH_LIMIT_BYTES, Channels, scaling_of
from tinycompile.ops.base import Cost, Kernel, Operation
from tinycompile.program import Constant, Granularity, KernelCode, Passing

MOST_TAPS = 128
"""Pointers to the taps of a pixel at the border are kept on the stack."""


def depthwise_channels(operation: Operation) -> Channels:
    """What requantization needs to know of a depthwise convolution."""
    weights = operation.input(1).values
    return channels_of(operation, weights.reshape(-1, weights.shape[3]).T)


def group_starts(channels: int) -> list[int]:
    """First channels of the groups of four; the last group ends with the last channel and may repeat some."""
    return [min(first, channels - 4) for first in range(0, channels, 4)]


def pack_groups(weights: Array) -> Array:
    """Weights [channels, taps] as words of two int16 each, uint32 [groups, words].

    For each pair of taps (a, b) one word (w[a], w[b]) for each of the four channels; for a last tap the words (w0, w2), (w1, w3).
    """
    taps = weights.shape[1]
    groups = []
    for first in group_starts(len(weights)):
        four = weights[first : first + 4].astype(np.int64)
        pairs = [(four[c, t], four[c, t + 1]) for t in range(0, taps - 1, 2) for c in range(4)]
        if taps % 2:
            last = four[:, taps - 1]
            pairs += [(last[0], last[2]), (last[1], last[3])]
        groups.append([(int(low) & 0xFFFF) | (int(high) & 0xFFFF) << 16 for low, high in pairs])
    return np.array(groups, np.uint32)


class DepthwiseDsp(Kernel):
    """Any window, stride and dilation with depth multiplier 1: four channels at a time, two taps in one SMLAD."""

    name = "depthwise_dsp"
    granularities = (Granularity.ROW,)

    def supports(self, operation: Operation, board: Board) -> bool:
        """A processor with the DSP extension, at least four channels, one filter for each."""
        _, rows, columns, out_channels = operation.input(1).shape
        channels = operation.input(0).shape[3]
        fits = 4 <= channels <= SCRATCH_LIMIT_BYTES and rows * columns <= MOST_TAPS
        return board.dsp and channels == out_channels and fits

    def cost(self, operation: Operation, board: Board) -> Cost:
        """For each four channels of a pixel: ten cycles a tap, and requantization."""
        _, rows, columns, channels = operation.input(1).shape
        taps = rows * columns
        groups = operation.output.elements // channels * ((channels + 3) // 4)
        return Cost(groups * (10 * taps + 42), channels * (16 + 2 * taps))

    def scratch_bytes(self, operation: Operation, board: Board) -> int:
        """A pixel of zero points, which stands for what is outside of the image."""
        return (operation.input(0).shape[3] + 3) // 4 * 4 if _is_padded(operation) else 0

    def lower(self, operation: Operation, board: Board, granularity: Granularity) -> KernelCode:
        """Holes of `depthwise_conv_2d/dsp.c.j2`."""
        channels = depthwise_channels(operation)
        scaling, padded = scaling_of(channels), _is_padded(operation)
        order = [first + k for first in group_starts(len(channels.weights)) for k in range(4)]
        return KernelCode(
            template="depthwise_conv_2d/dsp.c.j2",
            parameters={
                **window_parameters(operation),
                "in_channels": operation.input(0).shape[3],
                "padded": padded,
                "mode": scaling.mode,
                "low": scaling.low,
                "high": scaling.high,
            },
            granularity=granularity,
            inputs=((0, Passing.WINDOW),),
            constants=(
                Constant(
                    "weights",
                    pack_groups(channels.weights),
                    "pairs of taps, four channels at a time",
                    align=8,
                ),
                Constant("channels", scaling.channels[order], "constants of requantization", align=8),
            ),
            arguments=(operation.input(0).zero_point,) if padded else (),
            scratch_bytes=self.scratch_bytes(operation, board),
            runtime=DSP_RUNTIME,
        )


def _is_padded(operation: Operation) -> bool:
    """True when some window reaches out of the image."""
    window = convolution_window(operation)
    return any(axis.pad_before > 0 or axis.pad_after > 0 for axis in (window.rows, window.columns))
