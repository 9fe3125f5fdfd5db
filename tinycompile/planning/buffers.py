"""The buffers of a partition: full storages, rings, scratch; which of them may overlap, and how."""

from dataclasses import dataclass

from tinycompile.plan import Buffer, BufferKind
from tinycompile.planning.liveness import Overlap, Work, live_ranges
from tinycompile.planning.partition import Partition, Segment
from tinycompile.planning.place import Item, Relation
from tinycompile.planning.rows import RowStep

SCRATCH_ALIGN = 16


@dataclass(frozen=True)
class Buffers:
    """What has to be placed. `keyed` pairs each buffer, still without a name, with the item whose offset it has."""

    items: tuple[Item, ...]
    relations: tuple[Relation, ...]
    keyed: tuple[tuple[int, Buffer], ...]


def buffers_of(work: Work, parts: Partition) -> Buffers:
    """List the buffers; live ranges count regions. The item of a storage has its id, those of scratch count down from -1."""
    items: list[Item] = []
    keyed: list[tuple[int, Buffer]] = []
    rings = {storage: segment for segment in parts.segments for storage in _rings(segment)}
    region_of = [i for i, segment in enumerate(parts.segments) for _ in range(segment.first, segment.last + 1)]

    for key, life in live_ranges(work).items():
        storage = work.storages[key]
        first, last = (region_of[life.first], region_of[life.last]) if region_of else (0, 0)
        kind, ring_rows, size = BufferKind.FULL, 0, storage.bytes
        if key in rings and _rings(rings[key])[key] < _rows(work, key).calls:
            kind, ring_rows = BufferKind.RING, _rings(rings[key])[key]
            size = ring_rows * _rows(work, key).row_bytes
        items.append(Item(key, size, first, last, storage.align))
        keyed.append((key, Buffer("", kind, size, first, last, storage.tensors, ring_rows=ring_rows)))

    for index, segment in enumerate(parts.segments):
        for shared in _scratch(segment):
            key = -1 - sum(1 for item in items if item.key < 0)
            size = max(segment.kernels[position].scratch_bytes for position in shared)
            items.append(Item(key, size, index, index, SCRATCH_ALIGN))
            for position in shared:
                size, node = segment.kernels[position].scratch_bytes, work.steps[segment.first + position].node
                keyed.append((key, Buffer("", BufferKind.SCRATCH, size, index, index, node=node)))

    relations = tuple(
        _relation(overlap)
        for segment in parts.segments
        for overlap in segment.overlaps
    )
    return Buffers(tuple(items), relations, tuple(keyed))


def _rings(segment: Segment) -> dict[int, int]:
    return dict(segment.stream.ring_rows) if segment.stream else {}


def _scratch(segment: Segment) -> list[list[int]]:
    """Positions of the steps that have scratch, those that share it together. Sums stay between calls and share nothing."""
    sums = segment.stream.accumulates if segment.stream else (False,)
    users = [i for i, kernel in enumerate(segment.kernels) if kernel.scratch_bytes]
    shared = [i for i in users if not sums[i]]
    return ([shared] if shared else []) + [[i] for i in users if sums[i]]


def _rows(work: Work, storage: int) -> RowStep:
    step = next(step for step in work.steps if storage in step.writes)
    assert step.rows is not None
    return step.rows


def _relation(overlap: Overlap) -> Relation:
    low, high = (overlap.read, overlap.written) if overlap.backward else (overlap.written, overlap.read)
    return Relation(low, high, overlap.lead_bytes, overlap.exact)
