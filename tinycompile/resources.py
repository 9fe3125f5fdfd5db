"""Where the data folders are: the only module that knows (see `pyproject.toml` for how the wheel ships them).

In a checkout the folders `templates/`, `runtime_c/` and `boards/` stand beside the package; in an installed wheel they stand
inside it, under `tinycompile/_data/`.
"""

from functools import cache
from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


@cache
def _root() -> Path:
    installed = _PACKAGE / "_data"
    return installed if installed.is_dir() else _PACKAGE.parent


def templates_dir() -> Path:
    """Folder of the Jinja templates of the generated C."""
    return _root() / "templates"


def runtime_dir() -> Path:
    """Folder of the C runtime: `tc_*.h` and `tc_*.c`."""
    return _root() / "runtime_c"


def boards_dir() -> Path:
    """Folder of the board descriptions, startup code and linker scripts."""
    return _root() / "boards"
