"""Regions: an interval dynamic program over the order of steps.

A segment is an interval of steps that run together: one step that computes all at once, one that goes row by row (its output may
then run over a dying input), or several through which rows stream. It costs the bytes that must be in the arena while it
runs, and extra cycles: those of a kernel with less scratch, and those of calling kernels row by row. The partition with the
least peak within an allowance of extra cycles is taken, and of those with that peak the one with the least effort.
"""

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from tinycompile.planning.liveness import (
    KernelOption,
    LiveRange,
    Overlap,
    Step,
    Work,
    live_ranges,
    usable_overlaps,
)
from tinycompile.planning.stream import Stream, stream
from tinycompile.program import Granularity

SHORT_LENGTHS = (3, 6, 12)
MAX_LENGTH = 48
"""Lengths of streams: shorter ones first give a bound that makes the search for longer ones fast."""
ROW_CALL_CYCLES = 40
"""Calling a kernel for a row that could have gone on to the next row itself."""
STREAM_CALL_CYCLES = 100
"""Finding out in a fused region which step can run next."""

Effort = tuple[int, int, int]
"""Extra cycles, steps in fused regions, regions."""


@dataclass(frozen=True)
class Segment:
    """Steps `first` to `last` run together; `stream` is None for one step that computes all at once.

    `cost_bytes` counts every byte that must be in the arena meanwhile, without alignment. `kernels` are those of the steps.
    """

    first: int
    last: int
    cost_bytes: int
    effort: Effort
    overlaps: tuple[Overlap, ...]
    kernels: tuple[KernelOption, ...]
    stream: Stream | None = None


@dataclass(frozen=True)
class Partition:
    """Segments in order; `peak_bytes` is the greatest cost, the least that this order and allowance permit."""

    segments: tuple[Segment, ...]
    peak_bytes: int
    extra_cycles: int


def partition(work: Work, allowance_cycles: float) -> Partition:
    """Cut the order of steps into segments: the least peak with at most this many extra cycles, then the least effort."""
    ending_at = _segments(work, live_ranges(work), allowance_cycles)
    peak = _least_peak(ending_at, allowance_cycles)
    best = _least_effort(ending_at, peak)
    assert best is not None
    return Partition(best[1], peak, best[0][0])


def _least_peak(ending_at: Sequence[Sequence[Segment]], allowance: float) -> int:
    """The least peak of a partition within the allowance; 0 without steps."""

    def fits(peak: int) -> bool:
        found = _least_effort(ending_at, peak)
        return found is not None and found[0][0] <= allowance

    peaks = sorted({segment.cost_bytes for segments in ending_at for segment in segments})
    # The more bytes, the less effort: the peaks that do not fit come first.
    return peaks[bisect_left(peaks, True, hi=len(peaks) - 1, key=fits)] if peaks else 0


def _least_effort(
    ending_at: Sequence[Sequence[Segment]], peak_bytes: int
) -> tuple[Effort, tuple[Segment, ...]] | None:
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


def _segments(work: Work, ranges: Mapping[int, LiveRange], allowance: float) -> list[list[Segment]]:
    """All segments within the allowance, by their last step, except streams that cannot be part of the best partition.

    The rings of a stream with one target only grow when steps follow. So one whose rings alone need more than the least
    peak found without it is not made longer.
    """
    ending_at = [
        [s for s in _single(work, ranges, i) if s.effort[0] <= allowance] for i in range(len(work.steps))
    ]
    if allowance <= 0:
        return ending_at
    ends = dict.fromkeys(range(len(work.steps)), 0)
    for length in (*SHORT_LENGTHS, MAX_LENGTH):
        bound = _least_peak(ending_at, allowance)
        for first, done in list(ends.items()):
            for last in range(first + max(done, 1), min(first + length, len(work.steps))):
                rows = stream(work, ranges, first, last)
                if rows is None or (len(rows.targets) == 1 and max(rows.live_bytes) > bound):
                    del ends[first]
                    break
                streams = _streams(work, ranges, rows)
                ending_at[last] += [segment for segment in streams if segment.effort[0] <= allowance]
                ends[first] = last - first + 1
    return ending_at


def _single(work: Work, ranges: Mapping[int, LiveRange], index: int) -> Iterator[Segment]:
    """One step: each kernel all at once, and row by row."""
    step = work.steps[index]
    live = _live_bytes(work, ranges, index, index)
    at_once = usable_overlaps(work, ranges, index)
    rows = stream(work, ranges, index, index) if step.rows is not None else None
    for kernel in step.kernels:
        if Granularity.WHOLE in kernel.granularities:
            cost = live + kernel.scratch_bytes - _saving(work, at_once)
            yield Segment(index, index, cost, (kernel.extra_cycles, 0, 1), at_once, (kernel,))
        if Granularity.ROW in kernel.granularities and rows is not None and step.rows is not None:
            calls = 0 if Granularity.WHOLE not in kernel.granularities else step.rows.calls
            cost = live + kernel.scratch_bytes - _saving(work, rows.overlaps)
            effort = (kernel.extra_cycles + calls * ROW_CALL_CYCLES, 0, 1)
            yield Segment(index, index, cost, effort, rows.overlaps, (kernel,), rows)


def _streams(work: Work, ranges: Mapping[int, LiveRange], rows: Stream) -> Iterator[Segment]:
    """Several steps; one segment for each amount of scratch with which cheaper kernels can do."""
    steps = work.steps[rows.first : rows.last + 1]
    inner = sum(work.storages[storage].bytes for storage in rows.ring_rows)
    outside = _live_bytes(work, ranges, rows.first, rows.last) - inner - _saving(work, rows.overlaps)
    calls = sum(step.rows.calls for step in steps if step.rows is not None)
    cheapest = None
    limits = {
        live + kernel.scratch_bytes
        for step, live in zip(steps, rows.live_bytes, strict=True)
        for kernel in step.kernels
    }
    for limit in sorted(limits):
        kernels = _kernels_within(steps, rows, limit)
        if kernels is None:
            continue
        extra = sum(k.extra_cycles for k in kernels) + calls * STREAM_CALL_CYCLES
        if cheapest is None or extra < cheapest:
            cheapest = extra
            cost = outside + _inner_bytes(kernels, rows)
            yield Segment(rows.first, rows.last, cost, (extra, len(steps), 1), rows.overlaps, kernels, rows)


def _kernels_within(steps: Sequence[Step], rows: Stream, limit_bytes: int) -> tuple[KernelOption, ...] | None:
    """For each step the cheapest kernel that streams, with its scratch and the rings beside it within the limit."""
    kernels = []
    for step, live, sums in zip(steps, rows.live_bytes, rows.accumulates, strict=True):
        wanted = Granularity.ACCUMULATE if sums else Granularity.ROW
        usable = [
            k for k in step.kernels if wanted in k.granularities and live + k.scratch_bytes <= limit_bytes
        ]
        if not usable:
            return None
        kernels.append(min(usable, key=lambda k: (k.extra_cycles, k.scratch_bytes)))
    return tuple(kernels)


def _inner_bytes(kernels: Sequence[KernelOption], rows: Stream) -> int:
    """Rings and scratch at the call that needs most of them. Scratch is dead after a call, but sums stay."""
    calls = list(zip(kernels, rows.live_bytes, rows.accumulates, strict=True))
    kept = sum(kernel.scratch_bytes for kernel, _, sums in calls if sums)
    return kept + max(live + (0 if sums else kernel.scratch_bytes) for kernel, live, sums in calls)


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
