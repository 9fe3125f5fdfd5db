"""Building distributions and creating environments, as a user does it."""

import subprocess
import sys
from pathlib import Path


def build(source: Path, out: Path, kind: str) -> Path:
    """Build one distribution (`wheel` or `sdist`) of a source tree with the installed hatchling."""
    command = [
        sys.executable,
        "-m",
        "build",
        "--no-isolation",
        f"--{kind}",
        "--outdir",
        str(out),
        str(source),
    ]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    (built,) = out.iterdir()
    return built


def create_environment(folder: Path, *, pip: bool) -> Path:
    """A new virtual environment without packages; returns its Python."""
    command = [sys.executable, "-m", "venv", str(folder)]
    subprocess.run(command if pip else [*command, "--without-pip"], check=True, capture_output=True)
    return folder / "bin" / "python"
