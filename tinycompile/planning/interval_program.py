"""The interval dynamic program: of all ways to cut an order of steps into segments those that are best.

A partition has a peak, that of its greatest segment, and an effort, the sum of theirs (extra cycles first). For one peak the
least effort is found step by step, from the best partitions of all shorter orders. More bytes never take more effort, so a
bisection over the peaks answers the rest.
"""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from math import inf

from tinycompile.planning.segments import Effort, Segment

Segments = Sequence[Sequence[Segment]]
"""Segments by their last step."""


@dataclass(frozen=True)
class LeastPeak:
    """No partition has a lower peak, as long as its extra cycles are within the allowance (a part of the kernels' own).

    None whose regions have at most `length` operators, that is.
    """

    bytes: int
    allowance: float
    length: int


@dataclass(frozen=True)
class Partition:
    """Segments in order; `peak_bytes` is the greatest cost of one of them."""

    segments: tuple[Segment, ...]
    peak_bytes: int
    extra_cycles: int
    least: LeastPeak | None = None
    """What is proved of all partitions, None when they were not searched for their least peak."""


def fastest_within(segments: Segments, limit_bytes: int) -> Partition | None:
    """The partition of least effort within a limit, with the peak that it really has."""
    best = _least_effort(segments, limit_bytes)
    if best is None:
        return None
    return Partition(best[1], max((segment.cost_bytes for segment in best[1]), default=0), best[0][0])


def least_peak(segments: Segments, allowance_cycles: float) -> int:
    """The least peak of a partition within the allowance; 0 without steps."""

    def fits(peak: int) -> bool:
        found = _least_effort(segments, peak)
        return found is not None and found[0][0] <= allowance_cycles

    peaks = peaks_of(segments)
    # The more bytes, the less effort: the peaks that do not fit come first.
    return peaks[bisect_left(peaks, True, hi=len(peaks) - 1, key=fits)] if peaks else 0


def best_exchange(segments: Segments, cycles: int) -> int:
    """The peak with the least product of its bytes and the cycles that it takes."""
    peaks = peaks_of(segments)
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


def peaks_of(segments: Segments) -> list[int]:
    """The peaks that a partition can have, in ascending order."""
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


def _sum(a: Effort, b: Effort) -> Effort:
    return (a[0] + b[0], a[1] + b[1], a[2] + b[2])
