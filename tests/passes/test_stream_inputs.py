"""READ_ROWS behind the inputs: who read an input reads the delivered rows, an output that showed it too; the C stays exact."""

from pathlib import Path

import pytest

from tflite_support.builder import Builder, Spec
from tinycompile.driver.prove import verify_model
from tinycompile.frontend import read_model
from tinycompile.passes import run_passes
from tinycompile.passes.stream_inputs import StreamInputs

IMAGE = Spec((1, 3, 2, 4), "int8", 0.5, 1)


def model() -> bytes:
    """Two inputs, one of which is an output too."""
    builder = Builder()
    x, y = builder.input(IMAGE.shape, "int8", 0.5, 1), builder.input(IMAGE.shape, "int8", 0.5, 1)
    return builder.finish([x, y], [builder.op("ADD", [x, y], IMAGE), y])


def test_readers_and_outputs_take_the_rows() -> None:
    before = read_model(model(), "m")
    graph = run_passes(before, (StreamInputs(),))
    assert sorted(node.kind for node in graph.nodes) == ["ADD", "READ_ROWS", "READ_ROWS"]
    assert graph.inputs == before.inputs
    assert {graph.consumers[t][0].kind for t in graph.inputs} == {"READ_ROWS"}
    rows = {node.inputs[0]: node.outputs[0] for node in graph.nodes if node.kind == "READ_ROWS"}
    (add,) = (node for node in graph.nodes if node.kind == "ADD")
    assert add.inputs == tuple(rows[t] for t in graph.inputs)
    assert graph.outputs == (before.outputs[0], rows[graph.inputs[1]])
    assert run_passes(graph, (StreamInputs(),)).nodes == graph.nodes, "a second run finds nothing"


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["const", "rows"])
def test_exact_with_inputs_outside_of_the_arena(tmp_path: Path, mode: str) -> None:
    path = tmp_path / "edges.tflite"
    path.write_bytes(model())
    result = verify_model(path, board="host", input_mode=mode)
    assert result.exact, result.summary()
