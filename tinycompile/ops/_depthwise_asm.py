"""Kernel of DEPTHWISE_CONV_2D in assembly for processors with SMLAD: four channels at a time, staged as pairs of int16."""

from dataclasses import dataclass

from tinycompile.assembly.depthwise import four_channels, outputs
from tinycompile.assembly.depthwise_staging import Columns, Staging, outside_steps, passes, staging
from tinycompile.assembly.depthwise_taps import Stream, Taps
from tinycompile.assembly.requantizing import Requantizing
from tinycompile.assembly.scheduler import Scheduled
from tinycompile.board import Board
from tinycompile.ops._asm_scaling import scaling
from tinycompile.ops._convolution import convolution_window
from tinycompile.ops._depthwise_dsp import depthwise_channels, group_starts
from tinycompile.ops._depthwise_stream import stream
from tinycompile.ops._window import Window
from tinycompile.ops.base import Cost, Kernel, Operation
from tinycompile.program import Granularity, KernelCode, Parameter, Passing

_LARGEST_OFFSET = 4095
_LARGEST_SCRATCH_BYTES = 8192
_BLOCK_OUTPUTS = (12, 8, 4)
_STRAIGHT_STEPS = 640
"""Instructions of four channels of a row that are printed without a loop."""


_NO_STEPS = Scheduled((), 0)


@dataclass(frozen=True)
class RowPlan:
    """How a row of four channels is computed: all at once (`straight`), or each channel by itself.

    One channel takes `blocks` blocks of `block_outputs` outputs in a loop, and then the rest.
    """

    straight: Scheduled = _NO_STEPS
    block: Scheduled = _NO_STEPS
    block_outputs: int = 0
    blocks: int = 0
    rest: Scheduled = _NO_STEPS

    @property
    def cycles(self) -> int:
        """Cycles for four channels, with the instructions around them."""
        if self.straight.steps:
            return self.straight.cycles + 6
        return 4 * (self.blocks * (self.block.cycles + 4) + self.rest.cycles + 25)


