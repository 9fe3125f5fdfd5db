"""Regions: an interval dynamic program over the order of steps.

Every partition of the order into segments has a peak and an effort (extra cycles first). Which one is taken depends on what
memory may cost: the least peak within an allowance of extra cycles, the best exchange of memory for time, or the least effort
within a limit of bytes. Of the partitions with the same peak the one with the least effort is taken.
"""

from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from math import inf

from tinycompile.planning.liveness import Work, live_ranges
from tinycompile.planning.segments import (
    STREAM_CALL_CYCLES,
    Effort,
    Segment,
    linked_segments,
    single_segments,
    stream_segments,
)
from tinycompile.planning.stream import stream

SHORT_LENGTHS = (3, 6, 12)
MAX_LENGTH = 48
"""Lengths of streams: shorter ones first give a bound that makes the search for longer ones fast."""
LENGTH_OF_LITTLE_TIME = 16
"""The longest stream for allowances below the usual one: calls row by row use those up before more operators save memory."""
USUAL_ALLOWANCE = 0.05
"""The exchange pays hardly more than the peak that this allowance gives; longer streams are searched up to there."""

LIMIT_ALLOWANCES = (0.0, 0.01, 0.05, 0.2, inf)
"""Extra cycles within which a plan under a limit is searched, one after the other: few take less time to search."""

Segments = Sequence[Sequence[Segment]]
"""Segments by their last step."""


@dataclass(frozen=True)
class Partition:
    """Segments in order; `peak_bytes` is the greatest cost of one of them."""

    segments: tuple[Segment, ...]
    peak_bytes: int
    extra_cycles: int
    least: "LeastPeak | None" = None
    """What is proved of all partitions, None when they were not searched for their least peak."""


@dataclass(frozen=True)
class LeastPeak:
    """No partition has a lower peak, as long as its extra cycles are within the allowance (a part of the kernels' own).

    None whose regions have at most `length` operators, that is.
    """

    bytes: int
    allowance: float
    length: int = MAX_LENGTH


def partition(work: Work, cycles: int, allowance: float | None) -> Partition:
    """Cut the order of steps into segments.

    `cycles` are those of the chosen kernels. With an `allowance` (a part of the cycles) the least peak within it is taken; with
    None the least product of peak and cycles: a percent of time is worth a percent of memory. Planar rows take more memory and
    less time: they are used where they fit into the peak that is best without them.
    """
    found = _usable(work, cycles, allowance)
    segments = found.plain
    if allowance is not None:
        peak = _least_peak(segments, allowance * cycles)
    else:
        peak = _best_exchange(segments, cycles)
    best = _fastest(found.all, peak)
    assert best is not None
    if allowance is None:
        return replace(best, least=LeastPeak(_least_peak(segments, inf), inf))
    return replace(best, least=LeastPeak(peak, allowance, _longest(allowance)))


def usable_segments(work: Work, cycles: int, allowance: float | None) -> Segments:
    """The segments that `partition` chooses from, without planar rows."""
    return _usable(work, cycles, allowance).plain


def _usable(work: Work, cycles: int, allowance: float | None) -> "_Found":
    if allowance is None:
        return _segments(work, inf, lambda found: _least_peak(found, USUAL_ALLOWANCE * cycles))
    within = allowance * cycles
    return _segments(work, within, lambda found: _least_peak(found, within), _longest(allowance))


def _longest(allowance: float) -> int:
    """Steps of the longest stream that is searched."""
    return LENGTH_OF_LITTLE_TIME if 0 < allowance < USUAL_ALLOWANCE else MAX_LENGTH


def partition_within(work: Work, cycles: int, limit_bytes: int) -> Partition | None:
    """The partition of least effort whose peak is at most `limit_bytes`, None when there is none."""
    for allowance in LIMIT_ALLOWANCES:
        segments = _segments(work, allowance * cycles, lambda found: limit_bytes).all
        best = _fastest(segments, limit_bytes)
        # All segments of a partition within the allowance are within it too: nothing better was left out.
        if best is not None and best.extra_cycles <= allowance * cycles:
            return _smallest(segments, best, cycles)
    return None


