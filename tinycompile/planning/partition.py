"""Regions: which partition of the order of steps into segments is taken.

That depends on what memory may cost: the least peak within an allowance of extra cycles, the best exchange of memory for time,
or the least effort within a limit of bytes. Of the partitions with the same peak the one with the least effort is taken.
"""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cache
from math import inf

from tinycompile.planning.interval_program import (
    LeastPeak,
    Partition,
    Segments,
    best_exchange,
    fastest_within,
    least_peak,
    peaks_of,
)
from tinycompile.planning.liveness import Work
from tinycompile.planning.segment_search import (
    LENGTH_OF_LITTLE_TIME,
    MAX_LENGTH,
    USUAL_ALLOWANCE,
    FoundSegments,
    find_segments,
)

LIMIT_ALLOWANCES = (0.0, 0.01, 0.05, 0.2, inf)
"""Extra cycles within which a plan under a limit is searched, one after the other: few take less time to search."""


def partition(work: Work, cycles: int, allowance: float) -> Partition:
    """Cut the order of steps into segments: the least peak within an allowance.

    `cycles` are those of the chosen kernels, the `allowance` is a part of them. Planar rows take more memory and less time: they
    are used where they fit into the peak that is best without them.
    """
    found = _usable(work, cycles, allowance)
    best = fastest_within(found.all, least_peak(found.plain, allowance * cycles))
    assert best is not None
    # A stream of planar rows may be within an allowance that the same one of usual rows is not: the bound counts both.
    least = LeastPeak(least_peak(found.all, allowance * cycles), allowance, _longest(allowance))
    return replace(best, least=least)


def exchanges(work: Work, cycles: int) -> Iterator[Partition]:
    """Cut the order of steps into segments: the least product of peak and cycles, so a percent of time for a percent of memory.

    Then those with lower and lower peaks, as placement may not reach a peak. Planar rows are used as by `partition`.
    """
    found = _usable(work, cycles, None)
    least = LeastPeak(least_peak(found.all, inf), inf, MAX_LENGTH)
    peak = best_exchange(found.plain, cycles)
    while (best := fastest_within(found.all, peak)) is not None:
        yield replace(best, least=least)
        peak = best.peak_bytes - 1


def usable_segments(work: Work, cycles: int, allowance: float | None) -> Segments:
    """The segments that `partition` chooses from, without planar rows."""
    return _usable(work, cycles, allowance).plain


def _usable(work: Work, cycles: int, allowance: float | None) -> FoundSegments:
    if allowance is None:
        return find_segments(work, inf, lambda found: least_peak(found, USUAL_ALLOWANCE * cycles))
    within = allowance * cycles
    return find_segments(work, within, lambda found: least_peak(found, within), _longest(allowance))


def _longest(allowance: float) -> int:
    """Steps of the longest stream that is searched."""
    return LENGTH_OF_LITTLE_TIME if 0 < allowance < USUAL_ALLOWANCE else MAX_LENGTH


def partition_within(work: Work, cycles: int, limit_bytes: int) -> Partition | None:
    """The partition of least effort whose peak is at most `limit_bytes`, None when there is none."""
    for allowance in LIMIT_ALLOWANCES:
        segments = find_segments(work, allowance * cycles, lambda found: limit_bytes).all
        best = fastest_within(segments, limit_bytes)
        # All segments of a partition within the allowance are within it too: nothing better was left out.
        if best is not None and best.extra_cycles <= allowance * cycles:
            return _smallest(segments, best, cycles)
    return None


def _smallest(segments: Segments, fastest: Partition, cycles: int) -> Partition:
    """Of the partitions that take no more cycles one with the least peak."""
    peak = least_peak(segments, fastest.extra_cycles)
    best = fastest_within(segments, peak)
    assert best is not None
    return replace(best, least=LeastPeak(peak, fastest.extra_cycles / cycles, MAX_LENGTH))


class Frontier:
    """All partitions of an order, to choose from several times. Peaks above the one that costs no cycles are of no use."""

    def __init__(self, work: Work, cycles: int) -> None:
        self._cycles = cycles
        self._segments = find_segments(work, inf, lambda found: least_peak(found, 0)).all

    def fastest(self, limit_bytes: int) -> Partition | None:
        """As `partition_within`."""
        best = fastest_within(self._segments, limit_bytes)
        return best and _smallest(self._segments, best, self._cycles)

    def partitions(self, ratio: float) -> list[Partition]:
        """Those than which none has both a lower peak and less effort, the fastest first.

        Of neighbours whose peaks differ by less than the factor `ratio` not all are given.
        """
        peaks = peaks_of(self._segments) or [0]
        start = bisect_left(peaks, True, key=lambda peak: fastest_within(self._segments, peak) is not None)
        found: list[Partition] = []

        @cache
        def fastest(index: int) -> Partition:
            best = fastest_within(self._segments, peaks[index])
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
