"""The planner's stages on one screen: order, regions, placement, bounds, replay."""

from dataclasses import replace

from tinycompile.ir import Graph
from tinycompile.plan import Choice, MemoryPlan, Placement, Region, Schedule, Selection
from tinycompile.planning.bounds import bounds_of, placement_bound
from tinycompile.planning.buffers import SCRATCH_ALIGN, Buffers, buffers_of
from tinycompile.planning.liveness import Work, work_of
from tinycompile.planning.order import search_order
from tinycompile.planning.partition import Partition, partition
from tinycompile.planning.place import Offsets, place
from tinycompile.planning.replay import replay
from tinycompile.planning.segments import Segment
from tinycompile.planning.state import place_variables

ALLOWANCE = {"speed": 0.0, "flash": 0.0, "balanced": 0.05, "ram": None}
"""Extra cycles that each `--optimize` lets the planner spend to save memory, as a part of the kernels' own. None: as many as
the memory is worth (see `partition`)."""


def plan(
    graph: Graph,
    selection: Selection,
    *,
    optimize: str = "speed",
    allowance: float | None = None,
    align: int = 4,
) -> tuple[Selection, Schedule, MemoryPlan]:
    """Decide in which order operators run, which ones run together, and where every buffer lives.

    `allowance` are the extra cycles that saving memory may cost, as a part of the kernels' own; by default what `optimize`
    says. The selection comes back with other kernels where their need of memory decides: less scratch, or calls by row.
    Tensors start at multiples of `align` bytes (or of their element), scratch at multiples of 16. The finished plan is
    replayed on a byte-tagged arena; a violation would be a mistake of the planner.
    """
    given = work_of(graph, selection, align)
    order = search_order(given)
    work = given.reordered(order.order)
    share = ALLOWANCE[optimize] if allowance is None else allowance
    cycles = sum(choice.chosen.cycles for choice in selection.values())
    parts = partition(work, max(cycles, 1), share)
    selection = _with_kernels(selection, work, parts)
    buffers = buffers_of(work, parts)
    goal = placement_bound(buffers.items, buffers.relations, parts.peak_bytes)
    offsets = place(buffers.items, buffers.relations, -(-goal // SCRATCH_ALIGN) * SCRATCH_ALIGN)
    schedule = Schedule(_regions(work, parts, offsets), order.proved)
    input_bytes = sum(work.storages[storage].bytes for storage in work.inputs)
    bounds = bounds_of(input_bytes, order, parts.peak_bytes, goal)
    state = place_variables(graph, len(schedule.regions), align)
    state_bytes = max((placement.end for placement in state), default=0)
    memory = MemoryPlan(_placements(graph, buffers, offsets), offsets.arena_bytes, bounds, state, state_bytes)
    replay(graph, selection, schedule, memory).check()
    return selection, schedule, memory


def _with_kernels(selection: Selection, work: Work, parts: Partition) -> Selection:
    """The selection with the kernels that the partition uses."""
    changed = {}
    for segment in parts.segments:
        for step, kernel in zip(work.steps[segment.first : segment.last + 1], segment.kernels, strict=True):
            choice = selection[step.node]
            candidates = (choice.chosen, *choice.rejected)
            chosen = next(c for c in candidates if c.kernel == kernel.name)
            changed[step.node] = Choice(chosen, tuple(c for c in candidates if c is not chosen))
    return {**selection, **changed}


def _regions(work: Work, parts: Partition, offsets: Offsets) -> tuple[Region, ...]:
    regions = []
    for index, segment in enumerate(parts.segments):
        members = tuple(step.node for step in work.steps[segment.first : segment.last + 1])
        rows = segment.stream
        if rows is None:
            regions.append(Region(index, members))
        else:
            accumulates = tuple(i for i, sums in enumerate(rows.accumulates) if sums)
            backward = _runs_backward(work, segment, offsets)
            regions.append(Region(index, members, True, rows.targets, rows.pulls, backward, accumulates))
    return tuple(regions)


def _runs_backward(work: Work, segment: Segment, offsets: Offsets) -> bool:
    """True when the output lies above its input, and over a part of it."""
    return any(
        0
        < offsets.offsets[overlap.written] - offsets.offsets[overlap.read]
        < work.storages[overlap.read].bytes
        for overlap in segment.overlaps
        if overlap.backward
    )


def _placements(graph: Graph, buffers: Buffers, offsets: Offsets) -> tuple[Placement, ...]:
    """Every buffer at its offset. The steps of a region share its scratch: each has a placement of its own there."""
    names = {node.id: node.name for node in graph.nodes}
    placements = []
    for key, buffer in buffers.keyed:
        name = (
            graph.tensors[buffer.tensors[0]].name
            if buffer.node is None
            else f"scratch of {names[buffer.node]}"
        )
        placements.append(Placement(replace(buffer, name=name), offsets.offsets[key]))
    return tuple(placements)
