"""What the kernels share that are one matrix product in assembly; see `_gemm_asm.py`."""

from dataclasses import replace

from tinycompile.assembly.matrix_shape import NATURAL_ORDER, Weights
from tinycompile.board import Board
from tinycompile.ops._asm_scaling import Scaling, scaling
from tinycompile.ops._conv_2d_dsp import convolution_channels
from tinycompile.ops._dsp import Channels, chain_order, paired_halves
from tinycompile.ops._gemm_asm import (
    Layout,
    Matrix,
    group_parameters,
    groups_of,
    staged_bytes,
    stream,
)
from tinycompile.ops._gemm_cost import contiguous_staging_cycles, gemm_cost
from tinycompile.ops.access import plane_bytes
from tinycompile.ops.base import Cost, Kernel, Operation
from tinycompile.program import Granularity, KernelCode, Passing, RowFormat

SCRATCH_LIMIT_BYTES = 4096
_LARGEST_OFFSET = 4095
_DOUBLE_WORDS = 2
"""Of the six words of chained weights that eight channels of a pixel have: the others are loaded beside multiplications."""

_WIDEST_BLOCK = 8
"""Channels of the widest block."""


def group_pixels(pairs: int, run: int, out_channels: int, weights: Weights) -> int:
    """Pixels that are staged at a time: 4, or 2 times more channels; less if they don't fit the scratch or offsets of 12 bits."""
    for pixels in (2,) if weights is Weights.CHAINED else (4, 2):
        near = pixels * max(run, out_channels) <= _LARGEST_OFFSET
        if near and staged_bytes(pairs, pixels) <= SCRATCH_LIMIT_BYTES:
            return pixels
    return 1


def layout_of(pixels: int, weights: Weights, issue_width: int) -> Layout:
    """Blocks for groups of so many pixels; those with eight sums take four loads for a pair of taps, two of them of two words."""
    if weights is Weights.CHAINED:
        width, multiple = {2: 4, 1: 8}[pixels], issue_width == 1
        double_words = _DOUBLE_WORDS if pixels == 1 and not multiple else 0
        return Layout(
            pixels, width, weights, double_pixels=True, double_words=double_words, multiple=multiple
        )
    width = {4: 2, 2: 4, 1: 4 if weights is Weights.INT16 else 8}[pixels]
    many_words = pixels == 2 and weights is Weights.INT16
    return Layout(
        pixels, width, weights, double_pixels=not many_words, double_words=width if pixels < 4 else 0
    )


class GemmAsm(Kernel):
    """What the kernels share. Each comes with all forms of weights."""

    basename: str

    def __init__(self, weights: Weights = Weights.INT16) -> None:
        self.weights = weights
        self.name = weights.kernel(self.basename)  # type: ignore[misc]

    def channels(self, operation: Operation) -> Channels:
        """What requantization needs to know."""
        return convolution_channels(operation)

    def layout(self, operation: Operation, board: Board) -> Layout:
        """Blocks of pixels times channels."""
        made = layout_of(self.group(operation), self.weights, board.issue_width)
        if self.writes is RowFormat.PLANAR:
            made = replace(made, plane_bytes=plane_bytes(operation.output.shape))
        if self.weights is Weights.CHAINED:
            order = chain_order(self.channels(operation).weights)
            made = replace(made, order=order or NATURAL_ORDER)
        return made

    def scaling(self, operation: Operation) -> Scaling:
        """Proven requantization; `supports` has asked for it."""
        made = scaling(self.channels(operation), self.weights)
        assert made is not None
        return made

    def runs(self, operation: Operation) -> tuple[int, int]:
        """Contiguous bytes that are staged together, and how many such runs a pixel has."""
        raise AssertionError("each kernel has its own")

    def matrix(self, operation: Operation) -> Matrix:
        """The operation as a matrix product."""
        return Matrix(self.channels(operation), paired_halves(*self.runs(operation)))

    def pairs(self, operation: Operation) -> int:
        """Staged words of a pixel."""
        run, runs = self.runs(operation)
        return runs * ((run + 1) // 2)

    def group(self, operation: Operation) -> int:
        """Pixels of a group; a single pixel, as streaming models have it, is a group of its own."""
        run, _ = self.runs(operation)
        channels = operation.output.shape[-1]
        is_single = operation.output.elements == channels
        return 1 if is_single else group_pixels(self.pairs(operation), run, channels, self.weights)

    def supports(self, operation: Operation, board: Board) -> bool:
        """A processor with the DSP extension, requantization constants that are proven, and offsets of 12 bits in planar rows."""
        near = _WIDEST_BLOCK * self.layout(operation, board).plane_bytes <= _LARGEST_OFFSET
        return near and board.dsp and scaling(self.channels(operation), self.weights) is not None

    def cost(self, operation: Operation, board: Board) -> Cost:
        """See `gemm_cost`."""
        pairs, layout, how = self.pairs(operation), self.layout(operation, board), self.scaling(operation).how
        cost = gemm_cost(self.pixel_runs(operation), pairs, operation.output.shape[-1], layout, how)
        return Cost(cost.cycles + self.staging_cycles(operation), cost.flash_bytes)

    def pixel_runs(self, operation: Operation) -> tuple[int, int]:
        """Pixels that one call computes, and the number of calls; runs of pixels are cut into groups."""
        return operation.output.elements // operation.output.shape[-1], 1

    def staging_cycles(self, operation: Operation) -> int:
        """What the staging of all pixels takes."""
        pixels, calls = self.pixel_runs(operation)
        return contiguous_staging_cycles(pixels * calls, self.pairs(operation))

    def scratch_bytes(self, operation: Operation, board: Board) -> int:
        """The pixels of a group, as pairs of int16."""
        return staged_bytes(self.pairs(operation), self.group(operation))

    def contiguous(
        self, operation: Operation, board: Board, granularity: Granularity, pixels: int
    ) -> KernelCode:
        """Holes of `gemm/contiguous.c.j2`."""
        matrix, made, layout = self.matrix(operation), self.scaling(operation), self.layout(operation, board)
        return KernelCode(
            template="gemm/contiguous.c.j2",
            parameters={
                "groups": group_parameters(matrix, made.how, layout, groups_of(pixels, layout.group)),
                "pairs": matrix.pairs,
                "out_channels": matrix.out_channels,
                "plane_bytes": layout.plane_bytes,
                "pixels": pixels,
                "run": self.runs(operation)[0],
            },
            granularity=granularity,
            inputs=((0, Passing.POINTER),),
            constants=(stream(matrix, made, layout),),
            scratch_bytes=self.scratch_bytes(operation, board),
        )
