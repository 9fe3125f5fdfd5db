"""Kernel of DEPTHWISE_CONV_2D in assembly that computes an image at once; see `assembly/depthwise_planes.py`.

Four channels at a time are staged as int16, all rows or some (a strip) at a time; the last rows of a strip are the first ones of
the next. All that the outputs of four channels need is staged before their bytes are written, so that the output may lie exactly
over the input.
"""

from dataclasses import dataclass

from tinycompile.assembly.depthwise_planes import Blocks, Plane, blocks_of, fits_offsets
from tinycompile.assembly.depthwise_staging import Columns, Pass, Staging, outside_steps, staging
from tinycompile.assembly.depthwise_taps import Stream, Taps
from tinycompile.assembly.requantizing import Requantizing
from tinycompile.assembly.scheduler import Scheduled
from tinycompile.board import Board
from tinycompile.ops._asm_scaling import scaling
from tinycompile.ops._convolution import convolution_window
from tinycompile.ops._depthwise_dsp import depthwise_channels
from tinycompile.ops._depthwise_stream import stream
from tinycompile.ops._window import WindowAxis
from tinycompile.ops.base import Cost, Kernel, Operation
from tinycompile.program import Constant, Granularity, KernelCode, Parameter, Passing

_LARGEST_OFFSET = 4095
_LARGEST_CHANNELS = _LARGEST_OFFSET // 3
_LARGEST_SCRATCH_BYTES = 8192
_GROUP_CYCLES = 20
_STRIP_CYCLES = 40
_STAGED_ROW_CYCLES = 2
_KEPT_WORD_CYCLES = 1.5
_ONE_ROW = Pass((0,))
_GENERAL = Requantizing(0, True, -128, 127)


@dataclass(frozen=True)
class Strips:
    """An image in strips of `rows` rows of outputs, `count` of them."""

    plane: Plane
    rows: int
    count: int

    @property
    def staged_rows(self) -> int:
        """Rows that are staged for a strip."""
        return self.plane.staged_rows(self.rows)

    @property
    def kept_rows(self) -> int:
        """Last rows of a strip that the next one needs too."""
        return max(0, self.plane.reach - self.plane.row_stride)

    @property
    def bytes(self) -> int:
        """Bytes of the staged rows."""
        return self.staged_rows * self.plane.row_bytes


