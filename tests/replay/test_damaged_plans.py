"""Damage to the plan of a random network is found in the program that is made of it."""

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.replay.random_programs import Planned, of_plan, planned
from tinycompile.board import load_board
from tinycompile.frontend import read_model
from tinycompile.lowering import select
from tinycompile.ops import operation, operator_of, row_shape
from tinycompile.passes import run_passes
from tinycompile.plan import BufferKind, InputMode, Placement
from tinycompile.planning import plan

pytestmark = pytest.mark.slow

seeds = st.integers(0, 10**6)


@settings(max_examples=40)
@given(seeds)
def test_a_ring_one_row_short_is_found(seed: int) -> None:
    net = planned(seed, "ram")
    for index, placement in net.rings():
        short = replace(placement.buffer, ring_rows=placement.buffer.ring_rows - 1)
        assert net.with_placement(index, replace(placement, buffer=short)).violations()


@settings(max_examples=40)
@given(seeds)
def test_a_buffer_one_byte_into_its_neighbour_is_found(seed: int) -> None:
    """Where two full buffers touch and one is read after the other was written."""
    net = planned(seed, "speed")
    for index, low in enumerate(net.memory.placements):
        for high in net.memory.placements:
            if low.end == high.offset and _both_needed(net, low, high):
                damaged = net.with_placement(index, replace(low, offset=low.offset + 1), more_bytes=1)
                assert damaged.violations()


def _both_needed(net: Planned, a: Placement, b: Placement) -> bool:
    """Full buffers that live together in a region in which the last byte of each is needed: it reads one of them whole."""
    if a.buffer.kind is not BufferKind.FULL or b.buffer.kind is not BufferKind.FULL:
        return False
    later, earlier = (a, b) if a.buffer.first > b.buffer.first else (b, a)
    if later.buffer.first > earlier.buffer.last or later.buffer.first == earlier.buffer.first:
        return False
    return _read_after(net, earlier, later.buffer.first)


def _read_after(net: Planned, placement: Placement, region: int) -> bool:
    """True when all of the buffer is read in a later region, or is an output of the graph."""
    tensors = set(placement.buffer.tensors)
    if tensors.intersection(net.graph.outputs):
        return True
    nodes = {node.id: node for node in net.graph.nodes}
    for later in net.schedule.regions[region + 1 :]:
        for node_id in later.nodes:
            current = operation(net.graph, nodes[node_id])
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


def test_one_byte_less_between_output_and_input_is_found(digits_model: Path) -> None:
    """The worked model of docs/memory-planning.md: when 7 of 8 rows of the pooling are written, rows 13 to 15 of the image are
    still to be read. So the image may begin no earlier than byte 7 * 96 - 13 * 16 of the output."""
    graph = run_passes(read_model(digits_model.read_bytes(), "digits"))
    selection = select(graph, load_board("host"), "ram")
    net = of_plan(graph, plan(graph, selection, optimize="ram"), "host")
    assert net.violations() == ()
    ((index, image),) = [
        (index, place)
        for index, place in enumerate(net.memory.placements)
        if set(place.buffer.tensors) == set(graph.inputs)
    ]
    assert net.with_placement(index, replace(image, offset=464)).violations() == ()
    (violation, *_) = net.with_placement(index, replace(image, offset=463)).violations()
    assert "CONV_2D" in violation and "'digits/maxpool_1'" in violation and "'image'" in violation


@settings(max_examples=20)
@given(seeds)
def test_an_arena_one_byte_short_is_found(seed: int) -> None:
    net = planned(seed, "ram")
    high_water = net.replayed().high_water_bytes
    short = replace(net, memory=replace(net.memory, arena_bytes=high_water - 1))
    assert any("inside of" in violation for violation in short.violations())


@settings(max_examples=20)
@given(seeds)
def test_regions_in_a_wrong_order_are_found(seed: int) -> None:
    """Each region in turn runs before the one ahead of it, from which it reads."""
    net = planned(seed, "speed")
    regions = net.schedule.regions
    for first, second in pairwise(regions):
        if _reads_from(net, second.nodes, first.nodes):
            swapped = [second if r is first else first if r is second else r for r in regions]
            assert replace(net, schedule=replace(net.schedule, regions=tuple(swapped))).violations()


def _reads_from(net: Planned, readers: tuple[int, ...], writers: tuple[int, ...]) -> bool:
    written = {t for node in net.graph.nodes if node.id in writers for t in node.outputs}
    return any(t in written for node in net.graph.nodes if node.id in readers for t in node.inputs)


@settings(max_examples=20)
@given(seeds)
def test_an_operator_that_does_not_run_is_found(seed: int) -> None:
    net = planned(seed, "speed")
    for region in net.schedule.regions:
        rest = tuple(r for r in net.schedule.regions if r is not region)
        violations = replace(net, schedule=replace(net.schedule, regions=rest)).violations()
        assert any("stages of the operators" in violation for violation in violations)


@settings(max_examples=20)
@given(seeds)
def test_scratch_over_an_operand_is_found(seed: int) -> None:
    net = planned(seed, "speed")
    nodes = {node.id: node for node in net.graph.nodes}
    places = {tensor: place for place in net.memory.placements for tensor in place.buffer.tensors}
    for index, placement in enumerate(net.memory.placements):
        if placement.buffer.node is None:
            continue
        for tensor in nodes[placement.buffer.node].inputs:
            offset = places[tensor].offset // 16 * 16 if tensor in places else 0
            if tensor in places and offset + placement.buffer.bytes > places[tensor].offset:
                more = max(offset + placement.buffer.bytes - net.memory.arena_bytes, 0)
                damaged = net.with_placement(index, replace(placement, offset=offset), more_bytes=more)
                assert any("garbage" in violation for violation in damaged.violations())


@settings(max_examples=20)
@given(seeds)
def test_writing_to_an_input_of_the_caller_is_found(seed: int) -> None:
    """Every full buffer that fits is put into the first input, which the caller may have in flash."""
    net = planned(seed, "speed", InputMode.CONST)
    (first, *others) = net.memory.inputs
    for index, placement in enumerate(net.memory.placements):
        if placement.buffer.tensors and placement.buffer.bytes <= first.buffer.bytes:
            tensors = (*first.buffer.tensors, *placement.buffer.tensors)
            shared = replace(first, buffer=replace(first.buffer, tensors=tensors))
            rest = (*net.memory.placements[:index], *net.memory.placements[index + 1 :])
            damaged = replace(net.memory, placements=rest, inputs=(shared, *others))
            violations = replace(net, memory=damaged).violations()
            assert any("it is the caller's" in violation for violation in violations)


@settings(max_examples=20)
@given(seeds)
def test_rows_that_are_asked_for_out_of_turn_are_found(seed: int) -> None:
    net = planned(seed, "speed", InputMode.ROWS)
    sources = {node.id for node in net.graph.nodes if node.kind == "READ_ROWS"}
    assert sources
    for region in net.schedule.regions:
        if sources.intersection(region.nodes) and len(region.nodes) == 1:
            turned = replace(region, backward=True)
            regions = tuple(turned if r is region else r for r in net.schedule.regions)
            violations = replace(net, schedule=replace(net.schedule, regions=regions)).violations()
            assert any("out of turn" in violation for violation in violations)
