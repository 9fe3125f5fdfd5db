"""Kernels of CONV_2D and FULLY_CONNECTED in assembly, for processors with SMLAD; see `_gemm_asm.py`."""

from dataclasses import replace
from typing import ClassVar

from tinycompile.board import Board
from tinycompile.ops._asm_scaling import Scaling, scaling
from tinycompile.ops._conv_2d_dsp import convolution_channels
from tinycompile.ops._conv_2d_portable import window_parameters
from tinycompile.ops._convolution import convolution_window
from tinycompile.ops._dsp import Channels, paired_halves
from tinycompile.ops._fully_connected import matrix_channels
from tinycompile.ops._gemm_asm import (
    Layout,
    Matrix,
    group_parameters,
    groups_of,
    staged_bytes,
    stream,
)
from tinycompile.ops._gemm_cost import gemm_cost
from tinycompile.ops._window_staging import Windows, fits_offsets, halves, reach, steps
from tinycompile.ops.access import plane_bytes, row_shape
from tinycompile.ops.base import Cost, Kernel, Operation
from tinycompile.program import Constant, Granularity, KernelCode, Parameter, Passing, RowFormat

SCRATCH_LIMIT_BYTES = 4096
_LARGEST_OFFSET = 4095
_WIDEST_BLOCK = 8
"""Channels of the widest block."""

_LARGEST_COPY_BYTES = 2048


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


class _GemmAsm(Kernel):
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
        out_channels = operation.output.shape[-1]
        pixels = operation.output.elements // out_channels
        pairs, layout = self.pairs(operation), self.layout(operation)
        cost = gemm_cost(self.pixel_runs(operation), pairs, out_channels, layout, self.scaling(operation).how)
        return Cost(cost.cycles + pixels * self.cycles_per_pixel(operation), cost.flash_bytes)

    def pixel_runs(self, operation: Operation) -> tuple[int, int]:
        """Pixels that one call computes, and the number of calls; runs of pixels are cut into groups."""
        return operation.output.elements // operation.output.shape[-1], 1

    def cycles_per_pixel(self, operation: Operation) -> int:
        """What the staging of a pixel takes beyond that of contiguous bytes."""
        return 0

    def scratch_bytes(self, operation: Operation, board: Board) -> int:
        """The pixels of a group, as pairs of int16."""
        return staged_bytes(self.pairs(operation), self.group(operation))

    def packing(self, operation: Operation, pixels: int) -> tuple[dict[str, Parameter], Constant]:
        """Holes that all templates have, and the stream."""
        matrix, made = self.matrix(operation), self.scaling(operation)
        layout = self.layout(operation)
        parameters: dict[str, Parameter] = {
            "groups": group_parameters(matrix, made.how, layout, groups_of(pixels, layout.group)),
            "pairs": matrix.pairs,
            "out_channels": matrix.out_channels,
            "plane_bytes": layout.plane_bytes,
        }
        return parameters, stream(matrix, made, layout.width, self.packed)

    def contiguous(
        self, operation: Operation, board: Board, granularity: Granularity, pixels: int
    ) -> KernelCode:
        """Holes of `gemm/contiguous.c.j2`."""
        parameters, constant = self.packing(operation, pixels)
        return KernelCode(
            template="gemm/contiguous.c.j2",
            parameters={
                **parameters,
                "pixels": pixels,
                "run": self.runs(operation)[0],
            },
            granularity=granularity,
            inputs=((0, Passing.POINTER),),
            constants=(constant,),
            scratch_bytes=self.scratch_bytes(operation, board),
        )


