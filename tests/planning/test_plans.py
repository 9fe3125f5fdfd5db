"""Plans of random networks: they replay clean, no bound is above the arena, and damage to a plan is found."""

from collections.abc import Iterator
from dataclasses import replace
from math import inf

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.planning.random_models import random_model
from tinycompile.board import load_board
from tinycompile.frontend import read_model
from tinycompile.ir import Graph
from tinycompile.lowering import select
from tinycompile.ops import operation, operator_of, row_shape
from tinycompile.passes import passes_for, run_passes
from tinycompile.plan import BufferKind, InputMode, MemoryPlan, Placement, Schedule, Selection
from tinycompile.planning import plan, replay

pytestmark = pytest.mark.slow

MODES = ("speed", "balanced", "ram")
seeds = st.integers(0, 10**6)


def planned(
    seed: int, mode: str, inputs: InputMode = InputMode.ARENA
) -> tuple[Graph, Selection, Schedule, MemoryPlan]:
    """A random network after all stages up to the plan."""
    passes = passes_for(streamed_inputs=inputs is InputMode.ROWS)
    graph = run_passes(read_model(random_model(seed), "random"), passes)
    # Calls are dear beside the work of so small networks: let `ram` spend what it wants.
    allowance = inf if mode == "ram" else None
    return graph, *plan(
        graph, select(graph, load_board("m7")), optimize=mode, allowance=allowance, input_mode=inputs
    )


def with_placement(memory: MemoryPlan, index: int, changed: Placement) -> MemoryPlan:
    """The plan with one placement changed."""
    placements = list(memory.placements)
    placements[index] = changed
    return replace(memory, placements=tuple(placements))


@pytest.mark.parametrize("mode", MODES)
@settings(max_examples=40, deadline=None)
@given(seeds)
def test_replays_clean_and_stays_above_its_bounds(mode: str, seed: int) -> None:
    graph, selection, schedule, memory = planned(seed, mode)
    result = replay(graph, selection, schedule, memory)
    assert result.violations == ()
    assert result.high_water_bytes <= memory.arena_bytes
    resident = {t: graph.tensors[t].bytes for t in graph.inputs}
    assert memory.arena_bytes >= sum(resident.values())
    bounds = {bound.name: bound.bytes for bound in memory.bounds}
    assert max(bounds["input resident"], bounds["plan family"], bounds["placement"]) <= memory.arena_bytes


@settings(max_examples=40, deadline=None)
@given(seeds)
def test_more_freedom_never_raises_the_peak(seed: int) -> None:
    peaks = []
    for mode in MODES:
        *_, memory = planned(seed, mode)
        peaks.append({bound.name: bound.bytes for bound in memory.bounds}["plan family"])
    assert peaks == sorted(peaks, reverse=True)


@settings(max_examples=40, deadline=None)
@given(seeds)
def test_layer_by_layer_the_arena_is_the_live_peak(seed: int) -> None:
    """Against a count of live bytes that knows no storages: each tensor from its producer to its last reader."""
    graph, selection, schedule, memory = planned(seed, "speed")
    steps = {node: region.index for region in schedule.regions for node in region.nodes}
    last = len(schedule.regions) - 1
    total = [0] * max(last + 1, 1)
    for tensor in dict.fromkeys((*graph.inputs, *(t for node in graph.nodes for t in node.outputs))):
        readers = _readers(graph, tensor)
        producer = graph.producers.get(tensor)
        if producer is not None and operator_of(producer).is_view:
            continue
        born = steps[producer.id] if producer is not None else 0
        end = last if readers is None else max([born, *(steps[node] for node in readers)])
        for step in range(born, end + 1):
            total[step] += graph.tensors[tensor].bytes
    scratch = [selection[region.nodes[0]].chosen.scratch_bytes for region in schedule.regions]
    resident = sum(graph.tensors[t].bytes for t in graph.inputs)
    peak = max([resident, *(live + extra for live, extra in zip(total, scratch, strict=False))])
    slack = 4 * len(graph.tensors) + 16
    assert memory.arena_bytes <= peak + slack


def _readers(graph: Graph, tensor: int) -> list[int] | None:
    """Nodes that read a tensor, through views too; None when it is an output of the graph."""
    if tensor in graph.outputs:
        return None
    found: list[int] = []
    for node in graph.consumers[tensor]:
        if operator_of(node).is_view:
            through = _readers(graph, node.outputs[0])
            if through is None:
                return None
            found += through
        else:
            found.append(node.id)
    return found


def rings(memory: MemoryPlan) -> Iterator[tuple[int, Placement]]:
    """Ring buffers of more than one row."""
    for index, placement in enumerate(memory.placements):
        if placement.buffer.kind is BufferKind.RING and placement.buffer.ring_rows > 1:
            yield index, placement


