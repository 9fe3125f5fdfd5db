"""How an operator's output rows depend on the rows of an input: all that the memory planner knows of a kernel.

A row is one image row of an NHWC tensor (W * C elements); a tensor of another rank is one row. Rows of a batch count on:
row r of image n has index n * H + r. Everything the planner does (ring sizes, overlap, order of rows) follows from `need`.
"""

from dataclasses import dataclass
from enum import Enum


class Pattern(Enum):
    """Kinds of dependence between an output row and the rows of one input."""

    POINTWISE = "pointwise"
    """Row r needs row r; every element depends on the elements at or before its own place in the row's pixel."""
    WINDOW = "window"
    """Row r needs a window of rows: convolution, pooling, and operators that make images larger."""
    REDUCE = "reduce"
    """The single output row takes the input rows one after the other into accumulators."""
    WHOLE = "whole"
    """Every output row may need all of the input."""


@dataclass(frozen=True)
class Access:
    """Rows of one input that an output row needs. The window fields matter for WINDOW only; sizes are in rows of one image.

    Row r of an image reads the rows (r + lead) / repeat * stride - pad_before + k * dilation, k < window_rows, with the quotient
    rounded down: `repeat` rows share a window, and of those that share the first one there are `repeat - lead`.
    """

    pattern: Pattern
    window_rows: int = 1
    stride: int = 1
    dilation: int = 1
    pad_before: int = 0
    repeat: int = 1
    lead: int = 0

    def __post_init__(self) -> None:
        assert 0 <= self.lead < self.repeat, "the first window is that of row 0"

    def need(self, out_row: int, in_rows: int, out_rows: int, images: int = 1) -> tuple[int, int]:
        """First and last input row that output row `out_row` reads; `in_rows` and `out_rows` count all images.

        Rows of a window that lie outside of the image do not count.
        """
        if self.pattern is Pattern.POINTWISE:
            row = min(out_row, in_rows - 1)
            return row, row
        if self.pattern is not Pattern.WINDOW:
            return 0, in_rows - 1
        in_height, out_height = in_rows // images, out_rows // images
        image, row = divmod(out_row, out_height)
        first = (row + self.lead) // self.repeat * self.stride - self.pad_before
        last = first + (self.window_rows - 1) * self.dilation
        base = image * in_height
        return base + min(max(first, 0), in_height - 1), base + max(min(last, in_height - 1), 0)


POINTWISE = Access(Pattern.POINTWISE)
WHOLE = Access(Pattern.WHOLE)
REDUCE = Access(Pattern.REDUCE)


def row_shape(shape: tuple[int, ...]) -> tuple[int, int]:
    """Rows of a tensor and elements of each row: N * H rows for NHWC, else one row."""
    if len(shape) == 4:
        return shape[0] * shape[1], shape[2] * shape[3]
    elements = 1
    for extent in shape:
        elements *= extent
    return 1, elements


def planar_row_bytes(shape: tuple[int, ...]) -> int:
    """Bytes of an image row of int8 as `RowFormat.PLANAR`: for each channel an int16 a column, in whole words."""
    return shape[3] * plane_bytes(shape)


def plane_bytes(shape: tuple[int, ...]) -> int:
    """Bytes of one channel of a planar row."""
    return (shape[2] + 1) // 2 * 4
