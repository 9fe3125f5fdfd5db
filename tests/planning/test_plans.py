"""Plans of random networks: they replay clean, and no bound is above the arena."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.replay.random_programs import planned
from tinycompile.ir import Graph
from tinycompile.ops import operator_of
from tinycompile.plan import InputMode

pytestmark = pytest.mark.slow

MODES = ("speed", "balanced", "ram")
seeds = st.integers(0, 10**6)


@pytest.mark.parametrize("mode", MODES)
@settings(max_examples=40, deadline=None)
@given(seeds)
@example(341)  # only planar rows are within the allowance of `balanced`
def test_replays_clean_and_stays_above_its_bounds(mode: str, seed: int) -> None:
    net = planned(seed, mode)
    graph, memory = net.graph, net.memory
    result = net.replayed()
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
        memory = planned(seed, mode).memory
        peaks.append({bound.name: bound.bytes for bound in memory.bounds}["plan family"])
    assert peaks == sorted(peaks, reverse=True)


@settings(max_examples=40, deadline=None)
@given(seeds)
def test_layer_by_layer_the_arena_is_the_live_peak(seed: int) -> None:
    """Against a count of live bytes that knows no storages: each tensor from its producer to its last reader."""
    net = planned(seed, "speed")
    graph, selection, schedule, memory = net.graph, net.selection, net.schedule, net.memory
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


@settings(max_examples=40, deadline=None)
@given(seeds, st.sampled_from([InputMode.CONST, InputMode.ROWS]))
def test_inputs_outside_of_the_arena_replay_clean(seed: int, inputs: InputMode) -> None:
    net = planned(seed, "ram", inputs)
    assert net.violations() == ()
    in_arena = {tensor for placement in net.memory.placements for tensor in placement.buffer.tensors}
    assert not in_arena.intersection(net.graph.inputs)
