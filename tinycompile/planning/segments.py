"""Segments: steps that could run together, with what they need of the arena and what they cost in time.

A segment is one step that computes all at once, one that goes row by row (its output may then run over a dying input), or several
through which rows stream. It costs the bytes that must be in the arena while it runs, and extra cycles: those of a
kernel with less scratch, and those of calling kernels row by row.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from tinycompile.planning.liveness import KernelOption, LiveRange, Overlap, Step, Work, usable_overlaps
from tinycompile.planning.stream import Stream, stream
from tinycompile.program import Granularity

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


def single_segments(work: Work, ranges: Mapping[int, LiveRange], index: int) -> Iterator[Segment]:
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


def stream_segments(work: Work, ranges: Mapping[int, LiveRange], rows: Stream) -> Iterator[Segment]:
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
