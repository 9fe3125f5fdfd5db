"""The wheel, installed outside the checkout and used from another folder."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.packaging.environment import create_environment

pytestmark = [pytest.mark.slow, pytest.mark.needs("module:build", "module:hatchling")]


def _run(command: list[str], cwd: Path, **variables: str) -> str:
    environment = {
        k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV")
    }
    environment |= variables
    done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_wheel_is_what_is_imported(installed: Path, tmp_path: Path) -> None:
    code = "import tinycompile; print(tinycompile.__file__)"
    assert _run([str(installed / "python"), "-c", code], tmp_path).startswith(str(installed.parent))


def test_boards_are_found(installed: Path, tmp_path: Path) -> None:
    listed = _run([str(installed / "tinycompile"), "boards"], tmp_path)
    assert "m7" in listed and "host" in listed


def test_build_writes_a_self_contained_folder(installed: Path, tmp_path: Path, digits_model: Path) -> None:
    _run([str(installed / "tinycompile"), "build", str(digits_model), "--board", "m7"], tmp_path)
    out = tmp_path / "build" / "digits_int8-m7"
    report = json.loads((out / "report.json").read_text(encoding="utf-8"))
    names = {path.name for path in out.iterdir()}
    assert names >= {
        "digits_int8.h",
        "CMakeLists.txt",
        "report.json",
        "report.txt",
        "LICENSE",
        *report["sources"],
    }


def test_same_bytes_as_from_the_checkout(
    installed: Path, tmp_path: Path, digits_model: Path, project_root: Path
) -> None:
    """The installed compiler and the one of the checkout write the same folder."""
    arguments = ["build", str(digits_model), "--board", "m7", "-o"]
    _run([str(installed / "tinycompile"), *arguments, "here"], tmp_path)
    _run([sys.executable, "-m", "tinycompile", *arguments, "there"], tmp_path, PYTHONPATH=str(project_root))
    here, there = ({p.name: p.read_bytes() for p in (tmp_path / d).iterdir()} for d in ("here", "there"))
    assert here == there


@pytest.mark.long
def test_plain_pip_install_with_dependencies(wheel: Path, tmp_path: Path, digits_model: Path) -> None:
    """What a user does: a new environment, pip install, verify on the host."""
    python = create_environment(tmp_path / "venv", pip=True)
    _run([str(python), "-m", "pip", "install", "--quiet", str(wheel)], tmp_path)
    tinycompile = str(python.parent / "tinycompile")
    _run([tinycompile, "doctor"], tmp_path)
    _run([tinycompile, "verify", str(digits_model), "--board", "host"], tmp_path)
