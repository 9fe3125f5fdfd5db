"""Verification of the hand-written directory: exact as it is, traced to its layer when it is damaged."""

import json

import numpy as np
import pytest

from tinycompile.board import board_names, load_board
from tinycompile.errors import ToolError, UsageError
from tinycompile.toolchain import bench_directory, verify_directory
from tinycompile.toolchain import oracle as oracle_module
from tinycompile.toolchain.oracle import ask_oracles, run_oracle

HOST = load_board("host")
ORACLES = [
    pytest.param("tflite-runtime", marks=pytest.mark.needs("module:tflite_runtime")),
    pytest.param("tflm", marks=pytest.mark.needs("module:tflite_micro")),
]
BOARDS = [
    pytest.param(name, marks=[] if load_board(name).is_host else [pytest.mark.qemu])
    for name in board_names()
    if name in ("host", "m7")
]


@pytest.mark.parametrize("oracle", ORACLES)
@pytest.mark.parametrize("board", BOARDS)
def test_exact(board, oracle, make_toy, toy_model, toy_samples):
    result = verify_directory(make_toy(), load_board(board), toy_model, toy_samples, oracle)
    assert (result.exact, result.samples, result.difference) == (True, 3, None)
    assert "exact" in result.summary()


@pytest.mark.slow
@pytest.mark.parametrize("oracle", ORACLES)
def test_the_layer_that_differs_is_named(oracle, make_toy, toy_model, toy_samples):
    """Value 77 becomes 78 in layer 0; only sample 2 holds it, at row 1, column 3 of the input."""
    result = verify_directory(make_toy(wrong=77), HOST, toy_model, toy_samples, oracle)
    assert (result.exact, result.differing_samples) == (False, 1)
    found = result.difference
    assert (found.sample, found.output, found.index, found.expected, found.got) == (2, 0, (1, 3), 77, 78)
    layer = found.layer
    assert (layer.layer, layer.name, layer.index, layer.expected, layer.got) == (0, "t", (3, 1), 77, 78)
    assert json.loads(json.dumps(result.as_dict()))["difference"]["layer"]["layer"] == 0
    assert '0 TRANSPOSE "t"' in result.summary()


@pytest.mark.slow
@pytest.mark.needs("module:tflite_runtime")
def test_a_later_layer_is_told_from_an_earlier_one(make_toy, toy_model, toy_samples):
    result = verify_directory(make_toy("arena[9] ^= 1;"), HOST, toy_model, toy_samples, "tflite-runtime")
    assert (result.difference.index, result.difference.layer.layer) == ((1, 1), 1)
    assert result.differing_samples == 3


@pytest.mark.slow
@pytest.mark.needs("module:tflite_runtime")
def test_work_dir_is_kept_and_built_once(make_toy, toy_model, toy_samples, tmp_path):
    work = tmp_path / "work"
    directory = make_toy()
    verify_directory(directory, HOST, toy_model, toy_samples, work_dir=work)
    program = work / "plain" / "tc_harness"
    built = program.stat().st_mtime_ns
    bench_directory(directory, HOST, toy_samples, work_dir=work)
    assert program.stat().st_mtime_ns == built


def test_unknown_and_missing_oracles(monkeypatch, toy_model, toy_samples):
    with pytest.raises(UsageError, match="tflite-runtime, tflm, litert"):
        run_oracle("tensorflow", toy_model, toy_samples)
    monkeypatch.setattr(oracle_module, "available_oracles", lambda: ("litert",))
    with pytest.raises(ToolError, match="pip install tflite-runtime or use --oracle litert"):
        run_oracle("tflite-runtime", toy_model, toy_samples)


@pytest.mark.needs("module:tflite_runtime")
def test_model_that_the_oracle_refuses(toy_samples):
    with pytest.raises(ToolError, match="--oracle") as caught:
        ask_oracles(["tflite-runtime"], b"\x1c\0\0\0TFL3" + bytes(100), toy_samples)
    assert caught.value.exit_code == 5
    assert "Traceback" not in str(caught.value)


@pytest.mark.models
@pytest.mark.needs("module:tflite_micro", "module:tflite_runtime")
def test_model_that_crashes_the_oracle(models_dir):
    """tflite_runtime aborts on this file; we survive, say what runs it, and ask that one when the choice is ours."""
    model = (models_dir / "keyword_scrambled_8bit.tflite").read_bytes()
    sample = (np.zeros((1, 96), np.int16),)
    with pytest.raises(ToolError, match=r"killed by signal[\s\S]*--oracle tflm"):
        ask_oracles(["tflite-runtime"], model, [sample])
    oracle, result = ask_oracles(["tflite-runtime", "tflm"], model, [sample])
    assert oracle == "tflm"
    assert result.outputs[0][0].size > 0


@pytest.mark.needs("module:tflite_runtime")
def test_intermediate_tensors_are_those_of_the_last_sample(toy_model, toy_samples):
    result = run_oracle("tflite-runtime", toy_model, toy_samples, tensors=[2])
    assert result.tensors[2].tolist() == toy_samples[2][0].T.tolist()
    assert [output.tolist() for (output,) in result.outputs] == [data.tolist() for (data,) in toy_samples]


def test_bench_on_the_host_says_what_it_does_not_measure(make_toy, toy_samples):
    result = bench_directory(make_toy(), HOST, toy_samples)
    assert (result.instructions, result.cycles_m7, result.stack_bytes) == (None, None, None)
    assert result.weights_bytes == 256
    assert "not measured" in result.notes[0]


@pytest.mark.qemu
def test_bench_with_layers(make_toy, toy_samples):
    result = bench_directory(make_toy(), load_board("m7"), toy_samples, layers=True)
    assert result.notes == ()
    assert [(layer.index, layer.name) for layer in result.layers] == [(0, "t"), (1, "u")]
    assert result.instructions == pytest.approx(sum(layer.instructions for layer in result.layers), abs=4)
    assert result.instructions / 2 < result.cycles_m7 < result.cycles_m4 < 3 * result.instructions
    assert 0 < result.stack_bytes <= result.stack_bound_bytes < 200
    assert result.as_dict()["layers"][1]["cycles_m7"] == result.layers[1].cycles_m7


@pytest.mark.qemu
def test_bench_without_a_cycle_model_and_with_one_sample(make_toy, toy_samples):
    result = bench_directory(make_toy(), load_board("m33"), toy_samples[:1])
    assert (result.cycles_m7, result.cycles_m4) == (None, None)
    assert "no cycle model for cortex-m33" in result.notes[0]
    assert result.instructions > 100
