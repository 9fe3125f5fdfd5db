"""The buffers of a partition: full storages, rings, scratch; which of them may overlap, and how."""

from dataclasses import dataclass

from tinycompile.plan import Buffer, BufferKind
from tinycompile.planning.interval_program import Partition
from tinycompile.planning.liveness import Work, live_ranges
from tinycompile.planning.overlap import Overlap
from tinycompile.planning.place import Item, Relation
from tinycompile.planning.rows import RowStep
from tinycompile.planning.segments import Segment
from tinycompile.program import RowFormat

SCRATCH_ALIGN = 16


@dataclass(frozen=True)
class Buffers:
    """What has to be placed. `keyed` pairs each buffer, still without a name, with the item whose offset it has."""

    items: tuple[Item, ...]
    relations: tuple[Relation, ...]
    keyed: tuple[tuple[int, Buffer], ...]


def buffers_of(work: Work, parts: Partition) -> Buffers:
    """List the buffers; live ranges count regions. The item of a storage has its id, the scratch of step i has -1 - i."""
    items: list[Item] = []
    keyed: list[tuple[int, Buffer]] = []
    rings = {storage: segment for segment in parts.segments for storage in _rings(segment)}
    planar = {
        link.storage: segment.stream.ring_bytes[link.storage]
        for segment in parts.segments
        if segment.stream is not None
        for link in segment.stream.planar
    }
    region_of = [
        i for i, segment in enumerate(parts.segments) for _ in range(segment.first, segment.last + 1)
    ]

    for key, life in live_ranges(work).items():
        storage = work.storages[key]
        first, last = (region_of[life.first], region_of[life.last]) if region_of else (0, 0)
        kind, ring_rows, size = BufferKind.FULL, 0, storage.bytes
        if key in rings and _rings(rings[key])[key] < _rows(work, key).calls:
            kind, ring_rows = BufferKind.RING, _rings(rings[key])[key]
            size = ring_rows * _rows(work, key).row_bytes
        row_format = RowFormat.INTERLEAVED
        if key in planar:
            kind, ring_rows, size = BufferKind.RING, _rings(rings[key])[key], planar[key]
            row_format = RowFormat.PLANAR
        items.append(Item(key, size, first, last, storage.align))
        buffer = Buffer("", kind, size, first, last, storage.tensors, ring_rows=ring_rows, format=row_format)
        keyed.append((key, buffer))

    for index, segment in enumerate(parts.segments):
        for position, kernel in enumerate(segment.kernels, start=segment.first):
            if kernel.scratch_bytes:
                key, node = -1 - position, work.steps[position].node
                items.append(Item(key, kernel.scratch_bytes, index, index, SCRATCH_ALIGN))
                scratch = Buffer("", BufferKind.SCRATCH, kernel.scratch_bytes, index, index, node=node)
                keyed.append((key, scratch))

    relations = [_relation(overlap) for segment in parts.segments for overlap in segment.overlaps]
    relations += [relation for segment in parts.segments for relation in _free(segment)]
    return Buffers(tuple(items), tuple(relations), tuple(keyed))


def _rings(segment: Segment) -> dict[int, int]:
    return dict(segment.stream.ring_rows) if segment.stream else {}


def _free(segment: Segment) -> list[Relation]:
    """Pairs of rings and scratch that are never needed during the same call. Sums stay between calls and share nothing."""
    rows = segment.stream
    if rows is None:
        return []
    calls = []
    for position, sets in enumerate(rows.live):
        own = {-1 - segment.first - position} if not rows.accumulates[position] else set()
        calls += [held | own for held in sets]
    keys = sorted(set().union(*calls))
    clashes = {(a, b) for together in calls for a in together for b in together}
    return [
        Relation(a, b, free=True) for i, a in enumerate(keys) for b in keys[i + 1 :] if (a, b) not in clashes
    ]


def _rows(work: Work, storage: int) -> RowStep:
    step = next(step for step in work.steps if storage in step.writes)
    assert step.rows is not None
    return step.rows


def _relation(overlap: Overlap) -> Relation:
    low, high = (overlap.read, overlap.written) if overlap.backward else (overlap.written, overlap.read)
    return Relation(low, high, overlap.lead_bytes, overlap.exact)
