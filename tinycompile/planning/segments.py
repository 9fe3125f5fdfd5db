"""Segments: steps that could run together, with what they need of the arena and what they cost in time.

A segment is one step that computes all at once, one that goes row by row (its output may then run over a dying input), or several
through which rows stream. It costs the bytes that must be in the arena while it runs, and extra cycles: those of a
kernel with less scratch, and those of calling kernels row by row.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from tinycompile.planning.liveness import KernelOption, LiveRange, Work, usable_overlaps
from tinycompile.planning.overlap import Overlap
from tinycompile.planning.stream import Stream, stream
from tinycompile.program import Granularity, RowFormat

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

    @property
    def is_linked(self) -> bool:
        """True when some rows between its steps are planar."""
        return self.stream is not None and bool(self.stream.planar)


def single_segments(work: Work, ranges: Mapping[int, LiveRange], index: int) -> Iterator[Segment]:
    """One step: each kernel all at once, and row by row."""
    step = work.steps[index]
    live = _live_bytes(work, ranges, index, index)
    sizes = {key: storage.bytes for key, storage in work.storages.items()}
    rows = stream(work, ranges, index, index) if step.rows is not None else None
    for kernel in step.kernels:
        if kernel.is_linked:
            continue
        if Granularity.WHOLE in kernel.granularities:
            at_once = usable_overlaps(work, ranges, index, kernel)
            cost = live + kernel.scratch_bytes - max([0, *(_saved(sizes, o) for o in at_once)])
            yield Segment(index, index, cost, (kernel.extra_cycles, 0, 1), at_once, (kernel,))
        if Granularity.ROW in kernel.granularities and rows is not None and step.rows is not None:
            calls = 0 if Granularity.WHOLE not in kernel.granularities else step.rows.calls
            cost = live + kernel.scratch_bytes - max([0, *(_saved(sizes, o) for o in rows.overlaps)])
            effort = (kernel.extra_cycles + calls * ROW_CALL_CYCLES, 0, 1)
            yield Segment(index, index, cost, effort, rows.overlaps, (kernel,), rows)


def stream_segments(work: Work, ranges: Mapping[int, LiveRange], rows: Stream) -> Iterator[Segment]:
    """Several steps; one segment for each amount of scratch with which cheaper kernels can do.

    The rows of `rows.planar` are written and read by kernels for planar rows.
    """
    steps = work.steps[rows.first : rows.last + 1]
    inner = sum(work.storages[storage].bytes for storage in rows.ring_rows)
    outside = _live_bytes(work, ranges, rows.first, rows.last) - inner
    layouts = _layouts(work, rows, outside)
    calls = sum(step.rows.calls for step in steps if step.rows is not None)
    cheapest = None
    reads, writes = {link.reader for link in rows.planar}, {link.writer for link in rows.planar}
    choices = [
        (live, step.cheapest_first(_granularity(sums), _format(index in reads), _format(index in writes)))
        for index, (step, live, sums) in enumerate(zip(steps, rows.live_bytes, rows.accumulates, strict=True))
    ]
    for limit in sorted({live + kernel.scratch_bytes for live, kernels in choices for kernel in kernels}):
        kernels = _kernels_within(choices, limit)
        if kernels is None:
            continue
        extra = sum(k.extra_cycles for k in kernels) + calls * STREAM_CALL_CYCLES
        if cheapest is None or extra < cheapest:
            cheapest = extra
            pairs = list(zip(kernels, rows.accumulates, strict=True))
            sums = sum(k.scratch_bytes for k, stays in pairs if stays)
            scratch = [0 if stays else k.scratch_bytes for k, stays in pairs]
            cost = sums + min(layout.bytes(scratch) for layout in layouts)
            yield Segment(rows.first, rows.last, cost, (extra, len(steps), 1), rows.overlaps, kernels, rows)


def _granularity(accumulates: bool) -> Granularity:
    return Granularity.ACCUMULATE if accumulates else Granularity.ROW


def _format(planar: bool) -> RowFormat:
    return RowFormat.PLANAR if planar else RowFormat.INTERLEAVED


def linked_segments(work: Work, ranges: Mapping[int, LiveRange], rows: Stream) -> Iterator[Segment]:
    """The same with planar rows: in all rings that can have them, and in each alone."""
    alone = [(link,) for link in rows.links]
    for links in dict.fromkeys((rows.links, *alone)) if rows.links else ():
        yield from stream_segments(work, ranges, rows.with_planar(links))


def _kernels_within(
    choices: Sequence[tuple[int, tuple[KernelOption, ...]]], limit_bytes: int
) -> tuple[KernelOption, ...] | None:
    """For each step the first kernel with its scratch and the rings beside it within the limit; None when one has none."""
    kernels = []
    for live, usable in choices:
        for kernel in usable:
            if live + kernel.scratch_bytes <= limit_bytes:
                kernels.append(kernel)
                break
        else:
            return None
    return tuple(kernels)


@dataclass(frozen=True)
class _Layout:
    """A choice of what lies under a dying input: bytes that are always taken, and those of the other rings at each step."""

    fixed_bytes: int
    ring_bytes: tuple[int, ...]

    @classmethod
    def of(
        cls, sizes: Mapping[int, int], rows: Stream, outside: int, under: Sequence[Overlap] = ()
    ) -> "_Layout":
        """`outside` are the bytes of everything but rings and scratch, with nothing overlapping."""
        if not under:
            return cls(outside, rows.live_bytes)
        below = {overlap.written for overlap in under}
        rings = tuple(
            max((sum([sizes[s] for s in held - below]) for held in sets), default=0) for sets in rows.live
        )
        outputs = sum(sizes[o.written] for o in under if o.written not in rows.ring_bytes)
        read = under[0].read
        return cls(outside - sizes[read] - outputs + _stacked_bytes(sizes, read, under), rings)

    def bytes(self, scratch: Sequence[int]) -> int:
        """All of it at the step that needs most; `scratch` is what the steps' kernels use during a call."""
        return self.fixed_bytes + max(map(int.__add__, self.ring_bytes, scratch))


