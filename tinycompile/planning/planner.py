"""The planner's stages on one screen: order, regions, placement, bounds."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import islice
from math import inf

from tinycompile.ir import Graph
from tinycompile.plan import Choice, InputMode, MemoryPlan, Placement, Region, Schedule, Selection
from tinycompile.planning.bounds import bounds_of, placement_bound
from tinycompile.planning.buffers import SCRATCH_ALIGN, Buffers, buffers_of
from tinycompile.planning.interval_program import Partition
from tinycompile.planning.liveness import Work, work_of
from tinycompile.planning.order import search_order
from tinycompile.planning.outside import place_inputs, place_variables
from tinycompile.planning.partition import Frontier, exchanges, partition, partition_within
from tinycompile.planning.place import Offsets, place
from tinycompile.planning.segments import Segment

ALLOWANCE = {"speed": 0.005, "flash": 0.0, "balanced": 0.05, "ram": None}
"""Extra cycles that each `--optimize` lets the planner spend to save memory, as a part of the kernels' own. None: as many as
the memory is worth (see `partition`)."""
FRONTIER_RATIO = 1.02

MOST_EXCHANGES = 8
"""Partitions among which the best exchange of memory for time is looked for: the buffers of one may not fit into its peak."""


Plan = tuple[Selection, Schedule, MemoryPlan]


def plan(
    graph: Graph,
    selection: Selection,
    *,
    optimize: str = "speed",
    allowance: float | None = None,
    ram_limit: int | None = None,
    align: int = 4,
    input_mode: InputMode = InputMode.ARENA,
) -> Plan:
    """Decide in which order operators run, which ones run together, and where every buffer lives.

    `allowance` are the extra cycles that saving memory may cost, as a part of the kernels' own; by default what `optimize`
    says. With a `ram_limit` in bytes it is as many as it takes until arena and state fit; when nothing fits the smallest plan is
    given. The selection comes back with other kernels where their need of memory decides: less scratch, or calls by row.
    Tensors start at multiples of `align` bytes (or of their element), scratch at multiples of 16. What is lowered from the plan
    is replayed on tagged memory (`tinycompile.replay`).
    """
    share = ALLOWANCE[optimize] if allowance is None else allowance
    planner = _Planner(graph, selection, align, input_mode)
    return planner.best(share) if ram_limit is None else planner.within(ram_limit)


def plans_not_dominated(
    graph: Graph,
    selection: Selection,
    *,
    ratio: float = FRONTIER_RATIO,
    align: int = 4,
    input_mode: InputMode = InputMode.ARENA,
) -> list[Plan]:
    """Plans from the fastest to the smallest: what `plan` makes of the limits between which there is a choice.

    Of plans whose arenas differ by less than the factor `ratio` not all are given.
    """
    planner = _Planner(graph, selection, align, input_mode)
    front = Frontier(planner.work, planner.cycles)
    plans: list[Plan] = []
    for parts in front.partitions(ratio):
        found = planner.finish(parts)
        limit = found[2].arena_bytes
        if front.fastest(limit) != parts:  # alignment left room for something faster
            *_, found = planner.tries(front.fastest, limit)
        if not plans or found[2].arena_bytes < plans[-1][2].arena_bytes:
            plans.append(found)
    return plans


class _Planner:
    """One graph with chosen kernels: its steps in order, from which plans with different partitions are made."""

    def __init__(self, graph: Graph, selection: Selection, align: int, input_mode: InputMode) -> None:
        given = work_of(graph, selection, align, input_mode)
        self.graph = graph
        self.selection = selection
        self.align = align
        self.input_mode = input_mode
        self.order = search_order(given.with_least_scratch())
        self.work = given.reordered(self.order.order)
        self.state_bytes = max((variable.end for variable in place_variables(graph, 1, align)), default=0)
        self.cycles = max(sum(choice.chosen.cycles for choice in selection.values()), 1)

    def best(self, allowance: float | None) -> Plan:
        """The plan with the least peak within the allowance; with None that with the least product of arena and cycles."""
        if allowance is not None:
            return self.finish(partition(self.work, self.cycles, allowance))
        best, least = None, inf
        for parts in islice(exchanges(self.work, self.cycles), MOST_EXCHANGES):
            cycles = self.cycles + parts.extra_cycles
            if best is None or parts.peak_bytes * cycles < least:
                found = self.finish(parts)
                if best is None or found[2].arena_bytes * cycles < least:
                    best, least = found, found[2].arena_bytes * cycles
        assert best is not None
        return best

    def within(self, ram_limit: int) -> Plan:
        """The fastest plan whose arena and state fit, else the smallest one."""
        spare = ram_limit - self.state_bytes
        tried = [*self.tries(lambda peak: partition_within(self.work, self.cycles, peak), spare)]
        if not tried or _ram_bytes(tried[-1]) > ram_limit:
            tried.append(self.best(inf))
        return min(tried, key=_ram_bytes)

    def tries(self, fastest: Callable[[int], Partition | None], arena_bytes: int) -> Iterator[Plan]:
        """Plans from the fastest on, until one fits; alignment may take bytes that its partition does not count."""
        peak = arena_bytes
        while (parts := fastest(peak)) is not None:
            planned = self.finish(parts)
            yield planned
            if planned[2].arena_bytes <= arena_bytes:
                return
            peak = parts.peak_bytes - 1

    def finish(self, parts: Partition) -> Plan:
        """Place the buffers of a partition, compare with bounds."""
        selection = _with_kernels(self.selection, self.work, parts)
        buffers = buffers_of(self.work, parts)
        goal = placement_bound(buffers.items, buffers.relations, parts.peak_bytes)
        offsets = place(buffers.items, buffers.relations, -(-goal // SCRATCH_ALIGN) * SCRATCH_ALIGN)
        schedule = Schedule(_regions(self.work, parts, offsets), self.order.proved)
        input_bytes = sum(self.work.storages[storage].bytes for storage in self.work.inputs)
        bounds = bounds_of(input_bytes, self.order, parts.least, goal)
        state = place_variables(self.graph, len(schedule.regions), self.align)
        inputs = place_inputs(self.graph, len(schedule.regions), self.input_mode)
        placements = _placements(self.graph, buffers, offsets)
        memory = MemoryPlan(placements, offsets.arena_bytes, bounds, state, self.state_bytes, inputs)
        return selection, schedule, memory


def _ram_bytes(planned: Plan) -> int:
    """Arena and state of a plan."""
    return planned[2].arena_bytes + planned[2].state_bytes


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
        calls = segment.effort[0] - sum(kernel.extra_cycles for kernel in segment.kernels)
        if rows is None:
            regions.append(Region(index, members))
        else:
            accumulates = tuple(i for i, sums in enumerate(rows.accumulates) if sums)
            backward = _runs_backward(work, segment, offsets)
            regions.append(
                Region(index, members, True, rows.targets, rows.pulls, backward, accumulates, calls)
            )
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