def row_plan(taps: Taps, how: Requantizing, width: int) -> RowPlan:
    """The longest blocks that offsets of 12 bits allow, and the ones that leave the least rest."""
    allowed = [n for n in _BLOCK_OUTPUTS if (n - 1) * taps.channels <= _LARGEST_OFFSET]
    if width <= allowed[0]:
        one = outputs(taps, how, width)
        if 4 * len(one.steps) <= _STRAIGHT_STEPS:
            return RowPlan(straight=four_channels(taps, how, width))
        return RowPlan(rest=one)
    count = min(allowed[:2], key=lambda n: (width % n, -n))
    rest = outputs(taps, how, width % count) if width % count else _NO_STEPS
    return RowPlan(block=outputs(taps, how, count), block_outputs=count, blocks=width // count, rest=rest)


def taps_of(operation: Operation) -> Taps:
    """The window as the schedule wants it."""
    window = convolution_window(operation)
    columns = window.columns
    return Taps(window.rows.taps, columns.taps, columns.stride, columns.dilation, operation.input(0).shape[3])


def columns_of(operation: Operation) -> Columns:
    """The columns that are staged."""
    window, taps = convolution_window(operation), taps_of(operation)
    needed = (window.columns.out_extent - 1) * taps.stride + taps.reach
    return Columns(window.columns.in_extent, window.columns.pad_before, (needed + 1) // 2)


def staged_bytes(operation: Operation) -> int:
    """Staged words of four channels."""
    return 16 * columns_of(operation).count * taps_of(operation).words_per_columns


def _pads_rows(window: Window) -> bool:
    return window.rows.pad_before > 0 or window.rows.pad_after > 0


class DepthwiseAsm(Kernel):
    """Any window and stride with depth multiplier 1 and at least four channels."""

    name = "depthwise_asm"
    granularities = (Granularity.ROW,)

    def supports(self, operation: Operation, board: Board) -> bool:
        """A processor with the DSP extension, one filter for each channel, offsets of 12 bits, and proven requantization."""
        channels, out_channels = operation.input(0).shape[3], operation.input(1).shape[3]
        if not board.dsp or channels != out_channels or not 4 <= channels <= _LARGEST_OFFSET // 3:
            return False
        taps = taps_of(operation)
        fits = (
            staged_bytes(operation) <= _LARGEST_SCRATCH_BYTES
            and Stream(taps.weight_words, _GENERAL).bytes <= _LARGEST_OFFSET
        )
        adjacent = taps.dilation == 1 or not taps.has_single_row
        block_reach = 4 * taps.words_per_columns * 2 * (12 * taps.stride + taps.reach)
        known = fits and adjacent and block_reach <= _LARGEST_OFFSET
        return known and scaling(depthwise_channels(operation)) is not None

    def cost(self, operation: Operation, board: Board) -> Cost:
        """Cycles of the schedules, and of the loops around them."""
        made = scaling(depthwise_channels(operation))
        assert made is not None
        taps, how = taps_of(operation), made.how
        plan = row_plan(taps, how, operation.output.shape[2])
        staged = sum(staging(taps, columns_of(operation), p).cycles + 6 for p in passes(taps))
        groups = len(group_starts(taps.channels))
        cycles = operation.rows * (groups * (staged + plan.cycles + 8) + 75)
        return Cost(cycles, taps.channels * Stream(taps.weight_words, how).bytes + 2000)

    def scratch_bytes(self, operation: Operation, board: Board) -> int:
        """Staged words, and a row of zero points that stands for rows outside of the image."""
        padded = _pads_rows(convolution_window(operation))
        _, _, width, channels = operation.input(0).shape
        return staged_bytes(operation) + ((width * channels + 3) // 4 * 4 if padded else 0)

    def lower(self, operation: Operation, board: Board, granularity: Granularity) -> KernelCode:
        """Holes of `depthwise_conv_2d/asm.c.j2`."""
        channels = depthwise_channels(operation)
        made = scaling(channels)
        assert made is not None
        order = [first + k for first in group_starts(len(channels.weights)) for k in range(4)]
        taps, how = taps_of(operation), made.how
        width = operation.output.shape[2]
        plan = row_plan(taps, how, width)
        padded = _pads_rows(convolution_window(operation))
        parameters: dict[str, Parameter] = {
            "channels": taps.channels,
            "out_width": width,
            "row_bytes": operation.input(0).shape[2] * taps.channels,
            "window_rows": taps.rows,
            "window_columns": taps.columns,
            "stride": taps.stride,
            "padded_rows": padded,
            "staged_bytes": staged_bytes(operation),
            "words": taps.words_per_columns,
            "outside": outside_steps(taps, columns_of(operation)),
            "passes": tuple(_pass_parameters(operation, index) for index in range(len(passes(taps)))),
            "weight_words": taps.weight_words,
            "resident": taps.resident,
            "constants": 1 + how.words,
            "straight": plan.straight.steps,
            "block": plan.block.steps,
            "block_outputs": plan.block_outputs,
            "blocks": plan.blocks,
            "rest": plan.rest.steps,
        }
        return KernelCode(
            template="depthwise_conv_2d/asm.c.j2",
            parameters=parameters,
            granularity=granularity,
            inputs=((0, Passing.WINDOW),),
            constants=(stream(channels, made, taps.weight_pairs, order),),
            arguments=(operation.input(0).zero_point,) if padded else (),
            scratch_bytes=self.scratch_bytes(operation, board),
        )


_GENERAL = Requantizing(0, True, -128, 127)


def _pass_parameters(operation: Operation, index: int) -> Parameter:
    """Rows of a pass, and its steps before the loop, in it (with iterations and pairs of columns) and after it."""
    taps = taps_of(operation)
    one = passes(taps)[index]
    made: Staging = staging(taps, columns_of(operation), one)
    return (one.rows, made.head.steps, made.loop.steps, made.iterations, made.loop_pairs, made.tail.steps)
