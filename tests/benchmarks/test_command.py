"""`python -m benchmarks`: one real measurement of the model that the project owns, and what the command refuses."""

import json
import time
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from benchmarks.__main__ import main
from benchmarks.measure import TIMED_BUILDS, build_seconds
from tinycompile.driver import compile_model


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, [str(a) for a in arguments], catch_exceptions=False)


@pytest.mark.slow
@pytest.mark.qemu
@pytest.mark.needs("llvm-mca")
def test_digits_are_measured(digits_model: Path, tmp_path: Path) -> None:
    path = tmp_path / "new" / "figures.json"
    done = run("--models", "digits_int8", "--json", path)
    assert done.exit_code == 0, done.output
    (model,) = json.loads(path.read_text(encoding="utf-8"))["models"]
    assert model["problems"] == {}
    assert set(model["builds"]) == {"speed", "balanced", "ram", "flash"}
    for mode, build in model["builds"].items():
        report = compile_model(digits_model, board="m7", optimize=mode).report
        assert build["exact"] and build["samples"] >= 4
        assert build["arena_bytes"] == report["arena_bytes"]
        assert build["estimated_cycles"] == sum(layer["estimated_cycles"] for layer in report["layers"])
        # a dual-issue core needs at least half a cycle for an instruction, and a MAC of two values half an instruction
        assert build["instructions"] <= 2 * build["cycles_m7"]
        assert build["instructions"] > report["macs_executed"] // 2
    assert f"{model['builds']['speed']['instructions']:,}" in done.stdout


def test_builds_are_timed(digits_model: Path, tmp_path: Path) -> None:
    begin = time.perf_counter()
    seconds = build_seconds(digits_model)
    assert seconds is not None and 0.1 < seconds <= (time.perf_counter() - begin) / TIMED_BUILDS
    (tmp_path / "bad.tflite").write_bytes(b"not a model")
    assert build_seconds(tmp_path / "bad.tflite") is None


def test_missing_models_are_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TINYCOMPILE_MODELS", str(tmp_path))
    done = run("--models", "vww_96_int8,ad01_int8", "--only", "speed")
    assert done.exit_code == 0
    assert "There is no file of: vww_96_int8, ad01_int8" in done.stderr
    assert "24.03" in done.stdout and "not measured" in done.stdout


def test_a_model_that_is_refused_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "ad01_int8.tflite").write_bytes(b"not a model")
    monkeypatch.setenv("TINYCOMPILE_MODELS", str(tmp_path))
    done = run("--models", "ad01_int8", "--only", "speed")
    assert done.exit_code == 1
    assert "ad01_int8 --optimize speed was not measured" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--models", "nobody"), "no such model: nobody"),
        (("--markdown", "--only", "speed"), "--markdown writes all figures"),
        (("--markdown",), "--markdown needs all models"),
        (("--only", "size"), "size"),
    ],
)
def test_wrong_usage(
    arguments: tuple[str, ...], says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TINYCOMPILE_MODELS", str(tmp_path))
    done = run(*arguments)
    assert done.exit_code == 2
    assert says in done.stderr
