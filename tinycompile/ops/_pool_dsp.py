"""Kernels of AVERAGE_POOL_2D and MAX_POOL_2D for processors with the DSP extension: four channels in a word or two."""

from tinycompile.board import Board
from tinycompile.ir import DType
from tinycompile.ops._dsp import DSP_RUNTIME
from tinycompile.ops._pooling import PoolRows, pool_window
from tinycompile.ops.base import Cost, Operation

_MOST_TAPS = 256
"""So many int8 add up to an int16."""


class _PoolDsp(PoolRows):
    """One output row of int8 from the rows of its window."""

    name = "rows_dsp"
    runtime = DSP_RUNTIME

    def supports(self, operation: Operation, board: Board) -> bool:
        """A processor with the DSP extension, int8, at least four channels."""
        return board.dsp and operation.output.dtype is DType.INT8 and operation.output.shape[3] >= 4


class AveragePoolDsp(_PoolDsp):
    """SXTAB16 adds four bytes to four int16."""

    def __init__(self) -> None:
        super().__init__("average_pool_2d/rows_dsp.c.j2")

    def supports(self, operation: Operation, board: Board) -> bool:
        """Also, sums that fit int16."""
        window = pool_window(operation)
        return window.rows.taps * window.columns.taps <= _MOST_TAPS and super().supports(operation, board)

    def cost(self, operation: Operation, board: Board) -> Cost:
        """For each four channels a load and two additions for each tap, a loop over the rows, four divisions."""
        window, elements = pool_window(operation), operation.output.elements
        taps = window.rows.taps * window.columns.taps
        return Cost((elements + 3) // 4 * (50 + 7 * window.rows.taps + taps * 9 // 4), 300)


class MaxPoolDsp(_PoolDsp):
    """SSUB8 and SEL take the greater ones of four bytes."""

    def __init__(self) -> None:
        super().__init__("max_pool_2d/rows_dsp.c.j2")

    def cost(self, operation: Operation, board: Board) -> Cost:
        """For each four channels a load and two instructions for each tap, and a loop over the rows."""
        window, elements = pool_window(operation), operation.output.elements
        taps = window.rows.taps * window.columns.taps
        return Cost((elements + 3) // 4 * (12 + 7 * window.rows.taps + taps * 3), 200)
