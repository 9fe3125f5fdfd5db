"""Matrix products in assembly that read vectors of int8 where they lie: no scratch, and each vector goes past all weights.

A word of the vector is extended to two pairs of taps beside the multiplications, again for each block of channels. That takes a
tenth more instructions than a staged vector, see `docs/kernels.md`.
"""

from dataclasses import replace

import numpy as np

from tinycompile.assembly.matrix_shape import vector_halves
from tinycompile.board import Board
from tinycompile.ops._conv_2d_asm import PointwiseAsm
from tinycompile.ops._fully_connected_asm import FullyConnectedAsm
from tinycompile.ops._gemm_asm import Layout, Matrix, group_parameters, stream
from tinycompile.ops._gemm_kernel import GemmAsm
from tinycompile.ops.base import Operation
from tinycompile.program import Granularity, KernelCode, Passing

_LARGEST_DEPTH = 4096
"""An offset of 12 bits reaches the last word."""


class _ReadsVectors(GemmAsm):
    """What differs from the kernels that stage pixels, of which this is mixed with one; their pixels are one run of bytes."""

    def supports(self, operation: Operation, board: Board) -> bool:
        """As all, and at least one word of taps."""
        return 4 <= self.runs(operation)[0] <= _LARGEST_DEPTH and super().supports(operation, board)

    def group(self, operation: Operation) -> int:
        """One vector after the other."""
        return 1

    def layout(self, operation: Operation, board: Board) -> Layout:
        """Blocks of one pixel."""
        return replace(super().layout(operation, board), vector_bytes=self.runs(operation)[0])

    def matrix(self, operation: Operation) -> Matrix:
        """The operation as a matrix product."""
        return Matrix(self.channels(operation), np.array(vector_halves(self.runs(operation)[0])))

    def pairs(self, operation: Operation) -> int:
        """Two for each word."""
        return 2 * -(-self.runs(operation)[0] // 4)

    def staging_cycles(self, operation: Operation) -> int:
        """None."""
        return 0

    def scratch_bytes(self, operation: Operation, board: Board) -> int:
        """None."""
        return 0

    def contiguous(
        self, operation: Operation, board: Board, granularity: Granularity, pixels: int
    ) -> KernelCode:
        """Holes of `gemm/vectors.c.j2`."""
        matrix, made, layout = self.matrix(operation), self.scaling(operation), self.layout(operation, board)
        ((_, _, blocks),) = group_parameters(matrix, made.how, layout, ((1, pixels),))
        return KernelCode(
            template="gemm/vectors.c.j2",
            parameters={
                "blocks": blocks,
                "pairs": matrix.pairs,
                "out_channels": matrix.out_channels,
                "vectors": pixels,
                "depth": self.runs(operation)[0],
            },
            granularity=granularity,
            inputs=((0, Passing.POINTER),),
            constants=(stream(matrix, made, layout),),
        )


class FullyConnectedVectorAsm(_ReadsVectors, FullyConnectedAsm):
    """Any number of units and batch; weights without a zero point."""

    basename = "fully_connected_vector_asm"


class PointwiseVectorAsm(_ReadsVectors, PointwiseAsm):
    """CONV_2D with a 1x1 window and stride 1, each pixel a vector."""

    basename = "pointwise_vector_asm"
    stages_steps = False
