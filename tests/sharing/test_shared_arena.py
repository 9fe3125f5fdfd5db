"""`build --shared-arena`: several models in one firmware take turns in one arena, and every output is exact."""

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result

from tests.state.models import MODELS
from tflite_support.oracles import Question, ask
from tinycompile.board import load_board
from tinycompile.cli import main
from tinycompile.codegen.environment import environment
from tinycompile.driver import compile_model
from tinycompile.driver.share import compile_shared
from tinycompile.errors import FitError
from tinycompile.frontend import read_model
from tinycompile.ir import Array
from tinycompile.ops import evaluate_graph, initial_state, next_state

STREAMING = "mixed_windows"
TURNS = 4
SECONDS = 120

CMAKE = """
cmake_minimum_required(VERSION 3.16)
project(firmware LANGUAGES C)
add_compile_options(-Wall -Wextra -Werror {flags})
add_subdirectory(models)
add_executable(firmware main.c {sources})
set_target_properties(firmware PROPERTIES SUFFIX "")
target_include_directories(firmware PRIVATE {include})
target_link_libraries(firmware PRIVATE shared m)
target_link_options(firmware PRIVATE {link})
"""


def build(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, ["build", *map(str, arguments)])


def files(directory: Path) -> dict[str, bytes]:
    return {p.relative_to(directory).as_posix(): p.read_bytes() for p in directory.rglob("*") if p.is_file()}