@dataclass(frozen=True)
class _Image:
    """The window along both axes; an image of one column lies on its side, as one row."""

    rows: WindowAxis
    columns: WindowAxis
    channels: int

    @classmethod
    def of(cls, operation: Operation) -> "_Image":
        window, channels = convolution_window(operation), operation.input(0).shape[3]
        if window.columns.is_pointwise and window.columns.in_extent == 1:
            return cls(window.columns, window.rows, channels)
        return cls(window.rows, window.columns, channels)

    @property
    def staged_columns(self) -> Columns:
        needed = (self.columns.out_extent - 1) * self.columns.stride + self.columns.taps
        return Columns(self.columns.in_extent, self.columns.pad_before, (needed + 1) // 2)

    @property
    def plane(self) -> Plane:
        taps = Taps(1, self.columns.taps, self.columns.stride, 1, self.channels)
        rows, pairs = self.rows, self.staged_columns.count
        return Plane(taps, rows.taps, rows.stride, rows.dilation, pairs, self.columns.out_extent)

    @property
    def strips(self) -> Strips | None:
        """The largest strips that fit the scratch and make up the image."""
        plane, rows = self.plane, self.rows.out_extent
        for count in range(1, rows + 1):
            made = Strips(plane, rows // count, count)
            if rows % count == 0 and made.bytes <= _LARGEST_SCRATCH_BYTES:
                return made
        return None

    @property
    def staging(self) -> Staging:
        return staging(self.plane.row, self.staged_columns, _ONE_ROW)

    def stages_ahead(self, strips: Strips) -> bool:
        """True when each pixel is staged before an output is written to its place; the output begins where the input does."""
        ends = ((k + 1) * strips.rows for k in range(strips.count))
        for end in ends:
            staged = (end - 1) * self.rows.stride - self.rows.pad_before + self.plane.reach
            inside = staged < self.rows.in_extent
            if inside and end * self.columns.out_extent > staged * self.columns.in_extent:
                return False
        return True


class DepthwisePlanesAsm(Kernel):
    """One image with at least four channels, any window without dilated columns, depth multiplier 1."""

    name = "depthwise_planes_asm"
    granularities = (Granularity.WHOLE,)

    def supports(self, operation: Operation, board: Board) -> bool:
        """A processor with the DSP extension, offsets of 12 bits, rows that fit the scratch, and proven requantization."""
        channels, out_channels = operation.input(0).shape[3], operation.input(1).shape[3]
        if not board.dsp or operation.images != 1 or channels != out_channels:
            return False
        image = _Image.of(operation)
        plane = image.plane
        fits = 4 <= channels <= _LARGEST_CHANNELS and fits_offsets(plane) and image.columns.dilation == 1
        known = fits and Stream(plane.weight_words, _GENERAL).bytes <= _LARGEST_OFFSET
        return known and image.strips is not None and scaling(depthwise_channels(operation)) is not None

    def cost(self, operation: Operation, board: Board) -> Cost:
        """Cycles of the schedules, and of the loops around them."""
        image, how, strips = _Image.of(operation), _how(operation), _strips(operation)
        blocks = blocks_of(strips.plane, how, strips.rows)
        staged = image.rows.in_extent * (image.staging.cycles + _STAGED_ROW_CYCLES)
        channels = strips.count * image.channels * blocks.cycles(strips.rows)
        strip = 0
        if strips.count > 1:
            strip = _STRIP_CYCLES + int(strips.kept_rows * strips.plane.row_bytes / 4 * _KEPT_WORD_CYCLES)
        groups = -(-image.channels // 4)
        flash = image.channels * Stream(strips.plane.weight_words, how).bytes
        code = 4 * (blocks.steps + sum(len(s.steps) for s in _stagings(image.staging))) + 400
        return Cost(channels + groups * (_GROUP_CYCLES + staged + strips.count * strip) + 100, flash + code)

    def scratch_bytes(self, operation: Operation, board: Board) -> int:
        """The staged rows of four channels."""
        return _strips(operation).bytes

    def in_place(self, operation: Operation) -> bool:
        """Outputs of four channels are written to bytes of these channels, behind the staging."""
        return _Image.of(operation).stages_ahead(_strips(operation))

    def lower(self, operation: Operation, board: Board, granularity: Granularity) -> KernelCode:
        """Holes of `depthwise_conv_2d/planes.c.j2`."""
        made = scaling(depthwise_channels(operation))
        assert made is not None
        image, strips = _Image.of(operation), _strips(operation)
        plane, staged = strips.plane, image.staging
        blocks: Blocks = blocks_of(plane, made.how, strips.rows)
        outside = outside_steps(plane.row, image.staged_columns)
        parameters: dict[str, Parameter] = {
            "channels": image.channels,
            "in_rows": image.rows.in_extent,
            "in_width": image.columns.in_extent,
            "out_width": plane.width,
            "window_rows": image.rows.taps,
            "window_columns": image.columns.taps,
            "stride_rows": image.rows.stride,
            "stride_columns": image.columns.stride,
            "pad_top": image.rows.pad_before,
            "pads_bottom": image.rows.pad_after > 0,
            "strips": strips.count,
            "strip_rows": strips.rows,
            "staged_rows": strips.staged_rows,
            "kept_rows": strips.kept_rows,
            "staged_row_bytes": plane.row_bytes,
            "outside": tuple(int(step[-1]) // 4 for step in outside if step[0] == "store"),
            "head": staged.head.steps,
            "loop": staged.loop.steps,
            "iterations": staged.iterations,
            "loop_pairs": staged.loop_pairs,
            "tail": staged.tail.steps,
            "resident": plane.resident,
            "weight_words": plane.weight_words,
            "constants": 1 + made.how.words,
            "block_rows": blocks.rows,
            "block_columns": blocks.columns,
            "blocks": blocks.count,
            "block": blocks.block.steps,
            "rest": blocks.rest.steps if blocks.rest else (),
        }
        constant: Constant = stream(
            depthwise_channels(operation), made, plane.weight_pairs, range(image.channels)
        )
        return KernelCode(
            template="depthwise_conv_2d/planes.c.j2",
            parameters=parameters,
            granularity=granularity,
            inputs=((0, Passing.POINTER),),
            constants=(constant,),
            scratch_bytes=strips.bytes,
        )


def _how(operation: Operation) -> Requantizing:
    made = scaling(depthwise_channels(operation))
    assert made is not None
    return made.how


def _strips(operation: Operation) -> Strips:
    strips = _Image.of(operation).strips
    assert strips is not None
    return strips


def _stagings(made: Staging) -> tuple[Scheduled, ...]:
    return made.head, made.loop, made.tail
