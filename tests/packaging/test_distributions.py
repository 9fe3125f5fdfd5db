"""What is in the wheel and in the source distribution."""

import shutil
import subprocess
import tarfile
import zipfile
from pathlib import Path

import pytest

from tests.packaging.environment import build
from tinycompile.version import __version__

pytestmark = [pytest.mark.slow, pytest.mark.needs("module:build", "module:hatchling")]

_DATA = ("templates", "runtime_c", "boards")


def _content(wheel: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(wheel) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def _files(folder: Path) -> set[str]:
    return {
        p.relative_to(folder).as_posix()
        for p in folder.rglob("*")
        if p.is_file() and "__pycache__" not in p.parts
    }


def test_wheel_carries_the_package_and_its_data(wheel: Path, project_root: Path) -> None:
    names = {name for name in _content(wheel) if ".dist-info/" not in name}
    expected = {f"tinycompile/{name}" for name in _files(project_root / "tinycompile")}
    for folder in _DATA:
        expected |= {f"tinycompile/_data/{folder}/{name}" for name in _files(project_root / folder)}
    assert names == expected


def test_wheel_metadata(wheel: Path) -> None:
    content = _content(wheel)
    info = f"tinycompile-{__version__}.dist-info"
    metadata = content[f"{info}/METADATA"].decode().splitlines()
    assert f"Version: {__version__}" in metadata
    assert "Requires-Python: >=3.11" in metadata
    assert b"tinycompile = tinycompile.cli:main" in content[f"{info}/entry_points.txt"]
    assert f"{info}/licenses/LICENSE" in content
    assert "tinycompile/py.typed" in content


def test_sdist_builds_the_same_wheel(wheel: Path, sdist: Path, tmp_path: Path) -> None:
    shutil.unpack_archive(sdist, tmp_path / "source")
    (source,) = (tmp_path / "source").iterdir()
    assert _content(build(source, tmp_path / "out", "wheel")) == _content(wheel)


def test_sdist_carries_what_its_tests_need(sdist: Path, project_root: Path) -> None:
    with tarfile.open(sdist) as archive:
        names = {name.split("/", 1)[1] for name in archive.getnames()}
    tracked = subprocess.run(["git", "ls-files"], cwd=project_root, capture_output=True, text=True)
    if tracked.returncode != 0:
        pytest.skip("not a git checkout")
    present = {name for name in tracked.stdout.splitlines() if (project_root / name).exists()}
    left_out = {
        name for name in present - names if not name.startswith((".ci/", ".pre-commit", ".gitattributes"))
    }
    assert left_out == set()