@settings(max_examples=40, deadline=None)
@given(seeds)
def test_a_ring_one_row_short_is_found(seed: int) -> None:
    graph, selection, schedule, memory = planned(seed, "ram")
    for index, placement in rings(memory):
        short = replace(placement.buffer, ring_rows=placement.buffer.ring_rows - 1)
        damaged = with_placement(memory, index, replace(placement, buffer=short))
        assert replay(graph, selection, schedule, damaged).violations


@settings(max_examples=40, deadline=None)
@given(seeds)
def test_a_buffer_one_byte_into_its_neighbour_is_found(seed: int) -> None:
    """Where two full buffers touch and one is read after the other was written."""
    graph, selection, schedule, memory = planned(seed, "speed")
    for index, low in enumerate(memory.placements):
        for high in memory.placements:
            if low.end == high.offset and _both_needed(graph, schedule, low, high):
                damaged = with_placement(memory, index, replace(low, offset=low.offset + 1))
                damaged = replace(damaged, arena_bytes=damaged.arena_bytes + 1)
                assert replay(graph, selection, schedule, damaged).violations


def _both_needed(graph: Graph, schedule: Schedule, a: Placement, b: Placement) -> bool:
    """Full buffers that live together in a region in which the last byte of each is needed: it reads one of them whole."""
    if a.buffer.kind is not BufferKind.FULL or b.buffer.kind is not BufferKind.FULL:
        return False
    later, earlier = (a, b) if a.buffer.first > b.buffer.first else (b, a)
    if later.buffer.first > earlier.buffer.last or later.buffer.first == earlier.buffer.first:
        return False
    return _read_after(graph, schedule, earlier, later.buffer.first)


def _read_after(graph: Graph, schedule: Schedule, placement: Placement, region: int) -> bool:
    """True when all of the buffer is read in a later region, or is an output of the graph."""
    tensors = set(placement.buffer.tensors)
    if tensors.intersection(graph.outputs):
        return True
    nodes = {node.id: node for node in graph.nodes}
    for later in schedule.regions[region + 1 :]:
        for node_id in later.nodes:
            current = operation(graph, nodes[node_id])
            for index, tensor in enumerate(current.inputs):
                if tensor is None or tensor.id not in tensors:
                    continue
                access = operator_of(current.node).access(current, index)
                rows = row_shape(tensor.shape)[0]
                first, _ = access.need(0, rows, current.rows)
                _, last = access.need(current.rows - 1, rows, current.rows)
                if first == 0 and last == rows - 1:
                    return True
    return False


@settings(max_examples=40, deadline=None)
@given(seeds, st.sampled_from([InputMode.CONST, InputMode.ROWS]))
def test_inputs_outside_of_the_arena_replay_clean(seed: int, inputs: InputMode) -> None:
    graph, selection, schedule, memory = planned(seed, "ram", inputs)
    assert replay(graph, selection, schedule, memory).violations == ()
    in_arena = {tensor for placement in memory.placements for tensor in placement.buffer.tensors}
    assert not in_arena.intersection(graph.inputs)


@settings(max_examples=20, deadline=None)
@given(seeds)
def test_writing_to_an_input_of_the_caller_is_found(seed: int) -> None:
    """Every full buffer that fits is put into the first input, which the caller may have in flash."""
    graph, selection, schedule, memory = planned(seed, "speed", InputMode.CONST)
    (first, *others) = memory.inputs
    for index, placement in enumerate(memory.placements):
        if placement.buffer.tensors and placement.buffer.bytes <= first.buffer.bytes:
            tensors = (*first.buffer.tensors, *placement.buffer.tensors)
            shared = replace(first, buffer=replace(first.buffer, tensors=tensors))
            rest = (*memory.placements[:index], *memory.placements[index + 1 :])
            damaged = replace(memory, placements=rest, inputs=(shared, *others))
            violations = replay(graph, selection, schedule, damaged).violations
            assert any("is the caller's" in violation for violation in violations)


@settings(max_examples=20, deadline=None)
@given(seeds)
def test_rows_that_are_asked_for_out_of_turn_are_found(seed: int) -> None:
    graph, selection, schedule, memory = planned(seed, "speed", InputMode.ROWS)
    sources = {node.id for node in graph.nodes if node.kind == "READ_ROWS"}
    assert sources
    for region in schedule.regions:
        if sources.intersection(region.nodes):
            turned = replace(region, backward=True)
            regions = tuple(turned if r is region else r for r in schedule.regions)
            damaged = replace(schedule, regions=regions)
            violations = replay(graph, selection, damaged, memory).violations
            assert any("out of turn" in violation for violation in violations)
