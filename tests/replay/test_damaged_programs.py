"""Damage to the program itself, as a mistake of lowering would do it, is found."""

from collections.abc import Iterable, Iterator
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.replay.random_programs import Planned, of_plan, planned, stages, with_input, with_stage
from tflite_support.builder import Builder, Spec
from tinycompile.board import load_board
from tinycompile.frontend import read_model
from tinycompile.lowering import select
from tinycompile.ops import evaluate_node
from tinycompile.passes import run_passes
from tinycompile.plan import InputMode
from tinycompile.planning import plan
from tinycompile.program import Granularity, Operand, Passing, Program, Pull, RegionCode, Stage
from tinycompile.replay.control import calls_of, wanted
from tinycompile.replay.pointers import Window, pointer, window

seeds = st.integers(0, 10**6)


def windows(program: Program) -> Iterator[tuple[Stage, int, Operand]]:
    """Every window of every stage."""
    for _, stage in stages(program):
        for index, operand in enumerate(stage.inputs):
            if operand.passing is Passing.WINDOW:
                yield stage, index, operand


def passed(program: Program, stage: Stage, operand: Operand) -> dict[int, Window]:
    """The pointers of each call of a stage; there may be rows that nobody needs and nobody computes."""
    (region,) = [region for region, found in stages(program) if found is stage]
    calls = [row for position, row in calls_of(region) if region.stages[position] is stage]
    return {
        row: window(stage, operand, row) if operand.passing is Passing.WINDOW else (pointer(operand, row),)
        for row in calls
    }


