"""What the kernels share that are one matrix product in assembly; see `_gemm_asm.py`."""

from dataclasses import replace

from tinycompile.board import Board
from tinycompile.ops._asm_scaling import Scaling, scaling
from tinycompile.ops._conv_2d_dsp import convolution_channels
from tinycompile.ops._dsp import Channels, paired_halves
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
_WIDEST_BLOCK = 8
"""Channels of the widest block."""


def group_pixels(pairs: int, run: int, out_channels: int) -> int:
    """Pixels that are staged at a time: 4 if they fit the scratch, else 2, else 1; offsets between pixels have 12 bits."""
    for pixels in (4, 2):
        near = pixels * max(run, out_channels) <= _LARGEST_OFFSET
        if near and staged_bytes(pairs, pixels) <= SCRATCH_LIMIT_BYTES:
            return pixels
    return 1


def layout_of(pixels: int, packed: bool) -> Layout:
    """Blocks for groups of so many pixels; those with eight sums take four loads for a pair of taps, two of them of two words."""
    width = {4: 2, 2: 4, 1: 8 if packed else 4}[pixels]
    many_words = pixels == 2 and not packed
    return Layout(pixels, width, packed, double_pixels=not many_words, double_weights=pixels < 4)


class GemmAsm(Kernel):
    """What the kernels share. Each comes in two forms: int16 weights, or two channels in a word."""

    basename: str

    def __init__(self, packed: bool = False) -> None:
        self.packed = packed
        self.name = f"{self.basename}_packed" if packed else self.basename  # type: ignore[misc]

    def channels(self, operation: Operation) -> Channels:
        """What requantization needs to know."""
        return convolution_channels(operation)

    def layout(self, operation: Operation) -> Layout:
        """Blocks of pixels times channels."""
        planar = self.writes is RowFormat.PLANAR
        return replace(
            layout_of(self.group(operation), self.packed),
            plane_bytes=plane_bytes(operation.output.shape) if planar else 0,
        )

    def scaling(self, operation: Operation) -> Scaling:
        """Proven requantization; `supports` has asked for it."""
        made = scaling(self.channels(operation), self.packed)
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
        return 1 if is_single else group_pixels(self.pairs(operation), run, channels)

    def supports(self, operation: Operation, board: Board) -> bool:
        """A processor with the DSP extension, requantization constants that are proven, and offsets of 12 bits in planar rows."""
        near = _WIDEST_BLOCK * self.layout(operation).plane_bytes <= _LARGEST_OFFSET
        return near and board.dsp and scaling(self.channels(operation), self.packed) is not None

    def cost(self, operation: Operation, board: Board) -> Cost:
        """See `gemm_cost`."""
        pairs, layout, how = self.pairs(operation), self.layout(operation), self.scaling(operation).how
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
        matrix, made, layout = self.matrix(operation), self.scaling(operation), self.layout(operation)
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
            constants=(stream(matrix, made, layout.width, self.packed),),
            scratch_bytes=self.scratch_bytes(operation, board),
        )