class PointwiseAsm(_GemmAsm):
    """A 1x1 window with stride 1: the image is one long row of pixels."""

    basename = "pointwise_asm"
    granularities: ClassVar[tuple[Granularity, ...]] = (Granularity.WHOLE, Granularity.ROW)
    stages_steps = True

    def supports(self, operation: Operation, board: Board) -> bool:
        """As all, and output pixels read the pixel at their place alone."""
        one_group = operation.input(0).shape[3] == operation.input(1).shape[3]
        return one_group and convolution_window(operation).is_pointwise and super().supports(operation, board)

    def step_pixels(self, operation: Operation) -> int:
        """A group."""
        return self.group(operation)

    def runs(self, operation: Operation) -> tuple[int, int]:
        """All channels of a pixel."""
        return operation.input(0).shape[3], 1

    def lower(self, operation: Operation, board: Board, granularity: Granularity) -> KernelCode:
        """See `contiguous`."""
        rows, row_elements = row_shape(operation.output.shape)
        pixels = row_elements // operation.output.shape[3] * (rows if granularity is Granularity.WHOLE else 1)
        return self.contiguous(operation, board, granularity, pixels)


class FullyConnectedAsm(_GemmAsm):
    """Any depth, number of units and batch; weights without a zero point."""

    basename = "fully_connected_asm"

    def supports(self, operation: Operation, board: Board) -> bool:
        """As all, weights are symmetric, and a staged vector fits the scratch."""
        fits = staged_bytes(self.pairs(operation), 1) <= SCRATCH_LIMIT_BYTES // 2
        return fits and operation.input(1).zero_point == 0 and super().supports(operation, board)

    def channels(self, operation: Operation) -> Channels:
        """What requantization needs to know."""
        return matrix_channels(operation)

    def runs(self, operation: Operation) -> tuple[int, int]:
        """One vector."""
        return operation.input(1).shape[1], 1

    def batch(self, operation: Operation) -> int:
        """Number of vectors."""
        return operation.output.elements // operation.input(1).shape[0]

    def group(self, operation: Operation) -> int:
        """Single vectors have blocks of their own."""
        return 1 if self.batch(operation) == 1 else super().group(operation)

    def lower(self, operation: Operation, board: Board, granularity: Granularity) -> KernelCode:
        """See `contiguous`."""
        return self.contiguous(operation, board, granularity, self.batch(operation))


