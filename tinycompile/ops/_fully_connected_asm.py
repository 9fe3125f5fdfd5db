"""FULLY_CONNECTED in assembly, for processors with SMLAD; see `_gemm_asm.py`."""

from tinycompile.board import Board
from tinycompile.ops._dsp import Channels
from tinycompile.ops._fully_connected import matrix_channels
from tinycompile.ops._gemm_kernel import SCRATCH_LIMIT_BYTES, GemmAsm
from tinycompile.ops.base import Operation
from tinycompile.program import Granularity, KernelCode


class FullyConnectedAsm(GemmAsm):
    """Any depth, number of units and batch; weights without a zero point."""

    basename = "fully_connected_asm"

    def supports(self, operation: Operation, board: Board) -> bool:
        """As all, weights are symmetric, and a staged vector fits the scratch."""
        fits = self.scratch_bytes(operation, board) <= SCRATCH_LIMIT_BYTES // 2
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