@pytest.fixture(scope="module")
def models(digits_model: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """A model without state and one that streams."""
    streaming = tmp_path_factory.mktemp("models") / "streaming.tflite"
    streaming.write_bytes(MODELS[STREAMING])
    return [digits_model, streaming]


@pytest.fixture(scope="module")
def runs(models: list[Path]) -> dict[str, list[dict[str, Array]]]:
    """Inputs of each turn, and what the references make of them."""
    rng = np.random.default_rng(5)
    images = [rng.integers(-128, 128, (1, 16, 16, 1)).astype(np.int8) for _ in range(TURNS)]
    (answer,) = ask([Question(models[0].read_bytes(), [[image] for image in images])])
    assert answer.refusal is None, answer.refusal
    graph = read_model(models[1].read_bytes(), "streaming")
    tensor, state, streamed = graph.tensors[graph.inputs[0]], initial_state(graph), []
    for _ in range(TURNS):
        values = rng.integers(-60, 60, tensor.shape).astype(np.int8)
        result = evaluate_graph(graph, {tensor.id: values}, state)
        state = next_state(graph, result)
        streamed.append({"input": values, "output": result[graph.outputs[0]]})
    stateless = [{"input": x, "output": y[0]} for x, y in zip(images, answer.outputs, strict=True)]
    return {"digits_int8": stateless, "streaming": streamed}


def firmware(
    models: list[Path], runs: dict[str, Any], folder: Path, board: str, *options: str, **cmake: str
) -> Path:
    """Build both models and the program that runs them in turn."""
    assert (
        build(*models, "--shared-arena", "--board", board, "-o", folder / "models", *options).exit_code == 0
    )
    template = (Path(__file__).parent / "main.c.j2").read_text()
    text = environment().from_string(template).render(models=runs, turns=TURNS)
    (folder / "main.c").write_text(text)
    (folder / "CMakeLists.txt").write_text(CMAKE.format(**cmake))
    arguments = ["-DCMAKE_TOOLCHAIN_FILE=" + cmake["toolchain"]] if "toolchain" in cmake else []
    for step in (
        ["cmake", "-S", folder, "-B", folder / "out", *arguments],
        ["cmake", "--build", folder / "out"],
    ):
        done = subprocess.run(step, capture_output=True, text=True, timeout=SECONDS)
        assert done.returncode == 0, done.stdout + done.stderr
    return folder / "out" / "firmware"


@pytest.mark.slow
@pytest.mark.needs("cmake", "cc")
@pytest.mark.parametrize("optimize", ["speed", "ram"])
def test_on_the_host(models: list[Path], runs: dict[str, Any], optimize: str, tmp_path: Path) -> None:
    sanitizers = "-fsanitize=address,undefined -fno-sanitize-recover=all"
    program = firmware(models, runs, tmp_path, "host", "--optimize", optimize, flags=sanitizers, sources="", include=".",
                       link=sanitizers)  # fmt: skip
    done = subprocess.run([program], capture_output=True, text=True, timeout=SECONDS)
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
@pytest.mark.qemu
@pytest.mark.needs("cmake")
def test_on_the_emulated_cortex_m7(
    models: list[Path], runs: dict[str, Any], project_root: Path, tmp_path: Path
) -> None:
    boards = project_root / "boards"
    arch = " ".join(load_board("m7").arch_flags)
    program = firmware(
        models, runs, tmp_path, "m7", "--optimize", "ram",
        flags=arch, sources=str(boards / "firmware" / "startup.c"), include=str(boards / "firmware"),
        link=f"{arch} -nostartfiles -Wl,-L{boards / 'firmware'} -Tmps2_an500.ld",
        toolchain=str(boards / "toolchains" / "arm-none-eabi.cmake"),
    )  # fmt: skip
    emulator = ["qemu-system-arm", "-M", "mps2-an500", "-display", "none", "-monitor", "none", "-serial", "none",
                "-semihosting-config", "enable=on,target=native", "-kernel", program]  # fmt: skip
    done = subprocess.run(emulator, capture_output=True, text=True, timeout=SECONDS)
    assert done.returncode == 0, done.stderr


def test_the_header_has_the_largest_arena(models: list[Path], tmp_path: Path) -> None:
    assert build(*models, "--shared-arena", "--name", "both", "-o", tmp_path / "out").exit_code == 0
    report = json.loads((tmp_path / "out" / "report.json").read_text())
    alone = [compile_model(model).program for model in models]
    assert report["arena_bytes"] == max(program.arena_bytes for program in alone)
    assert report["state_bytes"] == sum(program.state_bytes for program in alone) > 0
    header = (tmp_path / "out" / "both.h").read_text()
    assert f"#define BOTH_ARENA_BYTES {report['arena_bytes']}u" in header
    for model in models:
        folder = tmp_path / "out" / model.stem
        assert (folder / f"{model.stem}.c").read_text() == compile_model(model).files[f"{model.stem}.c"]
        assert json.loads((folder / "report.json").read_text())["name"] == model.stem


def test_two_builds_are_equal_and_replace_each_other(models: list[Path], tmp_path: Path) -> None:
    for directory in ("one", "two", "one"):
        assert build(*models, "--shared-arena", "-o", tmp_path / directory).exit_code == 0
    assert files(tmp_path / "one") == files(tmp_path / "two")


@pytest.mark.slow
def test_a_limit_holds_for_all_together(models: list[Path], tmp_path: Path) -> None:
    alone = compile_shared(models)
    needed = alone.report["arena_bytes"] + alone.report["state_bytes"]
    limited = compile_shared(models, ram_limit=needed - 1)
    assert limited.report["arena_bytes"] + limited.report["state_bytes"] <= needed - 1
    with pytest.raises(FitError) as caught:
        compile_model(models[0], ram_limit=1)
    least = int(re.findall(r"take ([\d,]+) bytes", str(caught.value))[0].replace(",", ""))
    message = rf"--ram-limit {least}: the states of all models take \d+ of {least:,} bytes; .*misses by"
    with pytest.raises(FitError, match=message):
        compile_shared(models, ram_limit=least)
    assert build(*models, "--shared-arena", "--ram-limit", "100", "-o", tmp_path / "out").exit_code == 4
    assert not list(tmp_path.iterdir())


def test_a_limit_of_flash_holds_for_all_together(models: list[Path]) -> None:
    most = sum(one.flash_bytes for one in compile_shared(models).models)
    limited = compile_shared(models, flash_limit=most - 1500)
    assert sum(one.flash_bytes for one in limited.models) <= most - 1500
    with pytest.raises(FitError, match=r"--flash-limit 2000: code and weights take [\d,]+ bytes"):
        compile_shared(models, flash_limit=2000)


def test_wrong_usage(models: list[Path], tmp_path: Path) -> None:
    result = build(*models, "-o", tmp_path / "out")
    assert result.exit_code == 2 and "--shared-arena" in result.stderr
    result = build(models[0], models[0], "--shared-arena", "-o", tmp_path / "out")
    assert result.exit_code == 2 and "digits_int8: two models have this name" in result.stderr
    capitals = tmp_path / "DIGITS_INT8.tflite"
    capitals.write_bytes(models[0].read_bytes())
    result = build(models[0], capitals, "--shared-arena", "-o", tmp_path / "out")
    assert result.exit_code == 2 and "DIGITS_INT8: two models have this name" in result.stderr
    capitals.unlink()
    result = build(*models, "--shared-arena", "--name", "streaming", "-o", tmp_path / "out")
    assert result.exit_code == 2 and "choose another --name" in result.stderr
    broken = tmp_path / "broken.tflite"
    broken.write_bytes(b"no model")
    assert build(models[0], broken, "--shared-arena", "-o", tmp_path / "out").exit_code == 3
    assert list(tmp_path.iterdir()) == [broken]