class WindowAsm(_GemmAsm):
    """Any window, stride and dilation, from row pointers."""

    basename = "window_asm"
    granularities = (Granularity.ROW,)

    def supports(self, operation: Operation, board: Board) -> bool:
        """As all, one group, and more than a pixel under the window."""
        one_group = operation.input(0).shape[3] == operation.input(1).shape[3]
        pointwise = convolution_window(operation).is_pointwise
        return one_group and not pointwise and super().supports(operation, board)

    def pixel_runs(self, operation: Operation) -> tuple[int, int]:
        """A row at a time."""
        return operation.output.shape[2], operation.rows

    def runs(self, operation: Operation) -> tuple[int, int]:
        """Each row of the window is one run."""
        _, rows, columns, depth = operation.input(1).shape
        return columns * depth, rows

    def matrix(self, operation: Operation) -> Matrix:
        """The operation as a matrix product."""
        return Matrix(self.channels(operation), halves(*self.runs(operation)))

    def pairs(self, operation: Operation) -> int:
        """Staged words of a pixel."""
        return len(halves(*self.runs(operation)))

    def windows(self, operation: Operation, pixels: int, step: int) -> Windows:
        """What is staged together."""
        columns = convolution_window(operation).columns
        pixel_bytes = columns.stride * operation.input(0).shape[3]
        return Windows(*self.runs(operation), pixels, pixel_bytes, step)

    def together(self, operation: Operation) -> bool:
        """True when the pixels of a group can be staged in one call."""
        group = self.group(operation)
        dilation = convolution_window(operation).columns.dilation
        wide = operation.output.shape[2] >= group > 1
        return wide and dilation == 1 and fits_offsets(self.windows(operation, group, group))

    def copied_bytes(self, operation: Operation) -> int:
        """Bytes of a row with its padding, when windows are copied: more than a third of the groups need some of it."""
        columns, group = convolution_window(operation).columns, self.group(operation)
        left = -(-columns.pad_before // (group * columns.stride))
        right = -(-columns.pad_after // (group * columns.stride))
        row = max(
            (columns.out_extent - 1) * columns.stride + columns.taps, columns.pad_before + columns.in_extent
        )
        row_bytes = row * operation.input(0).shape[3]
        few = 3 * (left + right) <= -(-columns.out_extent // group)
        if few or columns.dilation != 1 or row_bytes * self.runs(operation)[1] > _LARGEST_COPY_BYTES:
            return 0
        return row_bytes

    def outside_bytes(self, operation: Operation) -> int:
        """Bytes that stand for a row outside of the image."""
        copied = self.copied_bytes(operation)
        if copied:
            return (copied * self.runs(operation)[1] + 3) // 4 * 4
        window = convolution_window(operation).rows
        if window.pad_before == 0 and window.pad_after == 0:
            return 0
        group = self.group(operation) if self.together(operation) else 1
        return (reach(self.windows(operation, group, group)) + 3) // 4 * 4

    def patch_bytes(self, operation: Operation) -> int:
        """Room for one window at the border of the image."""
        run, runs = self.runs(operation)
        return (run * runs + 3) // 4 * 4 if self.near_border(operation) else 0

    def near_border(self, operation: Operation) -> bool:
        """True when some windows are staged from a copy."""
        columns = convolution_window(operation).columns
        padded = columns.pad_before > 0 or columns.pad_after > 0 or columns.dilation != 1
        return padded and not self.copied_bytes(operation)

    def cycles_per_pixel(self, operation: Operation) -> int:
        """Calls, pointers of the runs, and the staging beyond what contiguous pixels take."""
        group = self.group(operation)
        together = group if self.together(operation) else 1
        staged = steps(self.windows(operation, together, group)).cycles(self.runs(operation)[1])
        calls = 60 + together * 4 * self.runs(operation)[1]
        return (staged + calls) // together - 3 * self.pairs(operation)

    def scratch_bytes(self, operation: Operation, board: Board) -> int:
        """Staged pixels, a row outside of the image, and the patch at its border."""
        staged = super().scratch_bytes(operation, board)
        return staged + self.outside_bytes(operation) + self.patch_bytes(operation)

    def stagings(self, operation: Operation, groups: tuple[tuple[int, int], ...]) -> Parameter:
        """The functions that stage: whole groups, and single pixels of each kind of group."""
        group = self.group(operation)
        kinds = [(group, group)] if self.together(operation) else []
        kinds += [(1, pixels) for pixels, _ in groups if (1, pixels) not in kinds]
        result: list[Parameter] = []
        for pixels, step in kinds:
            made = steps(self.windows(operation, pixels, step))
            result.append(
                (pixels, step, made.straight.steps, made.loop.steps, made.iterations, made.rest.steps)
            )
        return tuple(result)

    def lower(self, operation: Operation, board: Board, granularity: Granularity) -> KernelCode:
        """Holes of `gemm/window.c.j2`."""
        width = operation.output.shape[2]
        parameters, constant = self.packing(operation, width)
        run, runs = self.runs(operation)
        window: dict[str, Parameter] = {
            **window_parameters(operation),
            "in_channels": operation.input(0).shape[3],
            "run": run,
            "run_pairs": self.pairs(operation) // runs,
            "together": self.together(operation),
            "near_border": self.near_border(operation),
            "stagings": self.stagings(operation, groups_of(width, self.group(operation))),
            "staged_bytes": super().scratch_bytes(operation, board),
            "outside_bytes": self.outside_bytes(operation),
            "copied_bytes": self.copied_bytes(operation),
            "copied_columns": convolution_window(operation).columns.in_extent,
        }
        return KernelCode(
            template="gemm/window.c.j2",
            parameters={**parameters, **window},
            granularity=granularity,
            inputs=((0, Passing.WINDOW),),
            constants=(constant,),
            arguments=(operation.input(0).zero_point,),
            scratch_bytes=self.scratch_bytes(operation, board),
        )