def _smallest(segments: Segments, fastest: Partition, cycles: int) -> Partition:
    """Of the partitions that take no more cycles one with the least peak."""
    peak = _least_peak(segments, fastest.extra_cycles)
    best = _fastest(segments, peak)
    assert best is not None
    return replace(best, least=LeastPeak(peak, fastest.extra_cycles / cycles))


class Frontier:
    """All partitions of an order, to choose from several times. Peaks above the one that costs no cycles are of no use."""

    def __init__(self, work: Work, cycles: int) -> None:
        self._cycles = cycles
        self._segments = _segments(work, inf, lambda found: _least_peak(found, 0)).all

    def fastest(self, limit_bytes: int) -> Partition | None:
        """As `partition_within`."""
        best = _fastest(self._segments, limit_bytes)
        return best and _smallest(self._segments, best, self._cycles)

    def partitions(self, ratio: float) -> list[Partition]:
        """Those than which none has both a lower peak and less effort, the fastest first.

        Of neighbours whose peaks differ by less than the factor `ratio` not all are given.
        """
        peaks = _peaks(self._segments) or [0]
        start = bisect_left(peaks, True, key=lambda peak: _fastest(self._segments, peak) is not None)
        found: list[Partition] = []

        @cache
        def fastest(index: int) -> Partition:
            best = _fastest(self._segments, peaks[index])
            assert best is not None
            found.append(best)
            return best

        spans = [(start, len(peaks) - 1)]
        while spans:
            low, high = spans.pop()
            saves_time = fastest(low).extra_cycles > fastest(high).extra_cycles
            if high - low > 1 and saves_time and fastest(high).peak_bytes > fastest(low).peak_bytes * ratio:
                middle = (low + high) // 2
                spans += [(low, middle), (middle, high)]
        return [_smallest(self._segments, parts, self._cycles) for parts in _not_dominated(found)]


def _not_dominated(partitions: Sequence[Partition]) -> list[Partition]:
    kept: list[Partition] = []
    for parts in sorted(partitions, key=lambda parts: (parts.extra_cycles, parts.peak_bytes)):
        if not kept or parts.peak_bytes < kept[-1].peak_bytes:
            kept.append(parts)
    return kept


def _fastest(segments: Segments, limit_bytes: int) -> Partition | None:
    """The partition of least effort within a limit, with the peak that it really has."""
    best = _least_effort(segments, limit_bytes)
    if best is None:
        return None
    return Partition(best[1], max((segment.cost_bytes for segment in best[1]), default=0), best[0][0])


def _least_peak(segments: Segments, allowance_cycles: float) -> int:
    """The least peak of a partition within the allowance; 0 without steps."""

    def fits(peak: int) -> bool:
        found = _least_effort(segments, peak)
        return found is not None and found[0][0] <= allowance_cycles

    peaks = _peaks(segments)
    # The more bytes, the less effort: the peaks that do not fit come first.
    return peaks[bisect_left(peaks, True, hi=len(peaks) - 1, key=fits)] if peaks else 0


def _best_exchange(segments: Segments, cycles: int) -> int:
    """The peak with the least product of its bytes and the cycles that it takes."""
    peaks = _peaks(segments)
    if not peaks:
        return 0

    @cache
    def effort(index: int) -> float:
        found = _least_effort(segments, peaks[index])
        return inf if found is None else found[0][0]

    def price(peak_bytes: int, extra_cycles: float) -> float:
        return peak_bytes * (cycles + extra_cycles)

    def product(index: int) -> float:
        return price(peaks[index], effort(index))

    # More bytes never take more effort: between two peaks with the same effort the smaller one is the best.
    spans, best = [(0, len(peaks) - 1)], len(peaks) - 1
    while spans:
        low, high = spans.pop()
        best = min(best, low, high, key=lambda index: (product(index), index))
        hopeless = price(peaks[low], effort(high)) >= product(best)
        if high - low > 1 and effort(low) != effort(high) and not hopeless:
            middle = (low + high) // 2
            spans += [(low, middle), (middle, high)]
    return peaks[best]


def _peaks(segments: Segments) -> list[int]:
    return sorted({segment.cost_bytes for ending in segments for segment in ending})