def shares(relation: Operand | Pull, calls: Iterable[int]) -> list[list[int]]:
    """Calls that share a window, where all of them run."""
    found: dict[int, list[int]] = {}
    for row in calls:
        found.setdefault((row + relation.lead) // relation.repeat, []).append(row)
    return [rows for rows in found.values() if len(rows) == relation.repeat]


def must_be_found(net: Planned, program: Program, stage: Stage, index: int, changed: Operand) -> bool:
    """True when another row, or none, comes in place of one that the call needs.

    Windows may lie beside the image with all their rows or columns: then nothing is needed. Of calls that share a window one
    needs a row of it, so all of them have to get another one.
    """
    operand = stage.inputs[index]
    before, after = (passed(program, stage, each) for each in (operand, changed))
    wrong = any(
        all(before[row][k] is not None and before[row][k] != after[row][k] for row in rows)
        for rows in shares(operand, before)
        for k in range(len(before[rows[0]]))
    )
    return wrong and depends(net, stage, index)


def depends(net: Planned, stage: Stage, index: int) -> bool:
    """True when the output of a stage changes with an operand."""
    node = next(node for node in net.graph.nodes if node.id == stage.node)
    rng = np.random.default_rng(5)
    values = {key: rng.integers(-128, 128, t.shape).astype(np.int8) for key, t in net.graph.tensors.items()}
    values |= {key: t.values for key, t in net.graph.tensors.items() if t.is_constant}
    before = evaluate_node(net.graph, node, values)
    tensor = net.graph.tensor(node.inputs[stage.operands[index]])
    values[tensor.id] = rng.integers(-128, 128, tensor.shape).astype(np.int8)
    return any((evaluate_node(net.graph, node, values)[key] != before[key]).any() for key in before)


@pytest.mark.slow
@settings(max_examples=30)
@given(seeds)
def test_a_window_with_another_pad_stride_dilation_or_repeat_is_found(seed: int) -> None:
    """Also where the image is lower than the window, so that only the place of a pointer in the window is wrong."""
    net = planned(seed, "ram")
    program = net.program
    for stage, index, operand in windows(program):
        for changed in (
            replace(operand, pad_before=operand.pad_before - 1),
            replace(operand, pad_before=operand.pad_before + 1),
            replace(operand, stride=operand.stride + 1),
            replace(operand, dilation=operand.dilation + 1),
            replace(operand, repeat=operand.repeat + 1),
        ):
            if must_be_found(net, program, stage, index, changed):
                assert net.violations(with_stage(program, stage, with_input(stage, index, changed)))


@pytest.mark.slow
@settings(max_examples=30)
@given(seeds)
def test_a_row_pointer_with_a_stride_is_found(seed: int) -> None:
    net = planned(seed, "ram")
    program = net.program
    for _, stage in stages(program):
        for index, operand in enumerate(stage.inputs):
            changed = replace(operand, stride=operand.stride + 1)
            if operand.passing is Passing.POINTER and must_be_found(net, program, stage, index, changed):
                assert net.violations(with_stage(program, stage, with_input(stage, index, changed)))


def pulls(program: Program) -> Iterator[tuple[RegionCode, Stage, int, Pull]]:
    """Every pull of every stage."""
    for region, stage in stages(program):
        for index, pull in enumerate(stage.pulls):
            yield region, stage, index, pull


@pytest.mark.slow
@settings(max_examples=30)
@given(seeds)
def test_a_pull_that_reaches_one_row_less_is_found(seed: int) -> None:
    """Where no other pull asks for that row first, and there is such a row."""
    net = planned(seed, "ram")
    program = net.program
    for region, stage, index, pull in pulls(program):
        alone = sum(p.stage == pull.stage for s in region.stages for p in s.pulls) == 1
        if alone and pull.stride and pull.stage not in region.targets:
            less = replace(pull, reach=pull.reach - 1)
            calls = [row for position, row in calls_of(region) if region.stages[position] is stage]
            fewer = [wanted(less, rows[0]) < wanted(pull, rows[0]) for rows in shares(pull, calls)]
            asked = (*stage.pulls[:index], less, *stage.pulls[index + 1 :])
            assert not any(fewer) or net.violations(with_stage(program, stage, replace(stage, pulls=asked)))


@pytest.mark.slow
@settings(max_examples=30)
@given(seeds)
def test_an_operand_with_another_modulus_than_its_ring_is_found(seed: int) -> None:
    """The reader alone takes one row less or more; the plan is right."""
    net = planned(seed, "ram")
    program = net.program
    for _, stage in stages(program):
        for index, operand in enumerate(stage.inputs):
            for rows in (operand.ring_rows - 1, operand.ring_rows + 1):
                other = replace(operand, ring_rows=rows)
                if operand.ring_rows > 1 and must_be_found(net, program, stage, index, other):
                    assert net.violations(with_stage(program, stage, with_input(stage, index, other)))


@pytest.mark.slow
@settings(max_examples=30)
@given(seeds)
def test_an_operand_one_byte_off_is_found(seed: int) -> None:
    net = planned(seed, "ram")
    program = net.program
    for _, stage in stages(program):
        for index, operand in enumerate(stage.inputs):
            pointers = [at for window in passed(program, stage, operand).values() for at in window]
            if not operand.by_row or any(at is not None and at.row is not None for at in pointers):
                other = replace(operand, offset=operand.offset + 1)
                assert net.violations(with_stage(program, stage, with_input(stage, index, other)))


@pytest.mark.slow
@settings(max_examples=30)
@given(seeds)
def test_targets_and_rows_that_are_left_out_are_found(seed: int) -> None:
    """Rows of outputs of the graph: of other tensors there may be some that nobody needs."""
    net = planned(seed, "ram")
    program = net.program
    kept = {net.graph.producers[tensor].id for tensor in net.graph.outputs if tensor in net.graph.producers}
    for region in program.regions:
        for stage in region.stages:
            if stage.node in kept and stage.calls > 1:
                assert net.violations(with_stage(program, stage, replace(stage, calls=stage.calls - 1)))
        if len(region.targets) > 1:
            short = replace(region, targets=region.targets[:-1])
            regions = tuple(short if r is region else r for r in program.regions)
            assert net.violations(replace(program, regions=regions))


@pytest.mark.slow
@settings(max_examples=20)
@given(seeds, st.sampled_from([InputMode.ARENA, InputMode.CONST]))
def test_a_port_one_byte_off_is_found(seed: int, inputs: InputMode) -> None:
    net = planned(seed, "speed", inputs)
    program = net.program
    for index, port in enumerate(program.outputs):
        moved = replace(port, offset=port.offset + 1)
        ports = (*program.outputs[:index], moved, *program.outputs[index + 1 :])
        assert any("output" in v for v in net.violations(replace(program, outputs=ports)))


def test_stages_that_wait_for_each_other_are_found() -> None:
    net = next(net for seed in range(50) if (net := planned(seed, "ram")) if any(pulls(net.program)))
    program = net.program
    region, _, _, pull = next(pulls(program))
    source = region.stages[pull.stage]
    circle = with_stage(program, source, replace(source, pulls=(Pull(pull.stage, 0, 9, 9),)))
    assert any("waits for itself" in violation for violation in net.violations(circle))
    reader = next(stage for _, stage, _, found in pulls(program) if found is pull)
    greedy = with_stage(program, reader, replace(reader, pulls=(Pull(pull.stage, 0, 99, 99),)))
    assert any("more rows than it has" in violation for violation in net.violations(greedy))


def test_swapped_operands_are_found() -> None:
    """Two inputs of equal shape: everything is in its place, but in the wrong order."""
    builder = Builder()
    a, b = (builder.input((1, 4, 3, 2), "int8", 0.5, zero) for zero in (0, 3))
    y = builder.op("SUB", [a, b], Spec((1, 4, 3, 2), "int8", 1.0, 0))
    net = layer(builder.finish([a, b], [y]))
    program = net.program
    ((_, stage),) = stages(program)
    first, second = stage.inputs
    assert net.violations(with_stage(program, stage, replace(stage, inputs=(second, first))))
    dropped = replace(stage, inputs=(first,), operands=(0,))
    (violation,) = net.violations(with_stage(program, stage, dropped))
    assert "no pointer to" in violation


def layer(model: bytes) -> Planned:
    """A model on a Cortex-M7."""
    graph = run_passes(read_model(model, "layer"))
    return of_plan(graph, plan(graph, select(graph, load_board("m7"))))


def convolution(rows: int, channels: int, taps: int) -> Planned:
    """A convolution that keeps the extents of its image, of six columns."""
    rng = np.random.default_rng(3)
    builder = Builder()
    x = builder.input((1, rows, 6, 8), "int8", 0.5, 4)
    weights = builder.const(rng.integers(-127, 128, (channels, taps, taps, 8)).astype(np.int8), 0.004)
    bias = builder.const(np.zeros(channels, np.int32), 0.002)
    spec = Spec((1, rows, 6, channels), "int8", 0.5, -3)
    y = builder.op("CONV_2D", [x, weights, bias], spec, padding="SAME", stride_h=1, stride_w=1)
    return layer(builder.finish([x], [y]))


@pytest.mark.parametrize("rows", [1, 2, 3, 9])
def test_a_pointer_in_the_wrong_place_of_a_window_is_found(rows: int) -> None:
    """A row of a low image stays in the window when the pad is wrong, but comes before another row of the filter."""
    net = convolution(rows, 8, 5)
    program = net.program
    assert net.violations() == ()
    ((stage, index, operand),) = windows(program)
    for pad in (1, 3):
        shifted = with_stage(program, stage, with_input(stage, index, replace(operand, pad_before=pad)))
        assert any("of the filter" in violation for violation in net.violations(shifted))


@pytest.mark.parametrize("channels", [8, 16])
def test_pixels_in_order_over_their_input(channels: int) -> None:
    """A 1x1 convolution at once: behind each step of its kernel nothing is written over what is still to be read."""
    net = convolution(9, channels, 1)
    program = net.program
    ((_, stage),) = stages(program)
    (source,), (output,) = stage.inputs, stage.outputs
    assert stage.granularity is Granularity.WHOLE
    step = net.selection[stage.node].chosen.step_pixels
    highest = min(source.offset + pixel * 8 - pixel * channels for pixel in range(step, 9 * 6, step))

    def damaged_pixels(offset: int) -> list[str]:
        moved = replace(stage, outputs=(replace(output, offset=offset),))
        longer = with_stage(replace(program, arena_bytes=2000), stage, moved)
        return [violation for violation in net.violations(longer) if "pixel" in violation]

    assert not damaged_pixels(highest)
    assert damaged_pixels(highest + 1)