def _layouts(work: Work, rows: Stream, outside: int) -> list[_Layout]:
    """Layouts that may be the best: nothing overlaps, one output in place, or greedily more and more under each dying input."""
    sizes, idle = _sizes(work, rows), (0,) * len(rows.live)
    in_place = max([0, *(_saved(sizes, overlap) for overlap in rows.overlaps if overlap.exact)])
    layouts = [_Layout.of(sizes, rows, outside - in_place)]
    led = sorted((o for o in rows.overlaps if not o.exact), key=lambda o: -_saved(sizes, o))
    for read in {overlap.read for overlap in led}:
        under: list[Overlap] = []
        best = _Layout.of(sizes, rows, outside)
        for overlap in (o for o in led if o.read == read):
            layout = _Layout.of(sizes, rows, outside, [*under, overlap])
            if layout.bytes(idle) < best.bytes(idle):
                best, under = layout, [*under, overlap]
                layouts.append(best)
    return layouts


def _sizes(work: Work, rows: Stream) -> dict[int, int]:
    return {**{key: storage.bytes for key, storage in work.storages.items()}, **rows.ring_bytes}


def _stacked_bytes(sizes: Mapping[int, int], read: int, under: Sequence[Overlap]) -> int:
    """Bytes of an input and the buffers under it, which lie one after the other from the bottom."""
    start, offset = 0, 0
    # In this order the input comes to lie lowest: what must end long before it goes first.
    for overlap in sorted(under, key=lambda o: sizes[o.written] - o.lead_bytes):
        offset = max(offset, start + overlap.lead_bytes)
        start += sizes[overlap.written]
    return max(offset + sizes[read], start)


def _live_bytes(work: Work, ranges: Mapping[int, LiveRange], first: int, last: int) -> int:
    return sum(
        work.storages[storage].bytes
        for storage, life in ranges.items()
        if life.first <= last and life.last >= first
    )


def _saved(sizes: Mapping[int, int], overlap: Overlap) -> int:
    """Bytes that an overlap alone saves."""
    read, written = sizes[overlap.read], sizes[overlap.written]
    return read + written - overlap.joint_bytes(read, written)
