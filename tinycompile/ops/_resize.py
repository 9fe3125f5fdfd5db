"""What RESIZE_NEAREST_NEIGHBOR and RESIZE_BILINEAR share: options, limits, shapes, rows."""

from abc import abstractmethod
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from tinycompile.ir import Array, Attributes, Options
from tinycompile.ops._limits import constant_integers
from tinycompile.ops.access import WHOLE, Access, Pattern
from tinycompile.ops.base import Operation, Operator
from tinycompile.program import Parameter, Passing

_LARGEST_WINDOW, _LARGEST_REPEAT = 8, 32
"""Rows of a window, and output rows that share one; what needs more takes all of the image."""


@dataclass(frozen=True)
class ResizeAttributes(Attributes):
    """Options of a resize."""

    align_corners: bool = False
    half_pixel_centers: bool = False


def has_positive_size(operation: Operation) -> str | None:
    """The size has two positive elements, rows and columns."""
    size = constant_integers(operation, 1)
    return None if size is None or (len(size) == 2 and min(size) > 0) else f"size {size}"


def has_one_alignment(operation: Operation) -> str | None:
    """Not both of align_corners and half_pixel_centers are set."""
    found = attributes_of(operation)
    return "both are set" if found.align_corners and found.half_pixel_centers else None


class Resize(Operator):
    """Base of the two operators."""

    min_inputs = 2

    def parse(self, options: Options) -> ResizeAttributes:
        """Read the fields that the two option tables share."""
        return ResizeAttributes(
            bool(options.get("align_corners", False)), bool(options.get("half_pixel_centers", False))
        )

    def infer(self, operation: Operation) -> tuple[tuple[int, ...], ...]:
        """[N, H, W, C] gives [N, rows, columns, C]."""
        images, _, _, channels = operation.input(0).shape
        rows, columns = (int(extent) for extent in operation.input(1).values.reshape(-1))
        return ((images, rows, columns, channels),)

    def access(self, operation: Operation, index: int) -> Access:
        """Rows near the same relative place."""
        return row_access(*self.rows_read(operation), operation.input(0).shape[1]) if index == 0 else WHOLE

    @abstractmethod
    def rows_read(self, operation: Operation) -> tuple[Array, Array]:
        """For each output row of an image the first and the last input row."""


def row_access(first: Array, last: Array, in_rows: int) -> Access:
    """The window of rows that goes along the image as the output's rows do, from the rows that each of them reads.

    All of the image where no window of few rows is all needed, as with most factors that are no integers.
    """
    out_rows = len(first)
    ratios = {Fraction(in_rows, out_rows), Fraction(max(in_rows - 1, 1), max(out_rows - 1, 1))}
    tried = [
        _access(first, last, ratio, lead)
        for ratio in sorted(ratios)
        if ratio.denominator <= _LARGEST_REPEAT
        for lead in range(ratio.denominator)
    ]
    few = [access for access in tried if access.window_rows <= _LARGEST_WINDOW]
    smallest = min(few, key=lambda access: (access.window_rows, access.repeat), default=WHOLE)
    return smallest if smallest is WHOLE or _is_needed(smallest, first, last, in_rows) else WHOLE


def _access(first: Array, last: Array, ratio: Fraction, lead: int) -> Access:
    """The window whose first row advances by `ratio` rows."""
    starts = (np.arange(len(first)) + lead) // ratio.denominator * ratio.numerator
    pad = int((starts - first).max())
    window_rows = int((last - starts).max()) + pad + 1
    return Access(Pattern.WINDOW, window_rows, ratio.numerator, 1, pad, ratio.denominator, lead)


def _is_needed(access: Access, first: Array, last: Array, in_rows: int) -> bool:
    """True when the output rows that share a window read all of it."""
    out_rows = len(first)
    for start in range(-access.lead % access.repeat, out_rows - access.repeat + 1, access.repeat):
        of_window = slice(start, start + access.repeat)
        wanted = access.need(start, in_rows, out_rows)
        if (int(first[of_window].min()), int(last[of_window].max())) != wanted:
            return False
    return True


@dataclass(frozen=True, eq=False)
class RowPointers:
    """How a kernel that makes an output row finds the rows of the image that it reads.

    It gets a window, else the whole image, and in `tables` an index for each output row of an image: of a pointer in the window,
    or of a row in the image.
    """

    passing: Passing
    tables: tuple[Array, ...]
    holes: dict[str, Parameter]


def row_pointers(operation: Operation, access: Access, *places: Array) -> RowPointers:
    """The pointers of a kernel that reads the rows `places` of an image, each int [output rows]."""
    images, height, width, channels = operation.input(0).shape
    is_window = access.pattern is Pattern.WINDOW
    rows = np.arange(operation.output.shape[1])
    starts = (
        (rows + access.lead) // access.repeat * access.stride - access.pad_before if is_window else 0 * rows
    )
    tables = tuple((place - starts).astype(np.int32) for place in places)
    holes: dict[str, Parameter] = {
        "images": images,
        "height": height,
        "width": width,
        "channels": channels,
        "out_height": operation.output.shape[1],
        "out_width": operation.output.shape[2],
        "is_window": is_window,
        "c_type": operation.output.dtype.c_type,
    }
    return RowPointers(Passing.WINDOW if is_window else Passing.POINTER, tables, holes)


def attributes_of(operation: Operation) -> ResizeAttributes:
    """The options."""
    assert isinstance(operation.node.attributes, ResizeAttributes)
    return operation.node.attributes
