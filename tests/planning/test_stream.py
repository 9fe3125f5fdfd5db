"""Rows streaming through chains: rings and leads against closed forms."""

import pytest

from tinycompile.ops import Access, Pattern
from tinycompile.planning.liveness import KernelOption, Step, Storage, Work, live_ranges
from tinycompile.planning.rows import RowRead, RowStep
from tinycompile.planning.stream import Stream, stream
from tinycompile.program import Granularity

ROW_BYTES = 10


def reading(storage: int, access: Access, in_rows: int, out_rows: int) -> RowRead:
    """How a window moves over a storage."""
    needs = [access.need(row, in_rows, out_rows) for row in range(out_rows)]
    low = [min(first for first, _ in needs[row:]) for row in range(out_rows)]
    return RowRead(storage, in_rows, ROW_BYTES, tuple(last + 1 for _, last in needs), (*low, in_rows))


def chain(rows: list[int], accesses: list[Access]) -> Work:
    """Steps one after the other: step i reads storage i with `accesses[i]` and writes storage i + 1."""
    storages = {i: Storage(i, count * ROW_BYTES, 1, (i,)) for i, count in enumerate(rows)}
    kernels = (KernelOption("k", 0, 0, (Granularity.ROW,)),)
    steps = tuple(
        Step(
            node=i,
            reads=(i,),
            writes=(i + 1,),
            kernels=kernels,
            rows=RowStep(rows[i + 1], ROW_BYTES, (reading(i, access, rows[i], rows[i + 1]),)),
        )
        for i, access in enumerate(accesses)
    )
    return Work(steps, storages, frozenset({0}), frozenset({len(accesses)}))


def streamed(work: Work) -> Stream:
    """All steps of the work in one region."""
    found = stream(work, live_ranges(work), 0, len(work.steps) - 1)
    assert found is not None
    return found


def window(taps: int, stride: int = 1, dilation: int = 1, pad: int = 0) -> Access:
    """A window over rows."""
    return Access(Pattern.WINDOW, taps, stride, dilation, pad)


@pytest.mark.parametrize(
    ("taps", "stride", "dilation"), [(1, 1, 1), (3, 1, 1), (3, 2, 1), (2, 3, 1), (5, 1, 1), (3, 1, 2)]
)
def test_a_ring_holds_the_rows_of_the_window(taps: int, stride: int, dilation: int) -> None:
    reach = (taps - 1) * dilation + 1
    out_rows = (24 - reach) // stride + 1
    work = chain([24, 24, out_rows], [window(1), window(taps, stride, dilation)])
    assert streamed(work).ring_rows == {1: reach}


@pytest.mark.parametrize(("taps", "repeat", "lead"), [(1, 2, 0), (2, 2, 0), (2, 2, 1), (2, 3, 1), (3, 4, 2)])
def test_an_enlarged_image_needs_the_rows_of_a_window(taps: int, repeat: int, lead: int) -> None:
    """The rows after it need a window that is shared by `repeat` of them; with a lead the last one begins behind the image."""
    larger = Access(Pattern.WINDOW, taps, pad_before=taps - 1, repeat=repeat, lead=lead)
    work = chain([8, 8, 8 * repeat], [window(1), larger])
    rows = streamed(work)
    assert rows.ring_rows == {1: taps}
    (alone,) = [o for o in streamed(chain([8, 8 * repeat], [larger])).overlaps if not o.backward]
    last = 8 if lead else 7
    assert alone.lead_bytes == (8 * repeat - last + (taps - 1)) * ROW_BYTES


def test_a_short_image_is_held_whole() -> None:
    work = chain([2, 2, 2], [window(1), window(3, pad=1)])
    assert streamed(work).ring_rows == {1: 2}


def test_rings_do_not_grow_along_a_chain_with_strides() -> None:
    work = chain([33, 33, 16, 16, 7, 7], [window(1), window(3, 2), window(1), window(3, 2), window(1)])
    assert streamed(work).ring_rows == {1: 3, 2: 1, 3: 3, 4: 1}


def test_rows_that_go_straight_on_share_their_bytes() -> None:
    """Storages 1 and 3 are read at once by the step after; while one is written the other holds nothing that is needed."""
    work = chain([16] * 6, [window(1), window(1), window(3, pad=1), window(1), window(3, pad=1)])
    rows = streamed(work)
    assert rows.ring_rows == {1: 1, 2: 3, 3: 1, 4: 3}
    assert all(not {1, 3} <= held for sets in rows.live for held in sets)
    assert max(rows.live_bytes) == (3 + 3 + 1) * ROW_BYTES


@pytest.mark.parametrize(("taps", "stride", "lead_rows"), [(1, 1, 1), (3, 1, 2), (5, 1, 3), (3, 2, 1)])
def test_an_output_runs_ahead_by_the_window(taps: int, stride: int, lead_rows: int) -> None:
    """One step: row r is written while rows from r * stride - pad on are still read."""
    work = chain([16, 16 // stride], [window(taps, stride, pad=taps // 2 if stride == 1 else 0)])
    (forward,) = [overlap for overlap in streamed(work).overlaps if not overlap.backward]
    assert forward.lead_bytes == lead_rows * ROW_BYTES


def test_backward_an_output_follows_by_the_window() -> None:
    work = chain([16, 16], [window(3, pad=1)])
    (backward,) = [overlap for overlap in streamed(work).overlaps if overlap.backward]
    assert backward.lead_bytes == 2 * ROW_BYTES


def test_a_late_output_may_begin_inside_of_the_input() -> None:
    """Its first row is written when five rows of the input are done; then one row a row."""
    work = chain([16, 12, 12], [window(5), window(1)])
    (overlap,) = [o for o in streamed(work).overlaps if o.written == 2]
    assert overlap.lead_bytes == 0
    deep = chain([16, 14, 12], [window(3), window(3)])
    (overlap,) = [o for o in streamed(deep).overlaps if o.written == 2]
    assert overlap.lead_bytes == (1 - 3) * ROW_BYTES
