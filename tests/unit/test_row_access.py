"""The windows of rows that resizes have: enough for every output row, and no larger than they need be."""

import numpy as np
import pytest

from tinycompile.ops import WHOLE, Access, Pattern
from tinycompile.ops._resize import row_access


def places(in_rows: int, out_rows: int, alignment: str) -> tuple[np.ndarray, np.ndarray]:
    """Rows before and after the place of each output row, as a bilinear resize reads them."""
    index = np.arange(out_rows)
    if alignment == "corners" and out_rows > 1:
        place = index * (in_rows - 1) / (out_rows - 1)
    else:
        half = 0.5 if alignment == "half_pixels" else 0.0
        place = (index + half) * in_rows / out_rows - half
    before = np.clip(np.floor(place + 1e-9), 0, in_rows - 1).astype(np.int32)
    return before, np.clip(np.ceil(place - 1e-9), before, in_rows - 1).astype(np.int32)


@pytest.mark.parametrize("alignment", ["plain", "corners", "half_pixels"])
@pytest.mark.parametrize("in_rows", range(1, 14))
def test_every_output_row_gets_what_it_reads(in_rows: int, alignment: str) -> None:
    for out_rows in range(1, 30):
        before, after = places(in_rows, out_rows, alignment)
        access = row_access(before, after, in_rows)
        for row in range(out_rows):
            first, last = access.need(row, in_rows, out_rows)
            assert first <= before[row] and after[row] <= last


@pytest.mark.parametrize("factor", [2, 3, 4])
@pytest.mark.parametrize("in_rows", [2, 5, 8])
def test_integer_factors_share_small_windows(in_rows: int, factor: int) -> None:
    """One row where each is repeated, two where they are blended; half a pixel moves the window by half of the rows."""
    nearest = np.arange(in_rows * factor) // factor
    assert row_access(nearest, nearest, in_rows) == Access(Pattern.WINDOW, repeat=factor)
    plain = row_access(*places(in_rows, in_rows * factor, "plain"), in_rows)
    assert plain == Access(Pattern.WINDOW, 2, repeat=factor)
    middle = row_access(*places(in_rows, in_rows * factor, "half_pixels"), in_rows)
    assert middle == Access(Pattern.WINDOW, 2, 1, 1, 1, factor, lead=factor // 2)


def test_images_that_become_smaller_by_an_integer_factor_leave_rows_out() -> None:
    rows = np.arange(4) * 3
    assert row_access(rows, rows, 12) == Access(Pattern.WINDOW, stride=3)


def test_a_factor_without_a_window_of_few_rows_takes_the_whole_image() -> None:
    """Output rows would share a window only after 41 of them."""
    assert row_access(*places(40, 41, "plain"), 40) is WHOLE
