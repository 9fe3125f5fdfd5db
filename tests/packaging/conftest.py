"""Built distributions, and environments outside the checkout with the wheel installed."""

import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from tests.packaging.environment import build, create_environment


@pytest.fixture(scope="session")
def wheel(project_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from the checkout."""
    return build(project_root, tmp_path_factory.mktemp("wheel"), "wheel")


@pytest.fixture(scope="session")
def sdist(project_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The source distribution, built from the checkout."""
    return build(project_root, tmp_path_factory.mktemp("sdist"), "sdist")


@pytest.fixture(scope="session")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`bin` folder of an environment with the wheel; its dependencies are borrowed from the one that runs the tests.

    A path in a .pth file does not activate the .pth files in that path, so an editable install of the checkout stays out.
    """
    python = create_environment(tmp_path_factory.mktemp("installed") / "venv", pip=False)
    command = [
        sys.executable,
        "-m",
        "pip",
        "--python",
        str(python),
        "install",
        "--no-deps",
        "--no-index",
        str(wheel),
    ]
    subprocess.run(command, check=True, capture_output=True)
    (site,) = (python.parent.parent / "lib").glob("python*/site-packages")
    (site / "borrowed.pth").write_text(sysconfig.get_path("purelib") + "\n", encoding="utf-8")
    return python.parent
