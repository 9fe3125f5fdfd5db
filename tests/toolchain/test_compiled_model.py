"""The tools on a compiled model, the project's own: damage is found where it was done, and two emulators agree."""

import json
import re

import pytest

import tinycompile
from tinycompile.board import load_board
from tinycompile.driver.output import write_directory
from tinycompile.toolchain import bench_directory, make_samples, read_generated, verify_directory

CONSTANT = re.compile(r"(const int32_t \w+_l(?P<layer>\d+)_\w+\[\d+\] = \{\s+)(?P<first>-?\d+)")


@pytest.fixture
def compiled(digits_model, tmp_path):
    """Compile for a board: the directory, the model and two samples."""

    def compile_for(board):
        result = tinycompile.compile_model(digits_model, board=board)
        directory = tmp_path / "generated"
        write_directory(result.files, directory)
        return directory, result.model, make_samples(read_generated(directory), result.model, 2)

    return compile_for


def damage(directory):
    """Change the first number of a constant of a layer in the middle (a bias, or packed weights); returns the layer."""
    path = next(directory.glob("*_weights.c"))
    text = path.read_text()
    constants = list(CONSTANT.finditer(text))
    chosen = constants[len(constants) // 2]
    start, end = chosen.span("first")
    path.write_text(f"{text[:start]}{int(chosen['first']) + 100_000}{text[end:]}")
    return int(chosen["layer"])


@pytest.mark.slow
@pytest.mark.needs("module:tflite_runtime")
@pytest.mark.parametrize("board", ["host", pytest.param("m7", marks=pytest.mark.qemu)])
def test_damage_is_found_in_its_layer(board, compiled):
    directory, model, samples = compiled(board)
    exact = verify_directory(directory, load_board(board), model, samples)
    assert exact.exact, exact.summary()
    layer = damage(directory)
    result = verify_directory(directory, load_board(board), model, samples)
    assert not result.exact
    assert result.difference.layer.layer == layer


@pytest.mark.qemu
@pytest.mark.needs("llvm-mca")
def test_measurements_agree_with_each_other(compiled):
    directory, _, samples = compiled("m7")
    result = bench_directory(directory, load_board("m7"), samples, layers=True)
    assert not [note for note in result.notes if "Unicorn" in note]
    assert sum(layer.instructions for layer in result.layers) == pytest.approx(result.instructions, rel=0.02)
    assert sum(layer.cycles_m7 for layer in result.layers) == pytest.approx(result.cycles_m7, rel=0.02)
    assert result.stack_bytes <= result.stack_bound_bytes
    report = json.loads((directory / "report.json").read_text())
    assert 0 <= result.weights_bytes - report["weights_bytes"] <= 64  # alignment, where they are linked
