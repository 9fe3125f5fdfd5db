"""Kernels of CONV_2D in assembly that store planar rows, as a depthwise convolution wants them; see `assembly/places.py`."""

from tinycompile.ops._conv_2d_asm import PointwiseAsm, WindowAsm
from tinycompile.ops.base import Operation
from tinycompile.program import Granularity, RowFormat


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
