"""Kernels of CONV_2D in assembly that store planar rows, as a depthwise convolution wants them; see `assembly/places.py`."""

from tinycompile.assembly.places import Places
from tinycompile.assembly.strassen import CHANNELS
from tinycompile.board import Board
from tinycompile.ops._conv_2d_asm import PointwiseAsm, WindowAsm
from tinycompile.ops._conv_2d_strassen import RowsStrassen
from tinycompile.ops.access import plane_bytes
from tinycompile.ops.base import Operation
from tinycompile.program import Granularity, RowFormat

_LARGEST_OFFSET = 4095


class PointwisePlanarAsm(PointwiseAsm):
    """A 1x1 window with stride 1, a row at a time."""

    basename = "pointwise_planar_asm"
    granularities = (Granularity.ROW,)
    stages_steps = False
    writes = RowFormat.PLANAR

    def step_pixels(self, operation: Operation) -> int:
        """It computes rows only."""
        return 0


class WindowPlanarAsm(WindowAsm):
    """Any window, stride and dilation, from row pointers."""

    basename = "window_planar_asm"
    writes = RowFormat.PLANAR


class PlanarStrassen(RowsStrassen):
    """A 1x1 window with stride 1, whole groups of pixels in each row, by Strassen's product."""

    name = "strassen_planar_asm"
    granularities = (Granularity.ROW,)
    stages_steps = False
    writes = RowFormat.PLANAR

    def supports(self, operation: Operation, board: Board) -> bool:
        """As for rows, and the channels of a block are near enough for offsets of 12 bits."""
        near = CHANNELS * plane_bytes(operation.output.shape) <= _LARGEST_OFFSET
        return near and super().supports(operation, board)

    def step_pixels(self, operation: Operation) -> int:
        """It computes rows only."""
        return 0

    def places(self, operation: Operation) -> Places:
        """Where outputs are stored, as int16."""
        return Places(operation.output.shape[3], plane_bytes(operation.output.shape))
