"""Kernel of DEPTHWISE_CONV_2D in assembly that reads planar rows in a fused region; see `assembly/depthwise_planar.py`."""

from tinycompile.assembly.depthwise_planar import Frame, row_plan
from tinycompile.assembly.depthwise_taps import Stream
from tinycompile.assembly.planar_windows import PlanarRow
from tinycompile.assembly.requantizing import Requantizing
from tinycompile.board import Board
from tinycompile.ops._asm_scaling import Scaling, scaling
from tinycompile.ops._convolution import convolution_window
from tinycompile.ops._depthwise_dsp import depthwise_channels
from tinycompile.ops._depthwise_stream import channel_records
from tinycompile.ops.access import plane_bytes
from tinycompile.ops.base import Cost, Kernel, Operation
from tinycompile.program import Granularity, KernelCode, Parameter, Passing, RowFormat

_LARGEST_OFFSET = 4095
_ROW_CYCLES = 90
_GENERAL = Requantizing(0, True, -128, 127)
_CODE_BYTES_PER_STEP = 3.9


class DepthwisePlanarAsm(Kernel):
    """Any window without dilated columns, depth multiplier 1, from rows that the layer before has stored channel by channel."""

    name = "depthwise_planar_asm"
    granularities = (Granularity.ROW,)
    reads = RowFormat.PLANAR

    def supports(self, operation: Operation, board: Board) -> bool:
        """A processor with the DSP extension, one filter for each channel, offsets of 12 bits, and proven requantization."""
        channels, out_channels = operation.input(0).shape[3], operation.input(1).shape[3]
        if not board.dsp or channels != out_channels or channels > _LARGEST_OFFSET:
            return False
        row = _row(operation)
        near = plane_bytes(operation.input(0).shape) <= _LARGEST_OFFSET
        fits = near and Stream(row.weight_words, _GENERAL).bytes <= _LARGEST_OFFSET
        one_step = convolution_window(operation).columns.dilation == 1
        return fits and one_step and scaling(depthwise_channels(operation)) is not None

    def cost(self, operation: Operation, board: Board) -> Cost:
        """Cycles of the schedules, and of the loops around them."""
        row, how = _row(operation), _scaling(operation).how
        plan = row_plan(row, how)
        around = 3 * row.rows
        cycles = operation.rows * (row.channels * (plan.cycles + around) + _ROW_CYCLES)
        code = _CODE_BYTES_PER_STEP * (plan.steps + 9 * row.rows + 30) + 100
        return Cost(cycles, row.channels * Stream(row.weight_words, how).bytes + int(code))

    def scratch_bytes(self, operation: Operation, board: Board) -> int:
        """One channel of a row outside of the image."""
        return plane_bytes(operation.input(0).shape) if _pads_rows(operation) else 0

    def lower(self, operation: Operation, board: Board, granularity: Granularity) -> KernelCode:
        """Holes of `depthwise_conv_2d/planar.c.j2`."""
        row, made = _row(operation), _scaling(operation)
        plan, frame = row_plan(row, made.how), Frame(row.rows)
        parameters: dict[str, Parameter] = {
            "channels": row.channels,
            "in_width": row.width,
            "out_width": row.out_width,
            "window_rows": row.rows,
            "window_columns": row.columns,
            "stride": row.stride,
            "plane_bytes": plane_bytes(operation.input(0).shape),
            "channel_bytes": Stream(row.weight_words, made.how).bytes,
            "padded_rows": _pads_rows(operation),
            "frame": (frame.outside, frame.end, frame.blocks, frame.bytes),
            "head": plan.head,
            "loop": plan.loop,
            "loop_outputs": plan.loop_outputs,
            "iterations": plan.iterations,
            "tail": plan.tail,
            "moved": plan.moved,
        }
        return KernelCode(
            template="depthwise_conv_2d/planar.c.j2",
            parameters=parameters,
            granularity=granularity,
            inputs=((0, Passing.WINDOW),),
            constants=(channel_records(depthwise_channels(operation), made, row.weight_pairs),),
            arguments=(operation.input(0).zero_point,),
            scratch_bytes=self.scratch_bytes(operation, board),
        )


def _row(operation: Operation) -> PlanarRow:
    window = convolution_window(operation)
    columns, channels = window.columns, operation.input(0).shape[3]
    return PlanarRow(
        window.rows.taps,
        columns.taps,
        columns.stride,
        columns.pad_before,
        columns.in_extent,
        columns.out_extent,
        channels,
    )


def _pads_rows(operation: Operation) -> bool:
    rows = convolution_window(operation).rows
    return rows.pad_before > 0 or rows.pad_after > 0


def _scaling(operation: Operation) -> Scaling:
    made = scaling(depthwise_channels(operation))
    assert made is not None, "`supports` has asked for it"
    return made
