"""Regions: an interval dynamic program over the order of steps.

A segment is an interval of steps that run together: one step that computes all at once, one that goes row by row (its output may
then run ahead over a dying input), or several through which rows stream. Its cost is what must be in the arena while it
runs. Of all partitions into segments the one with the least peak is taken, and of those the one with the least effort:
fewest steps in fused regions, then fewest steps that go row by row though they need not, then fewest regions.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from tinycompile.planning.liveness import LiveRange, Overlap, Work, live_ranges, usable_overlaps
from tinycompile.planning.stream import Stream, stream

MAX_LENGTH = 48
Effort = tuple[int, int, int]


@dataclass(frozen=True)
class Freedom:
    """What the partition may do to save memory at the price of time."""

    fuse: bool
    """Stream rows through several steps."""
    split: bool
    """Call a kernel row by row that could compute all at once, so that its output may overlap its input."""


@dataclass(frozen=True)
class Segment:
    """Steps `first` to `last` run together; `stream` is None for one step that computes all at once.

    `cost_bytes` counts every byte that must be in the arena meanwhile, without alignment.
    """

    first: int
    last: int
    cost_bytes: int
    effort: Effort
    overlaps: tuple[Overlap, ...]
    stream: Stream | None = None


@dataclass(frozen=True)
class Partition:
    """Segments in order; `peak_bytes` is the greatest cost, the least that this order and freedom allow."""

    segments: tuple[Segment, ...]
    peak_bytes: int


def partition(work: Work, freedom: Freedom) -> Partition:
    """Cut the order of steps into segments with the least peak, then the least effort."""
    ranges = live_ranges(work)
    ending_at = _segments(work, ranges, freedom)
    peak = [0]
    for segments in ending_at:
        peak.append(min(max(peak[s.first], s.cost_bytes) for s in segments))

    best: list[tuple[Effort, Segment | None] | None] = [((0, 0, 0), None)]
    for segments in ending_at:
        options: list[tuple[Effort, Segment | None]] = []
        for segment in segments:
            before = best[segment.first]
            if before is not None and segment.cost_bytes <= peak[-1]:
                options.append((_sum(before[0], segment.effort), segment))
        best.append(min(options, key=lambda option: option[0]) if options else None)
    return Partition(_path(best), peak[-1])


def _path(best: list[tuple[Effort, Segment | None] | None]) -> tuple[Segment, ...]:
    found: list[Segment] = []
    position = len(best) - 1
    while position:
        entry = best[position]
        assert entry is not None and entry[1] is not None
        found.append(entry[1])
        position = entry[1].first
    return tuple(reversed(found))


def _segments(work: Work, ranges: Mapping[int, LiveRange], freedom: Freedom) -> list[list[Segment]]:
    """All segments by their last step. A stream that already needs more than the whole work without fusing is not made longer."""
    ending_at: list[list[Segment]] = [list(_single(work, ranges, i, freedom)) for i in range(len(work.steps))]
    if not freedom.fuse:
        return ending_at
    unfused = max((min(s.cost_bytes for s in segments) for segments in ending_at), default=0)
    for first in range(len(work.steps)):
        for last in range(first + 1, min(first + MAX_LENGTH, len(work.steps))):
            rows = stream(work, ranges, first, last)
            if rows is None or rows.ring_bytes > unfused:
                break
            effort = (last - first + 1, 0, 1)
            cost = _cost(work, ranges, first, last, rows)
            ending_at[last].append(Segment(first, last, cost, effort, rows.overlaps, rows))
    return ending_at


def _single(work: Work, ranges: Mapping[int, LiveRange], index: int, freedom: Freedom) -> Iterator[Segment]:
    """One step: all at once, and row by row where that may save memory."""
    overlaps = usable_overlaps(work, ranges, index)
    rows = work.steps[index].rows
    if rows is None or not rows.rows_only:
        cost = _live_bytes(work, ranges, index, index) + work.steps[index].scratch_bytes
        yield Segment(index, index, cost - _saving(work, overlaps), (0, 0, 1), overlaps)
    if rows is not None and (rows.rows_only or freedom.split):
        found = stream(work, ranges, index, index)
        assert found is not None
        effort = (0, 0 if rows.rows_only else 1, 1)
        cost = _cost(work, ranges, index, index, found)
        yield Segment(index, index, cost, effort, found.overlaps, found)


def _cost(work: Work, ranges: Mapping[int, LiveRange], first: int, last: int, rows: Stream) -> int:
    """Bytes live through a stream: storages, rings instead of inner ones, and the largest scratch."""
    inner = sum(work.storages[storage].bytes for storage in rows.ring_rows)
    scratch = max(step.scratch_bytes for step in work.steps[first : last + 1])
    live = _live_bytes(work, ranges, first, last) - inner + rows.ring_bytes
    return live + scratch - _saving(work, rows.overlaps)


def _live_bytes(work: Work, ranges: Mapping[int, LiveRange], first: int, last: int) -> int:
    return sum(
        work.storages[storage].bytes
        for storage, life in ranges.items()
        if life.first <= last and life.last >= first
    )


def _saving(work: Work, overlaps: tuple[Overlap, ...]) -> int:
    """Bytes that the best single overlap saves."""
    best = 0
    for overlap in overlaps:
        read, written = work.storages[overlap.read].bytes, work.storages[overlap.written].bytes
        best = max(best, read + written - overlap.joint_bytes(read, written))
    return best


def _sum(a: Effort, b: Effort) -> Effort:
    return (a[0] + b[0], a[1] + b[1], a[2] + b[2])
