"""A kernel for convolutions with a single output column, as streaming models have them: the window is a few contiguous rows."""

import numpy as np

from tinycompile.board import Board
from tinycompile.ops._conv_2d_dsp import convolution_channels
from tinycompile.ops._convolution import convolution_window
from tinycompile.ops._dsp import DSP_RUNTIME, by_pairs, joined_words, may_pair, paired_halves, scaling_of
from tinycompile.ops._vector_dsp import vector_cost
from tinycompile.ops.base import Cost, Kernel, Operation
from tinycompile.program import Constant, Granularity, KernelCode, Passing

CALL_CYCLES = 45
"""Calling the dot product for one row and one block of channels, and adding its sums."""


class RowsVectorDsp(Kernel):
    """CONV_2D from row pointers, each row of the window a vector: nothing is copied together, no scratch."""

    name = "rows_vector_dsp"
    granularities = (Granularity.ROW,)

    def supports(self, operation: Operation, board: Board) -> bool:
        """A processor with the DSP extension, one group, one output column, no padding, no gaps between columns."""
        window, one_group = convolution_window(operation), _row_elements(operation)[1]
        padding = (
            window.rows.pad_before,
            window.rows.pad_after,
            window.columns.pad_before,
            window.columns.pad_after,
        )
        contiguous = window.columns.dilation == 1 or window.columns.taps == 1
        return board.dsp and one_group and window.columns.out_extent == 1 and not any(padding) and contiguous

    def cost(self, operation: Operation, board: Board) -> Cost:
        """See `vector_cost`."""
        (channels, rows, *_), (run, _) = operation.input(1).shape, _row_elements(operation)
        pixels = operation.output.elements // channels
        cost = vector_cost(pixels, rows * run, channels)
        return Cost(cost.cycles + pixels * rows * -(-channels // 8) * CALL_CYCLES, cost.flash_bytes)

    def lower(self, operation: Operation, board: Board, granularity: Granularity) -> KernelCode:
        """Holes of `conv_2d/rows_vector_dsp.c.j2`."""
        (channels, rows, *_), (run, _) = operation.input(1).shape, _row_elements(operation)
        made = convolution_channels(operation)
        paired, scaling = may_pair(made.weights), scaling_of(made)
        width = 8 if paired else 6  # a further register is needed to unpack words that are not paired
        taken = by_pairs(made.weights, paired_halves(run, rows))
        blocks = [joined_words(taken[first : first + width], paired).T for first in range(0, channels, width)]
        words = np.concatenate([block.reshape(-1) for block in blocks])
        return KernelCode(
            template="conv_2d/rows_vector_dsp.c.j2",
            parameters={
                "width": width,
                "paired": paired,
                "mode": scaling.mode,
                "low": scaling.low,
                "high": scaling.high,
                "window_rows": rows,
                "run": run,
                "out_channels": channels,
            },
            granularity=granularity,
            inputs=((0, Passing.WINDOW),),
            constants=(
                Constant("weights", words, "two channels a word, blocks of channels, row by row", align=8),
                Constant("channels", scaling.channels, "constants of requantization", align=8),
            ),
            runtime=DSP_RUNTIME,
        )


def _row_elements(operation: Operation) -> tuple[int, bool]:
    """Elements of a row of the window, and whether there is one group."""
    _, _, columns, depth = operation.input(1).shape
    return columns * depth, operation.input(0).shape[3] == depth
