"""Geometry of operators that slide a window over an image: convolution and pooling.

Source: tensorflow/lite/kernels/padding.h (`ComputeOutSize`, `ComputePaddingHeightWidth`).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

import numpy as np

from tinycompile.ir import Array, Options
from tinycompile.ops.access import Access, Pattern


class PaddingMode(Enum):
    """Padding in the .tflite schema; the value is its name there."""

    SAME = "SAME"
    VALID = "VALID"


@dataclass(frozen=True)
class Pads:
    """Rows and columns that are added around each image."""

    top: int
    bottom: int
    left: int
    right: int


@dataclass(frozen=True)
class WindowOptions:
    """How a window moves, as the file says it. `pads`, when given, takes the place of `padding` (a PAD was fused)."""

    padding: PaddingMode = PaddingMode.SAME
    stride_rows: int = 1
    stride_columns: int = 1
    dilation_rows: int = 1
    dilation_columns: int = 1
    pads: Pads | None = None

    @classmethod
    def parse(cls, options: Options) -> "WindowOptions":
        """Read the fields that Conv2DOptions, DepthwiseConv2DOptions and Pool2DOptions have in common."""
        return cls(
            padding=PaddingMode(options.get("padding", "SAME")),
            stride_rows=int(options.get("stride_h", 0)),
            stride_columns=int(options.get("stride_w", 0)),
            dilation_rows=int(options.get("dilation_h_factor", 1)),
            dilation_columns=int(options.get("dilation_w_factor", 1)),
        )

    @property
    def problem(self) -> str | None:
        """What is wrong with strides and dilations, None when all are positive."""
        steps = {
            "stride": (self.stride_rows, self.stride_columns),
            "dilation": (self.dilation_rows, self.dilation_columns),
        }
        for name, (rows, columns) in steps.items():
            if rows < 1 or columns < 1:
                return f"{name} is {rows}x{columns}"
        return None


@dataclass(frozen=True)
class WindowAxis:
    """The window along rows or columns. Output index i reads the inputs i * stride - pad_before + k * dilation, k < taps."""

    in_extent: int
    out_extent: int
    taps: int
    stride: int
    dilation: int
    pad_before: int

    @property
    def pad_after(self) -> int:
        """Positions beyond the end of the input that the last output reads, at least 0."""
        last = (self.out_extent - 1) * self.stride - self.pad_before + (self.taps - 1) * self.dilation
        return max(0, last - self.in_extent + 1)

    @property
    def is_pointwise(self) -> bool:
        """True when output i reads input i alone."""
        return (
            self.taps == 1 and self.stride == 1 and self.pad_before == 0 and self.in_extent == self.out_extent
        )

    def source(self, tap: int) -> slice:
        """Positions in the padded input that the outputs read through one tap."""
        start = tap * self.dilation
        return slice(start, start + (self.out_extent - 1) * self.stride + 1, self.stride)


@dataclass(frozen=True)
class Window:
    """The window along both axes."""

    rows: WindowAxis
    columns: WindowAxis

    @property
    def is_pointwise(self) -> bool:
        """True when each output pixel reads the input pixel at its place alone."""
        return self.rows.is_pointwise and self.columns.is_pointwise

    @property
    def access(self) -> Access:
        """Rows that an output row needs.

        A 1x1 window is no POINTWISE access: every output channel depends on all input channels of its pixel.
        """
        rows = self.rows
        return Access(Pattern.WINDOW, rows.taps, rows.stride, rows.dilation, rows.pad_before)

    def shifted_images(self, images: Array) -> Iterator[tuple[int, int, Array]]:
        """For each tap (row, column) the input value that every output reads, 0 outside of the image: [N, H', W', C]."""
        rows, columns = self.rows, self.columns
        pads = [(0, 0), (rows.pad_before, rows.pad_after), (columns.pad_before, columns.pad_after), (0, 0)]
        padded = np.pad(images, pads)
        for row in range(rows.taps):
            for column in range(columns.taps):
                yield row, column, padded[:, rows.source(row), columns.source(column), :]


def window_of(options: WindowOptions, in_shape: tuple[int, ...], taps: tuple[int, int]) -> Window:
    """Resolve padding for an NHWC input and a window of `taps` (rows, columns).

    Extents of the output may come out as 0 or less when the window is larger than the image; `infer` reports it.
    """
    pads = options.pads
    return Window(
        rows=_axis(
            options.padding,
            (pads.top, pads.bottom) if pads else None,
            in_shape[1],
            taps[0],
            options.stride_rows,
            options.dilation_rows,
        ),
        columns=_axis(
            options.padding,
            (pads.left, pads.right) if pads else None,
            in_shape[2],
            taps[1],
            options.stride_columns,
            options.dilation_columns,
        ),
    )


def _axis(
    mode: PaddingMode, pads: tuple[int, int] | None, extent: int, taps: int, stride: int, dilation: int
) -> WindowAxis:
    reach = (taps - 1) * dilation + 1
    if pads is not None:
        out_extent = (extent + sum(pads) - reach + stride) // stride
        return WindowAxis(extent, out_extent, taps, stride, dilation, pads[0])
    if mode is PaddingMode.VALID:
        return WindowAxis(extent, (extent - reach + stride) // stride, taps, stride, dilation, 0)
    out_extent = (extent + stride - 1) // stride
    total = max(0, (out_extent - 1) * stride + reach - extent)
    return WindowAxis(extent, out_extent, taps, stride, dilation, total // 2)
