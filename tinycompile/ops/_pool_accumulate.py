"""A pooling kernel that takes in one input row at a time, so that pooling over all rows can end a fused region."""

from tinycompile.board import Board
from tinycompile.ops._fused import clamp_bounds
from tinycompile.ops._limits import QUANTIZED
from tinycompile.ops._pooling import pool_window
from tinycompile.ops.base import Cost, Kernel, Operation
from tinycompile.program import Granularity, KernelCode, Passing

_UNROLLED_COLUMNS = 8


class AveragePoolAccumulate(Kernel):
    """Averages over all rows of an image: sums of every output element stay in scratch from row to row."""

    name = "accumulate"
    granularities = (Granularity.ACCUMULATE,)

    def supports(self, operation: Operation, board: Board) -> bool:
        """Quantized, one image, and a window that reaches from the first row to the last."""
        rows, shape = pool_window(operation).rows, operation.input(0).shape
        covers = rows.pad_before == 0 and rows.out_extent == 1 and rows.taps == shape[1]
        return operation.output.dtype in QUANTIZED and shape[0] == 1 and covers

    def cost(self, operation: Operation, board: Board) -> Cost:
        """A loop over the pixels of a row, or few of them without one; sums go to memory and back once for each row."""
        window = pool_window(operation)
        columns = window.columns.taps
        row = 8 + 7 * columns // 5 if _is_unrolled(operation) else 6 + 4 * columns
        return Cost(operation.output.elements * (20 + window.rows.taps * row), 200)

    def scratch_bytes(self, operation: Operation, board: Board) -> int:
        """An int32 for each output element."""
        return 4 * operation.output.elements

    def lower(self, operation: Operation, board: Board, granularity: Granularity) -> KernelCode:
        """Holes of `average_pool_2d/accumulate.c.j2`."""
        window = pool_window(operation)
        columns = window.columns
        low, high = clamp_bounds(operation)
        return KernelCode(
            template="average_pool_2d/accumulate.c.j2",
            parameters={
                "c_type": operation.output.dtype.c_type,
                "channels": operation.output.shape[3],
                "in_rows": window.rows.in_extent,
                "in_width": columns.in_extent,
                "out_width": columns.out_extent,
                "window_columns": columns.taps,
                "unrolled": _is_unrolled(operation),
                "stride": columns.stride,
                "pad_left": columns.pad_before,
                "padded": columns.pad_before > 0 or columns.pad_after > 0,
            },
            granularity=granularity,
            inputs=((0, Passing.POINTER),),
            arguments=(int(low), int(high)),
            takes_row=True,
            scratch_bytes=self.scratch_bytes(operation, board),
            runtime=("tc_requantize.h",),
        )


def _is_unrolled(operation: Operation) -> bool:
    """True when all windows are whole, and of few columns."""
    columns = pool_window(operation).columns
    return columns.pad_before == columns.pad_after == 0 and columns.taps <= _UNROLLED_COLUMNS
