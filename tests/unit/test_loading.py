"""What is loaded when: a build of a small model spends much of its time on imports, so it loads what it needs."""

import subprocess
import sys
from pathlib import Path

from tinycompile.ops import operators

_FOR_RUNNING = {"capstone", "elftools", "networkx", "rich", "unicorn", "tinycompile.toolchain"}
"""What only verify and bench need, or models with several variables, or a terminal."""


def run(script: str, *arguments: str | Path) -> str:
    """What a Python of its own prints."""
    command = [sys.executable, "-c", script, *map(str, arguments)]
    return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout


def test_every_operator_is_found_by_its_kind_alone() -> None:
    """Its module is named for it."""
    script = "import sys\nfrom tinycompile.ops import find_operator\nprint([find_operator(k).kind for k in sys.argv[1:]])"
    assert run(script, *operators()) == f"{list(operators())}\n"


def test_a_build_loads_only_what_it_needs(digits_model: Path, tmp_path: Path) -> None:
    script = (
        "import sys\nfrom tinycompile.cli import main\n"
        "main(['build', *sys.argv[1:]], standalone_mode=False)\nprint(*sys.modules, sep='\\n')"
    )
    loaded = set(run(script, digits_model, "-o", tmp_path / "out").split())
    assert "tinycompile.ops.conv_2d" in loaded
    assert not loaded & {*_FOR_RUNNING, "tinycompile.ops.svdf"}
