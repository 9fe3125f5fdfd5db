"""FULLY_CONNECTED whose units are split: one matrix for each part, exact; what cannot be taken apart stays."""

from pathlib import Path

import numpy as np
import pytest

from tflite_support.builder import Builder, Spec
from tinycompile.driver.prove import verify_model
from tinycompile.frontend import read_model
from tinycompile.ir import Graph
from tinycompile.ops.interpret import evaluate_graph
from tinycompile.passes import run_passes
from tinycompile.passes.split_matrices import SplitMatrices


def model(
    *, batch: int = 1, per_channel: bool = False, whole_is_read: bool = False, bias: bool = True
) -> bytes:
    """FULLY_CONNECTED of 9 units, split into 2, 3 and 4 of them."""
    rng = np.random.default_rng(1)
    builder = Builder()
    x = builder.input((batch, 5), "int8", 0.1, -3)
    scales = tuple(rng.uniform(0.01, 0.05, 9)) if per_channel else 0.02
    zero_points = (0,) * 9 if per_channel else 0
    weights = rng.integers(-127, 128, (9, 5)).astype(np.int8)
    operands = [x, builder.const(weights, scales, zero_points, axis=0)]
    operands.append(builder.const(rng.integers(-900, 900, 9).astype(np.int32), 0.002, 0) if bias else None)
    sums = builder.op("FULLY_CONNECTED", operands, Spec((batch, 9), "int8", 0.3, 5))
    extents, axis = builder.const(np.array([2, 3, -1], np.int32)), builder.const(np.array(1, np.int32))
    specs = [Spec((batch, units), "int8", 0.3, 5) for units in (2, 3, 4)]
    parts = builder.op("SPLIT_V", [sums, extents, axis], specs, num_splits=3)
    return builder.finish([x], [*parts, *([sums] if whole_is_read else [])])


def kinds(graph: Graph) -> list[str]:
    return [node.kind for node in graph.nodes]


@pytest.mark.parametrize("per_channel", [False, True])
@pytest.mark.parametrize("bias", [False, True])
def test_each_part_has_a_matrix(per_channel: bool, bias: bool) -> None:
    before = read_model(model(per_channel=per_channel, bias=bias), "m")
    graph = run_passes(before, (SplitMatrices(),))
    assert kinds(graph) == ["FULLY_CONNECTED"] * 3
    x = np.random.default_rng(2).integers(-128, 128, (1, 5)).astype(np.int8)
    expected = evaluate_graph(before, {before.inputs[0]: x})
    found = evaluate_graph(graph, {graph.inputs[0]: x})
    for a, b in zip(before.outputs, graph.outputs, strict=True):
        np.testing.assert_array_equal(expected[a], found[b])
    assert run_passes(graph, (SplitMatrices(),)).nodes == graph.nodes, "a second run finds nothing"


@pytest.mark.parametrize("options", [{"batch": 2}, {"whole_is_read": True}])
def test_rows_of_a_batch_and_wholes_that_are_read_stay(options: dict[str, bool]) -> None:
    graph = run_passes(read_model(model(**options), "m"), (SplitMatrices(),))
    assert kinds(graph) == ["FULLY_CONNECTED", "SPLIT_V"]


@pytest.mark.slow
def test_exact_in_c(tmp_path: Path) -> None:
    path = tmp_path / "gates.tflite"
    path.write_bytes(model(per_channel=True))
    result = verify_model(path, board="host")
    assert result.exact, result.summary()