def _least_effort(ending_at: Segments, peak_bytes: int) -> tuple[Effort, tuple[Segment, ...]] | None:
    """The partition of least effort whose segments all fit, None when there is none."""
    best: list[tuple[Effort, Segment | None] | None] = [((0, 0, 0), None)]
    for segments in ending_at:
        options: list[tuple[Effort, Segment | None]] = []
        for segment in segments:
            before = best[segment.first]
            if before is not None and segment.cost_bytes <= peak_bytes:
                options.append((_sum(before[0], segment.effort), segment))
        best.append(min(options, key=lambda option: option[0]) if options else None)
    if best[-1] is None:
        return None
    found: list[Segment] = []
    position = len(ending_at)
    while position:
        entry = best[position]
        assert entry is not None and entry[1] is not None
        found.append(entry[1])
        position = entry[1].first
    return best[-1][0], tuple(reversed(found))


@dataclass(frozen=True)
class _Found:
    """Segments by their last step, and those with planar rows."""

    plain: list[list[Segment]]
    linked: list[list[Segment]]

    @property
    def all(self) -> Segments:
        """Both."""
        return [plain + linked for plain, linked in zip(self.plain, self.linked, strict=True)]


def _segments(
    work: Work, allowance_cycles: float, bound_of: Callable[[Segments], int], longest: int = MAX_LENGTH
) -> _Found:
    """All segments of up to `longest` steps within the allowance, by their last step.

    Except streams that cannot be part of the best partition.
    The rings of a stream with one target only grow when steps follow. So one whose rings alone need more than the bound,
    which is asked for again when longer streams are known, is not made longer; nor is one that is beyond the allowance.
    A stream whose steps all fit alone into what every partition takes would save nothing, and cost calls. Two
    steps with planar rows between them may save cycles, so these are there in any case.
    """
    ranges = live_ranges(work)
    ending_at = [
        [s for s in single_segments(work, ranges, i) if s.effort[0] <= allowance_cycles]
        for i in range(len(work.steps))
    ]
    linked: list[list[Segment]] = [[] for _ in work.steps]
    for last in range(1, len(work.steps)):
        rows = stream(work, ranges, last - 1, last) if _may_link(work, last) else None
        if rows is not None:
            linked[last] += linked_segments(work, ranges, rows)
    if allowance_cycles <= 0:
        return _Found(ending_at, linked)
    modest = _modest_steps(work, ending_at)
    ends = dict.fromkeys(range(len(work.steps)), 0)
    for length in (*SHORT_LENGTHS, longest):
        bound = bound_of(ending_at)
        for first, done in list(ends.items()):
            for last in range(first + max(done, 1), min(first + length, len(work.steps))):
                if all(modest[first : last + 1]):
                    continue
                rows = None
                if _call_cycles(work, first, last) <= allowance_cycles:
                    rows = stream(work, ranges, first, last)
                if rows is None or (len(rows.targets) == 1 and max(rows.live_bytes) > bound):
                    del ends[first]
                    break
                streams = stream_segments(work, ranges, rows)
                ending_at[last] += [segment for segment in streams if segment.effort[0] <= allowance_cycles]
                if last > first + 1:
                    linked[last] += linked_segments(work, ranges, rows)
                ends[first] = last - first + 1
    return _Found(ending_at, linked)


def _may_link(work: Work, last: int) -> bool:
    """True when a step and the one before might have planar rows between them."""
    before, step = work.steps[last - 1 : last + 1]
    return bool(before.planar_row_bytes) and step.reads == before.writes


def _modest_steps(work: Work, alone: Segments) -> list[bool]:
    """True for each step that fits alone into the bytes of the inputs, below which nothing is, at its fewest cycles."""
    resident = sum(work.storages[storage].bytes for storage in work.inputs)
    fewest = [
        min((kernel.extra_cycles for kernel in step.kernels if not kernel.is_linked), default=0)
        for step in work.steps
    ]
    return [
        any(segment.cost_bytes <= resident and segment.effort[0] <= least for segment in segments)
        for segments, least in zip(alone, fewest, strict=True)
    ]


def _call_cycles(work: Work, first: int, last: int) -> int:
    """What the calls of a stream cost at least."""
    steps = work.steps[first : last + 1]
    return sum(step.rows.calls for step in steps if step.rows is not None) * STREAM_CALL_CYCLES


def _sum(a: Effort, b: Effort) -> Effort:
    return (a[0] + b[0], a[1] + b[1], a[2] + b[2])
