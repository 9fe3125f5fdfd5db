"""First layers in vertical stripes: the same bytes for every number of stripes, and what cannot be striped is left alone."""

import logging
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.replay.random_programs import of_plan
from tflite_support.builder import Builder, Spec
from tinycompile.board import load_board
from tinycompile.driver import compile_model
from tinycompile.driver.prove import verify_model
from tinycompile.frontend import read_model
from tinycompile.ir import Graph
from tinycompile.lowering import select
from tinycompile.ops import columns_before, operation, operator_of
from tinycompile.ops.interpret import evaluate_graph
from tinycompile.passes import SplitStripes, run_passes
from tinycompile.plan import InputMode, Stripes
from tinycompile.planning import plan, stripes_within

WIDTH = 23


def model() -> bytes:
    """Convolution, pooling, a residual block, a stride with VALID padding, and a matrix behind all columns."""
    rng = np.random.default_rng(4)
    builder = Builder()
    x = builder.input((1, 12, WIDTH, 3), "int8", 0.5, 4)

    def convolution(
        source: int, depth: int, channels: int, taps: int, shape: tuple[int, ...], **how: object
    ) -> int:
        weights = rng.integers(-127, 128, (channels, taps, taps, depth)).astype(np.int8)
        operands = [source, builder.const(weights, 0.004), builder.const(np.zeros(channels, np.int32), 0.002)]
        options = {"padding": "SAME", "stride_w": 1, "stride_h": 1, **how}
        return builder.op("CONV_2D", operands, Spec(shape, "int8", 0.5, -3), **options)

    first = convolution(x, 3, 6, 3, (1, 12, WIDTH, 6))
    pooled = builder.op(
        "AVERAGE_POOL_2D", [first], Spec((1, 12, WIDTH, 6), "int8", 0.5, -3),
        padding="SAME", stride_w=1, stride_h=1, filter_width=3, filter_height=2,
    )  # fmt: skip
    weights = builder.const(rng.integers(-127, 128, (1, 3, 3, 6)).astype(np.int8), 0.01)
    operands = [pooled, weights, builder.const(np.zeros(6, np.int32), 0.005)]
    spec = Spec((1, 12, WIDTH, 6), "int8", 0.5, 1)
    dilated = builder.op(
        "DEPTHWISE_CONV_2D", operands, spec, padding="SAME", stride_w=1, stride_h=1, depth_multiplier=1,
        dilation_w_factor=2, dilation_h_factor=1,
    )  # fmt: skip
    added = builder.op("ADD", [dilated, pooled], Spec((1, 12, WIDTH, 6), "int8", 0.7, 2))
    narrow = convolution(added, 6, 5, 3, (1, 5, 11, 5), padding="VALID", stride_w=2, stride_h=2)
    last = builder.const(rng.integers(-127, 128, (4, 5 * 11 * 5)).astype(np.int8), 0.01)
    y = builder.op(
        "FULLY_CONNECTED", [narrow, last, builder.const(np.zeros(4, np.int32))], Spec((1, 4), "int8", 1.5)
    )
    return builder.finish([x], [y])


def graph_of_model() -> Graph:
    return run_passes(read_model(model(), "m"))


def image_before_matrix(graph: Graph) -> int:
    (matrix,) = (node for node in graph.nodes if node.kind == "FULLY_CONNECTED")
    return graph.tensor(matrix.inputs[0]).id


@pytest.mark.parametrize("count", [2, 3, 5, 11])
def test_stripes_compute_the_same_bytes(count: int) -> None:
    graph = graph_of_model()
    step = SplitStripes(Stripes(image_before_matrix(graph), count))
    striped = run_passes(graph, (step,))
    assert [node.kind for node in striped.nodes].count("PASTE_COLUMNS") == count
    image = np.random.default_rng(2).integers(-128, 128, (1, 12, WIDTH, 3)).astype(np.int8)
    expected = evaluate_graph(graph, {graph.inputs[0]: image})[graph.outputs[0]]
    found = evaluate_graph(striped, {striped.inputs[0]: image})[striped.outputs[0]]
    np.testing.assert_array_equal(found, expected)
    assert run_passes(striped, (step,)).nodes == striped.nodes, "a second run finds nothing"


