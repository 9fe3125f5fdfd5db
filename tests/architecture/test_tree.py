"""The listing of the project: files stay small, names that must agree do agree."""

import re
import subprocess
import tomllib
from importlib import import_module
from pathlib import Path

import pytest

from tinycompile.version import __version__

_LINES = 300
_FRAGMENT = re.compile(r"[a-z0-9-]+\.(added|changed|fixed|removed)\.md")
# absolute paths of somebody's machine; written so that this line does not match itself
_MACHINE_PATH = re.compile(r"(?<![\w.}])/(?:home|root|work|farm)/")
_TEXT = {".py", ".md", ".toml", ".c", ".h", ".j2", ".ld", ".S", ".s", ".cmake", ".txt", ".json", ".yaml", ""}


def _tracked(root: Path) -> list[Path]:
    listing = subprocess.run(["git", "ls-files", "-z"], cwd=root, capture_output=True, text=True)
    if listing.returncode != 0:
        pytest.skip("not a git checkout")
    return [root / name for name in listing.stdout.split("\0") if name and (root / name).is_file()]


def test_modules_stay_small(project_root: Path) -> None:
    """A longer one has two jobs."""
    counts = {
        path.relative_to(project_root).as_posix(): len(path.read_text(encoding="utf-8").splitlines())
        for folder in ("tinycompile", "tests", "tflite_support", "benchmarks", "scripts", "examples")
        for path in (project_root / folder).rglob("*.py")
    }
    assert {name: count for name, count in counts.items() if count > _LINES} == {}


def test_no_paths_of_a_machine(project_root: Path) -> None:
    found = []
    for path in _tracked(project_root):
        if path.suffix not in _TEXT:
            continue
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            if _MACHINE_PATH.search(line):
                found.append(f"{path.relative_to(project_root)}:{number}: {line.strip()}")
    assert not found


def test_changelog_fragments_have_a_kind(project_root: Path) -> None:
    names = {path.name for path in (project_root / "changelog.d").iterdir()} - {"README.md"}
    assert {name for name in names if not _FRAGMENT.fullmatch(name)} == set()


def test_version_is_stated_once(project_root: Path) -> None:
    pyproject = tomllib.loads((project_root / "pyproject.toml").read_text(encoding="utf-8"))
    assert pyproject["project"]["dynamic"] == ["version"]
    assert import_module("tinycompile").__version__ == __version__
    assert re.fullmatch(r"\d+\.\d+\.\d+", __version__)


def test_license_of_the_project_is_the_license_file(project_root: Path) -> None:
    pyproject = tomllib.loads((project_root / "pyproject.toml").read_text(encoding="utf-8"))
    head = (project_root / "LICENSE").read_text(encoding="utf-8").split()[:4]
    assert (pyproject["project"]["license"], head) == ("Apache-2.0", ["Apache", "License", "Version", "2.0,"])


def test_linters_are_pinned_where_their_output_is_compared(project_root: Path) -> None:
    """Another version of a formatter formats otherwise: `make lint` would fail without a change."""
    pyproject = tomllib.loads((project_root / "pyproject.toml").read_text(encoding="utf-8"))
    dev = pyproject["project"]["optional-dependencies"]["dev"]
    pinned = {line.split("==")[0] for line in dev if "==" in line}
    assert pinned >= {"ruff", "mypy", "clang-format"}
