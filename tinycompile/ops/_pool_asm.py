"""Kernels of AVERAGE_POOL_2D and MAX_POOL_2D in assembly: small windows of int8, four channels along the row."""

from abc import abstractmethod
from functools import cache

from tinycompile.assembly.along_row import RowSteps
from tinycompile.assembly.pool_folds import MEAN_OFFSET, Fold, Maxima, Sums
from tinycompile.assembly.pooling import RowShape, pooled_row
from tinycompile.board import Board
from tinycompile.ir import DType
from tinycompile.ops._fused import clamp_bounds
from tinycompile.ops._pooling import pool_window
from tinycompile.ops._window import Window
from tinycompile.ops.base import Cost, Kernel, Operation
from tinycompile.program import Granularity, KernelCode, Parameter, Passing

_MOST_COLUMNS = 8
"""Windows of more columns would be long code."""
_CHANNELS_CYCLES, _CALL_CYCLES = 3, 31
"""Of four channels for setting pointers back, and of a call."""
_STEP_BYTES, _CALL_BYTES = 3.7, 150
"""Of an instruction, and of what a function has beside them."""


class _PoolAsm(Kernel):
    """One output row of int8 from the rows of its window."""

    name = "rows_asm"
    granularities = (Granularity.ROW,)
    fold: type[Fold]

    def supports(self, operation: Operation, board: Board) -> bool:
        """DSP extension, unaligned words, int8, at least four channels, a window whose parts fit registers."""
        usable = board.dsp and board.unaligned_access and not board.is_host
        if not usable or operation.output.dtype is not DType.INT8 or operation.output.shape[3] < 4:
            return False
        window = pool_window(operation)
        shape = _row_shape(window, window.rows.taps, operation.output.shape[3])
        return window.columns.taps <= _MOST_COLUMNS and self.fold.fits(shape.rows, shape.slots)

    def cost(self, operation: Operation, board: Board) -> Cost:
        """The cycles of the schedules, for each number of rows in the image."""
        groups, cycles, steps = -(-operation.output.shape[3] // 4), 0, 0
        counts = self._row_counts(pool_window(operation))
        for rows in sorted(set(counts)):
            row = self._row(operation, rows)
            cycles += counts.count(rows) * (groups * (row.cycles + _CHANNELS_CYCLES) + _CALL_CYCLES)
            steps += row.count
        flash_bytes = steps * _STEP_BYTES + len(set(counts)) * _CALL_BYTES
        return Cost(operation.images * cycles, round(flash_bytes))

    def lower(self, operation: Operation, board: Board, granularity: Granularity) -> KernelCode:
        """Holes of `pooling/rows_asm.c.j2`; limits are arguments where an activation has some."""
        window, shape = pool_window(operation), operation.output.shape
        rows, columns = window.rows, window.columns
        low, high = (int(bound) for bound in clamp_bounds(operation))
        limits = any(_bounds(operation))
        variants = tuple(self._variant(operation, count) for count in sorted(set(self._row_counts(window))))
        return KernelCode(
            template="pooling/rows_asm.c.j2",
            parameters={
                "kind": operation.node.kind,
                "source": "AveragePool" if self.fold is Sums else "MaxPool",
                "variants": variants,
                "mean_offset": MEAN_OFFSET if self.fold is Sums else 0,
                "channels": shape[3],
                "in_width": columns.in_extent,
                "out_width": columns.out_extent,
                "window_rows": rows.taps,
                "window_columns": columns.taps,
                "rows_padded": rows.pad_before > 0 or rows.pad_after > 0,
                "limits": limits,
            },
            granularity=granularity,
            inputs=((0, Passing.WINDOW),),
            arguments=(low, high) if limits else (),
        )

    @abstractmethod
    def _row_counts(self, window: Window) -> list[int]:
        """For each output row of an image, the rows that it takes in."""

    def _row(self, operation: Operation, rows: int) -> RowSteps:
        shape = _row_shape(pool_window(operation), rows, operation.output.shape[3])
        return _made(self.fold, shape, _bounds(operation))

    def _variant(self, operation: Operation, rows: int) -> Parameter:
        """What a function for so many rows is printed from."""
        row = self._row(operation, rows)
        return (
            ("rows", rows),
            ("offset", Sums.offset_register(rows) if self.fold is Sums else 0),
            *row.holes,
        )


class AveragePoolAsm(_PoolAsm):
    """Sums of int16; rows outside of the image do not count, so a function for each number of rows inside."""

    fold = Sums

    def _row_counts(self, window: Window) -> list[int]:
        rows = window.rows
        starts = (y * rows.stride - rows.pad_before for y in range(rows.out_extent))
        return [min(start + rows.taps, rows.in_extent) - max(start, 0) for start in starts]


class MaxPoolAsm(_PoolAsm):
    """Greatest bytes; a row outside of the image is replaced by one inside."""

    fold = Maxima

    def _row_counts(self, window: Window) -> list[int]:
        return [window.rows.taps] * window.rows.out_extent


def _row_shape(window: Window, rows: int, channels: int) -> RowShape:
    columns = window.columns
    return RowShape(
        rows,
        columns.taps,
        columns.stride,
        columns.pad_before,
        columns.in_extent,
        columns.out_extent,
        channels,
    )


def _bounds(operation: Operation) -> tuple[bool, bool]:
    """Whether the activation has a least and a greatest output of its own."""
    low, high = clamp_bounds(operation)
    return low > -128, high < 127


@cache
def _made(fold: type[Fold], shape: RowShape, bounds: tuple[bool, bool]) -> RowSteps:
    return pooled_row(shape, fold(shape.rows, shape.slots, bounds))
