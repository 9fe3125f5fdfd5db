"""The planner's stages on one screen: order, regions, placement, bounds, replay."""

from tinycompile.ir import Graph
from tinycompile.plan import Buffer, BufferKind, MemoryPlan, Placement, Region, Schedule, Selection
from tinycompile.planning.bounds import bounds_of, placement_bound
from tinycompile.planning.liveness import Work, live_ranges, usable_overlaps, work_of
from tinycompile.planning.order import search_order
from tinycompile.planning.place import Item, Offsets, Relation, place
from tinycompile.planning.replay import replay

SCRATCH_ALIGN = 16


def plan(graph: Graph, selection: Selection, *, align: int = 4) -> tuple[Schedule, MemoryPlan]:
    """Decide in which order operators run and where every buffer lives.

    Tensors start at multiples of `align` bytes (or of their element), scratch at multiples of 16. The finished plan is
    replayed on a byte-tagged arena; a violation would be a mistake of the planner.
    """
    found = work_of(graph, selection, align)
    order = search_order(found)
    work = found.reordered(order.order)
    schedule = Schedule(tuple(Region(i, (step.node,)) for i, step in enumerate(work.steps)), order.proved)

    items, relations = _items(work)
    goal = placement_bound(items, relations)
    offsets = place(items, relations, goal)
    input_bytes = sum(work.storages[storage].bytes for storage in work.inputs)
    memory = MemoryPlan(
        _placements(graph, work, offsets), offsets.arena_bytes, bounds_of(order, input_bytes, goal)
    )
    replay(graph, selection, schedule, memory).check()
    return schedule, memory


def _items(work: Work) -> tuple[list[Item], list[Relation]]:
    """What has to be placed. The scratch of step i has the key -1 - i."""
    ranges = live_ranges(work)
    items = [
        Item(key, work.storages[key].bytes, life.first, life.last, work.storages[key].align)
        for key, life in ranges.items()
    ]
    items += [
        Item(-1 - i, step.scratch_bytes, i, i, SCRATCH_ALIGN)
        for i, step in enumerate(work.steps)
        if step.scratch_bytes
    ]
    relations = [
        Relation(overlap.written, overlap.read, overlap.lead_bytes, overlap.exact)
        for overlaps in usable_overlaps(work, ranges)
        for overlap in overlaps
    ]
    return items, relations


def _placements(graph: Graph, work: Work, offsets: Offsets) -> tuple[Placement, ...]:
    placements = []
    for key, life in live_ranges(work).items():
        storage = work.storages[key]
        name = graph.tensors[key].name
        buffer = Buffer(name, BufferKind.FULL, storage.bytes, life.first, life.last, storage.tensors)
        placements.append(Placement(buffer, offsets.offsets[key]))
    names = {node.id: node.name for node in graph.nodes}
    for index, step in enumerate(work.steps):
        if step.scratch_bytes:
            name = f"scratch of {names[step.node]}"
            buffer = Buffer(name, BufferKind.SCRATCH, step.scratch_bytes, index, index, node=step.node)
            placements.append(Placement(buffer, offsets.offsets[-1 - index]))
    return tuple(placements)
