"""Kernels of CONV_2D in assembly, for processors with SMLAD; see `_gemm_asm.py`."""

from typing import ClassVar

from tinycompile.board import Board
from tinycompile.ops._convolution import convolution_window
from tinycompile.ops._gemm_asm import Matrix, stream
from tinycompile.ops._gemm_kernel import GemmAsm
from tinycompile.ops._window_row import WindowRow
from tinycompile.ops.access import row_shape
from tinycompile.ops.base import Operation
from tinycompile.program import Granularity, KernelCode, Parameter, Passing


class PointwiseAsm(GemmAsm):
    """A 1x1 window with stride 1: the image is one long row of pixels."""

    basename = "pointwise_asm"
    granularities: ClassVar[tuple[Granularity, ...]] = (Granularity.WHOLE, Granularity.ROW)
    stages_steps = True

    def supports(self, operation: Operation, board: Board) -> bool:
        """As all, and output pixels read the pixel at their place alone."""
        one_group = operation.input(0).shape[3] == operation.input(1).shape[3]
        return one_group and convolution_window(operation).is_pointwise and super().supports(operation, board)

    def step_pixels(self, operation: Operation) -> int:
        """A group."""
        return self.group(operation)

    def runs(self, operation: Operation) -> tuple[int, int]:
        """All channels of a pixel."""
        return operation.input(0).shape[3], 1

    def lower(self, operation: Operation, board: Board, granularity: Granularity) -> KernelCode:
        """See `contiguous`."""
        rows, row_elements = row_shape(operation.output.shape)
        pixels = row_elements // operation.output.shape[3] * (rows if granularity is Granularity.WHOLE else 1)
        return self.contiguous(operation, board, granularity, pixels)


class WindowAsm(GemmAsm):
    """Any window, stride and dilation, from row pointers."""

    basename = "window_asm"
    granularities = (Granularity.ROW,)

    def supports(self, operation: Operation, board: Board) -> bool:
        """As all, one group, and more than a pixel under the window."""
        one_group = operation.input(0).shape[3] == operation.input(1).shape[3]
        pointwise = convolution_window(operation).is_pointwise
        return one_group and not pointwise and super().supports(operation, board)

    def row(self, operation: Operation) -> WindowRow:
        """What one call computes."""
        window = convolution_window(operation)
        outside = window.rows.pad_before > 0 or window.rows.pad_after > 0
        return WindowRow(window.rows.taps, window.columns, operation.input(0).shape[3], outside)

    def pixel_runs(self, operation: Operation) -> tuple[int, int]:
        """A row at a time."""
        return operation.output.shape[2], operation.rows

    def runs(self, operation: Operation) -> tuple[int, int]:
        """Each row of the window is one run."""
        row = self.row(operation)
        return row.run, row.rows

    def matrix(self, operation: Operation) -> Matrix:
        """The operation as a matrix product."""
        return Matrix(self.channels(operation), self.row(operation).halves)

    def pairs(self, operation: Operation) -> int:
        """Staged words of a pixel."""
        return self.row(operation).pairs

    def staging_cycles(self, operation: Operation) -> int:
        """Rows are staged one after the other."""
        return operation.rows * self.row(operation).staging_cycles(self.group(operation))

    def scratch_bytes(self, operation: Operation, board: Board) -> int:
        """Staged pixels, a row outside of the image, and the patch at its border."""
        return self.row(operation).scratch_bytes(self.group(operation))

    def lower(self, operation: Operation, board: Board, granularity: Granularity) -> KernelCode:
        """Holes of `gemm/window.c.j2`."""
        row, group, layout = self.row(operation), self.group(operation), self.layout(operation, board)
        matrix, made = self.matrix(operation), self.scaling(operation)
        out_channels = operation.output.shape[3]
        parameters: dict[str, Parameter] = {
            "products": row.products(matrix, made.how, layout),
            "stagings": row.stagings(group),
            "row": row.parameters(group, 1 if layout.plane_bytes else out_channels),
            "out_channels": out_channels,
            "plane_bytes": layout.plane_bytes,
        }
        return KernelCode(
            template="gemm/window.c.j2",
            parameters=parameters,
            granularity=granularity,
            inputs=((0, Passing.WINDOW),),
            constants=(stream(matrix, made, layout),),
            arguments=(operation.input(0).zero_point,),
            scratch_bytes=self.scratch_bytes(operation, board),
        )
