"""Kernels of AVERAGE_POOL_2D and MAX_POOL_2D for processors with the DSP extension: four channels in a word or two."""

from collections.abc import Mapping
from dataclasses import replace

from tinycompile.board import Board
from tinycompile.ir import DType
from tinycompile.ops._dsp import ACTIVATION_LIMITS, DSP_RUNTIME
from tinycompile.ops._fused import clamp_bounds
from tinycompile.ops._pooling import PoolRows, pool_window
from tinycompile.ops._window import WindowAxis
from tinycompile.ops.base import Cost, Operation
from tinycompile.program import Granularity, KernelCode, Parameter

_MOST_TAPS = 256
"""So many int8 add up to an int16."""
_UNROLLED_COLUMNS = 8
"""Windows of so many columns are written out, if they lie in the image."""
_JOINED_TAPS = 16
"""Windows of so many rows and columns compare the columns that they share once."""


class _PoolDsp(PoolRows):
    """One output row of int8 from the rows of its window."""

    name = "rows_dsp"
    runtime = DSP_RUNTIME

    def supports(self, operation: Operation, board: Board) -> bool:
        """A processor with the DSP extension, int8, at least four channels."""
        return board.dsp and operation.output.dtype is DType.INT8 and operation.output.shape[3] >= 4

    def lower(self, operation: Operation, board: Board, granularity: Granularity) -> KernelCode:
        """Limits are arguments where an activation has some."""
        code = super().lower(operation, board, granularity)
        limits = clamp_bounds(operation) != ACTIVATION_LIMITS
        holes: Mapping[str, Parameter] = {**code.parameters, "limits": limits, **self.holes(operation)}
        return replace(code, parameters=holes, arguments=code.arguments if limits else ())

    def holes(self, operation: Operation) -> dict[str, Parameter]:
        """Further holes of the template."""
        return {"unrolled_columns": _UNROLLED_COLUMNS}


class AveragePoolDsp(_PoolDsp):
    """SXTAB16 adds four bytes to four int16, SMLAWB divides them."""

    def __init__(self) -> None:
        super().__init__("average_pool_2d/rows_dsp.c.j2")

    def supports(self, operation: Operation, board: Board) -> bool:
        """Also, sums of a row that fit int16."""
        return pool_window(operation).columns.taps <= _MOST_TAPS and super().supports(operation, board)

    def cost(self, operation: Operation, board: Board) -> Cost:
        """For each four channels, from measurements; a window that may leave the image asks for its count."""
        window = pool_window(operation)
        rows, columns, taps = window.rows.taps, window.columns, window.rows.taps * window.columns.taps
        if columns.taps <= _UNROLLED_COLUMNS:
            leaves = columns.pad_before > 0 or columns.pad_after > 0 or window.rows.pad_before > 0
            cycles = 22 + 6 * rows + 2 * taps + (12 if leaves else 0)
        else:
            cycles = 30 + 12 * rows + 7 * taps // 2 + (6 * rows if taps > _MOST_TAPS else 0)
        return Cost((operation.output.elements + 3) // 4 * cycles, 300)


class MaxPoolDsp(_PoolDsp):
    """SSUB8 and SEL take the greater ones of four bytes."""

    def __init__(self) -> None:
        super().__init__("max_pool_2d/rows_dsp.c.j2")

    def cost(self, operation: Operation, board: Board) -> Cost:
        """For each four channels of a row, from measurements: windows that lie in the image, and those that do not."""
        window, (_, height, width, channels) = pool_window(operation), operation.output.shape
        rows, columns = window.rows.taps, window.columns
        begin, end = _whole_windows(columns)
        outside = 20 + 5 * rows + 3 * rows * columns.taps
        new = min(columns.stride, columns.taps)
        if new < columns.taps and max(rows, columns.taps) <= _JOINED_TAPS:
            spilled = max(0, rows + columns.taps - 6)
            first = 10 + 2 * rows * (columns.taps - new)
            whole = 2.2 * rows * new + 2 * (columns.taps - 1) + 2.6 + spilled
        else:
            first = 0
            whole = 6 + 1.9 * rows * columns.taps if columns.taps <= _UNROLLED_COLUMNS else outside
        row = first + whole * (end - begin) + outside * (width - end + begin)
        return Cost(round(operation.images * height * -(-channels // 4) * row), 200)

    def holes(self, operation: Operation) -> dict[str, Parameter]:
        """Where the windows whose columns are all in the image begin and end."""
        begin, end = _whole_windows(pool_window(operation).columns)
        return {
            **super().holes(operation),
            "whole_begin": begin,
            "whole_end": end,
            "joined_taps": _JOINED_TAPS,
        }


def _whole_windows(columns: WindowAxis) -> tuple[int, int]:
    """The first output whose window lies in the image, and the first one behind it whose window does not."""
    begin = -(-columns.pad_before // columns.stride)
    end = (columns.in_extent - columns.taps + columns.pad_before) // columns.stride + 1
    begin = min(begin, columns.out_extent)
    return begin, max(begin, min(end, columns.out_extent))
