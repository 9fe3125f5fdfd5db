"""Kernels of CONV_2D for processors with SMLAD: pixels are staged as pairs of int16 and multiplied two channels at a time."""

from dataclasses import dataclass

from tinycompile.board import Board
from tinycompile.ops._conv_2d_portable import window_parameters
from tinycompile.ops._convolution import channels_of, convolution_window
from tinycompile.ops._dsp import (
    DSP_RUNTIME,
    SCRATCH_LIMIT_BYTES,
    Channels,
    by_pairs,
    joined_words,
    may_pair,
    paired_halves,
    scaling_of,
)
from tinycompile.ops.access import row_shape
from tinycompile.ops.base import Cost, Kernel, Operation
from tinycompile.program import Constant, Granularity, KernelCode, Parameter, Passing

MOST_PIXELS = 4


@dataclass(frozen=True)
class Staging:
    """How pixels are staged: `runs` contiguous pieces of `run` bytes each, `block` pixels at a time."""

    run: int
    runs: int
    patch_bytes: int = 0
    """Room for one run at the border of the image."""

    @property
    def pairs(self) -> int:
        """Pairs of taps of one pixel."""
        return self.runs * ((self.run + 1) // 2)

    @property
    def most(self) -> int:
        """Pixels that fit the scratch, 0 when not even one does."""
        return min(MOST_PIXELS, (SCRATCH_LIMIT_BYTES - self.patch_bytes) // (4 * self.pairs))

    def block(self, pixels: int) -> int:
        """Pixels to stage at a time, so that `pixels` of them cost least: rather 3 + 3 + 3 than 4 + 4 + 1."""

        def loads(block: int) -> float:
            rest = pixels % block
            return pixels // block * (2 + 1.5 * block) + (2 + 1.5 * rest if rest else 0)

        return min(range(1, min(self.most, pixels) + 1), key=loads)

    def scratch_bytes(self) -> int:
        """Bytes of the staged pixels and of the patch."""
        return 4 * self.pairs * self.most + self.patch_bytes


def convolution_channels(operation: Operation) -> Channels:
    """What requantization needs to know of a convolution with OHWI weights."""
    weights = operation.input(1).values
    return channels_of(operation, weights.reshape(len(weights), -1))


_CALL_CYCLES = 44
"""Around the inner loop, which computes two channels."""


def dsp_cost(operation: Operation, staging: Staging) -> Cost:
    """Instructions of the inner loop, of staging and of requantization, taken as cycles."""
    out_channels = operation.output.shape[3]
    pixels = operation.output.elements // out_channels
    block = min(staging.most, pixels)
    per_pair = (2 + 3 * block) / (2 * block)
    per_output = staging.pairs * per_pair + 12 + _CALL_CYCLES / (2 * block)
    cycles = pixels * (out_channels * per_output + 5 * staging.pairs)
    return Cost(int(cycles), 4 * staging.pairs * ((out_channels + 1) // 2) + 16 * out_channels)


class _StagedDsp(Kernel):
    """What both kernels share: they differ in where pixels come from."""

    def staging(self, operation: Operation) -> Staging:
        """How this operation's pixels are staged."""
        raise AssertionError("each kernel has its own")

    def supports(self, operation: Operation, board: Board) -> bool:
        """A processor with the DSP extension, one group, and a pixel that fits the scratch."""
        one_group = operation.input(0).shape[3] == operation.input(1).shape[3]
        return board.dsp and one_group and self.staging(operation).most > 0

    def cost(self, operation: Operation, board: Board) -> Cost:
        """See `dsp_cost`."""
        return dsp_cost(operation, self.staging(operation))

    def scratch_bytes(self, operation: Operation, board: Board) -> int:
        """Staged pixels, and the patch at the border."""
        return self.staging(operation).scratch_bytes()

    def packed(
        self, operation: Operation, pixels: int
    ) -> tuple[dict[str, Parameter], tuple[Constant, Constant]]:
        """Holes that both templates have for calls of so many pixels, and the constants."""
        staging, channels = self.staging(operation), convolution_channels(operation)
        paired, scaling = may_pair(channels.weights), scaling_of(channels)
        halves = paired_halves(staging.run, staging.runs)
        words = joined_words(by_pairs(channels.weights, halves), paired)
        parameters: dict[str, Parameter] = {
            "in_channels": operation.input(0).shape[3],
            "out_channels": operation.output.shape[3],
            "pairs": staging.pairs,
            "block": staging.block(pixels),
            "paired": paired,
            "mode": scaling.mode,
            "low": scaling.low,
            "high": scaling.high,
        }
        constants = (
            Constant("weights", words, "two channels a word", align=8),
            Constant("channels", scaling.channels, "constants of requantization", align=8),
        )
        return parameters, constants


class PointwiseDsp(_StagedDsp):
    """A 1x1 window with stride 1: the image is one long row of pixels."""

    name = "pointwise_dsp"
    granularities = (Granularity.WHOLE, Granularity.ROW)
    stages_steps = True

    def supports(self, operation: Operation, board: Board) -> bool:
        """As all, and output pixels read the pixel at their place alone."""
        return convolution_window(operation).is_pointwise and super().supports(operation, board)

    def step_pixels(self, operation: Operation) -> int:
        """A block."""
        return self.staging(operation).most

    def staging(self, operation: Operation) -> Staging:
        """All channels of a pixel are one run."""
        return Staging(operation.input(0).shape[3], 1)

    def lower(self, operation: Operation, board: Board, granularity: Granularity) -> KernelCode:
        """Holes of `conv_2d/pointwise_dsp.c.j2`."""
        rows, row_elements = row_shape(operation.output.shape)
        pixels = row_elements // operation.output.shape[3] * (rows if granularity is Granularity.WHOLE else 1)
        parameters, constants = self.packed(operation, pixels)
        return KernelCode(
            template="conv_2d/pointwise_dsp.c.j2",
            parameters={**parameters, "pixels": pixels},
            granularity=granularity,
            inputs=((0, Passing.POINTER),),
            constants=constants,
            scratch_bytes=self.scratch_bytes(operation, board),
            runtime=DSP_RUNTIME,
        )


class WindowDsp(_StagedDsp):
    """Any window, stride and dilation, from row pointers."""

    name = "window_dsp"
    granularities = (Granularity.ROW,)

    def staging(self, operation: Operation) -> Staging:
        """Each row of the window is one run."""
        _, rows, columns, depth = operation.input(1).shape
        run = columns * depth
        return Staging(run, rows, patch_bytes=(run + 3) // 4 * 4)

    def lower(self, operation: Operation, board: Board, granularity: Granularity) -> KernelCode:
        """Holes of `conv_2d/window_dsp.c.j2`."""
        parameters, constants = self.packed(operation, operation.output.shape[2])
        return KernelCode(
            template="conv_2d/window_dsp.c.j2",
            parameters={**parameters, **window_parameters(operation)},
            granularity=granularity,
            inputs=((0, Passing.WINDOW),),
            constants=constants,
            arguments=(operation.input(0).zero_point,),
            scratch_bytes=self.scratch_bytes(operation, board),
            runtime=DSP_RUNTIME,
        )