def test_stripes_overlap_by_what_the_windows_reach() -> None:
    """Columns 4 and 5 of 11 behind stride 2 and 3 taps: columns 8 to 12 of 23, and one (two, dilated) more at each window."""
    graph = graph_of_model()
    computed = columns_before(graph, image_before_matrix(graph), (4, 6))
    assert computed is not None
    by_kind = {node.kind: computed[node.outputs[0]] for node in graph.nodes if node.outputs[0] in computed}
    assert by_kind["ADD"] == (8, 13)
    assert by_kind["DEPTHWISE_CONV_2D"] == (8, 13)
    assert by_kind["AVERAGE_POOL_2D"] == (6, 15)
    assert computed[graph.inputs[0]] == (4, 17)


def test_choices_stay_within_the_allowed_macs() -> None:
    graph = graph_of_model()
    selection = select(graph, load_board("m7"), "ram")
    macs = executed_macs(graph)
    choices = stripes_within(graph, selection, 40, InputMode.CONST)
    assert choices
    for choice in choices:
        striped = run_passes(graph, (SplitStripes(choice.stripes),))
        assert macs < executed_macs(striped) <= 1.4 * macs
    assert stripes_within(graph, selection, 0, InputMode.CONST) == []
    assert stripes_within(graph, selection, 40, InputMode.ROWS) == []


def test_an_allowance_that_has_no_effect_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []
    monkeypatch.setattr(logging.getLogger("tinycompile.driver.compile"), "warning", told.append)
    with_allowance, without = (
        compile_model(model(), board="host", input_mode="rows", recompute=percent) for percent in (40.0, 0.0)
    )
    assert with_allowance.program.arena_bytes == without.program.arena_bytes
    assert told == [
        "--recompute has no effect with --input rows: stripes would read rows again, which come once"
    ]


def executed_macs(graph: Graph) -> int:
    return sum(operator_of(node).macs(operation(graph, node)) for node in graph.nodes)


@pytest.mark.parametrize("inputs", [InputMode.ARENA, InputMode.CONST])
def test_plans_of_stripes_replay_clean_and_damage_is_found(inputs: InputMode) -> None:
    """Every ring of several rows is needed in full."""
    graph = graph_of_model()
    striped = run_passes(graph, (SplitStripes(Stripes(image_before_matrix(graph), 3)),))
    selection = select(striped, load_board("m7"), "ram")
    net = of_plan(striped, plan(striped, selection, optimize="ram", input_mode=inputs))
    assert net.violations() == ()
    rings = list(net.rings())
    assert rings
    for index, place in rings:
        short = replace(place, buffer=replace(place.buffer, ring_rows=place.buffer.ring_rows - 1))
        assert net.with_placement(index, short).violations()


@pytest.mark.slow
@pytest.mark.parametrize("board", ["host", pytest.param("m7", marks=pytest.mark.qemu)])
def test_exact_in_c_and_smaller(tmp_path: Path, board: str) -> None:
    path = tmp_path / "stripes.tflite"
    path.write_bytes(model())
    with_stripes = compile_model(path, board=board, optimize="ram", input_mode="const", recompute=40)
    without = compile_model(path, board=board, optimize="ram", input_mode="const")
    assert any(layer.op == "PASTE_COLUMNS" for layer in with_stripes.program.layers)
    assert with_stripes.program.arena_bytes < without.program.arena_bytes
    assert with_stripes.program.macs == without.program.macs
    result = verify_model(path, board=board, optimize="ram", input_mode="const", recompute=40)
    assert result.exact, result.summary()
