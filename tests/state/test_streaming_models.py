"""Variables: the reference semantics, the passes and the generated C against the reference interpreter, call after call."""

from functools import cache
from pathlib import Path

import numpy as np
import pytest

from tests.state.models import MODELS
from tflite_support.oracles import Answer, Question, ask
from tinycompile.driver import compile_model
from tinycompile.driver.prove import verify_model
from tinycompile.frontend import read_model
from tinycompile.ir import Graph
from tinycompile.ops import evaluate_graph, initial_state, next_state
from tinycompile.passes import PASSES, run_passes

pytestmark = pytest.mark.needs("module:tflite_runtime")

CALLS = 12
REAL_MODELS = ("okay_nabu", "hey_jarvis")


def _samples(graph: Graph, calls: int = CALLS) -> list[list[np.ndarray]]:
    rng = np.random.default_rng(3)
    tensors = [graph.tensors[t] for t in graph.inputs]
    return [[rng.integers(-60, 60, t.shape).astype(t.dtype.numpy) for t in tensors] for _ in range(calls)]


@cache
def _expected() -> dict[str, Answer]:
    """What tflite-runtime gives for each model, call after call in one interpreter."""
    questions = [Question(model, _samples(read_model(model, name))) for name, model in MODELS.items()]
    return dict(zip(MODELS, ask(questions, "tflite-runtime"), strict=True))


def _run(graph: Graph, samples: list[list[np.ndarray]]) -> list[list[np.ndarray]]:
    state, outputs = initial_state(graph), []
    for sample in samples:
        values = evaluate_graph(graph, dict(zip(graph.inputs, sample, strict=True)), state)
        state = next_state(graph, values)
        outputs.append([values[t] for t in graph.outputs])
    return outputs


def _check(found: list[list[np.ndarray]], expected: Answer) -> None:
    assert expected.refusal is None
    for got, wanted in zip(found, expected.outputs, strict=True):
        for a, b in zip(got, wanted, strict=True):
            np.testing.assert_array_equal(a, b.reshape(a.shape))


@pytest.mark.parametrize("name", MODELS)
def test_the_imported_graph(name: str) -> None:
    graph = read_model(MODELS[name], name)
    _check(_run(graph, _samples(graph)), _expected()[name])


@pytest.mark.parametrize("name", MODELS)
def test_every_pass(name: str) -> None:
    graph = read_model(MODELS[name], name)
    samples = _samples(graph)
    for step in PASSES:
        graph = run_passes(graph, [step])
        _check(_run(graph, samples), _expected()[name])
        assert [n.kind for n in step.run(graph).nodes] == [n.kind for n in graph.nodes], (
            "a second run finds more"
        )


@pytest.mark.parametrize("name", MODELS)
def test_outputs_depend_on_the_state(name: str) -> None:
    """The tests above would not notice state that is lost if the models did not use it."""
    graph = read_model(MODELS[name], name)
    sample = _samples(graph, 1)
    found = _run(graph, sample * 3)
    changes = any((a != b).any() for got in found[1:] for a, b in zip(found[0], got, strict=True))
    assert changes == (name != "constants")


ON_M7 = ("mixed_windows", "mixed_windows_odd", "mixed_windows_unaligned", "two_stages", "rotate")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "board"),
    [
        *((name, "host") for name in MODELS),
        *(pytest.param(name, "m7", marks=pytest.mark.qemu) for name in ON_M7),
    ],
)
def test_generated_code(name: str, board: str, tmp_path: Path) -> None:
    path = tmp_path / f"{name}.tflite"
    path.write_bytes(MODELS[name])
    result = verify_model(path, board=board, samples=CALLS)
    assert result.exact, result.summary()


@pytest.mark.slow
@pytest.mark.models
@pytest.mark.parametrize("board", ["host", pytest.param("m7", marks=pytest.mark.qemu)])
@pytest.mark.parametrize("name", REAL_MODELS)
def test_real_models_stay_exact(name: str, board: str, models_dir: Path) -> None:
    result = verify_model(models_dir / f"{name}.tflite", board=board, samples=200)
    assert result.exact, result.summary()


@pytest.mark.models
@pytest.mark.parametrize(
    ("name", "state_bytes", "tensor_bytes", "all_bytes"),
    [("okay_nabu", 2896, 3080, 3200), ("hey_jarvis", 2840, 2990, 3060)],
)
def test_state_is_the_variables_and_no_copies_of_them(
    name: str, state_bytes: int, tensor_bytes: int, all_bytes: int, models_dir: Path
) -> None:
    """The figures of the memory study for rows that stay in place, of which none is kept in vain; it counts no scratch."""
    program = compile_model(models_dir / f"{name}.tflite", board="m7", optimize="ram").program
    assert program.state_bytes == state_bytes
    assert (
        state_bytes + max(layer.arena_bytes - layer.scratch_bytes for layer in program.layers) <= tensor_bytes
    )
    assert state_bytes + program.arena_bytes <= all_bytes
    assert not {"STRIDED_SLICE", "SPLIT_V"}.intersection(layer.op for layer in program.layers)
