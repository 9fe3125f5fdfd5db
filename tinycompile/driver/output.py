"""Writes generated files: a directory is replaced as a whole, or not at all."""

import re
import tempfile
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from unicodedata import combining, normalize

from tinycompile.errors import Problem, UsageError
from tinycompile.resources import runtime_dir

MARK = "report.json"
"""The file by which a directory is known as our own output."""

_KEYWORDS = frozenset(
    "auto break case char const continue default do double else enum extern float for goto if inline int long register "
    "restrict return short signed sizeof static struct switch typedef union unsigned void volatile while asm main bool "
    "class namespace template this new delete private public protected try catch throw using virtual operator".split()
)

_HEADERS = frozenset(
    "alloca assert complex ctype endian errno features fenv float inttypes iso646 limits locale math setjmp signal stdalign "
    "stdarg stdatomic stdbool stddef stdint stdio stdlib stdnoreturn string strings tgmath threads time uchar unistd wchar "
    "wctype".split()
)
"""Headers of the C library, which our directory would hide as it is searched first."""

_CMAKE_TARGETS = frozenset(
    "all clean edit_cache help install m package package_source rebuild_cache test".split()
)
"""Targets that CMake has itself, and the library of C's mathematical functions."""

_RESERVED = _KEYWORDS | _HEADERS | _CMAKE_TARGETS | {"tc"}


def c_identifier(text: str) -> str:
    """A C (and C++) identifier made of a file's stem, which also serves as the name of a header and of a CMake target.

    Letters lose their accents, other characters become `_`; a name that means something already gets a prefix.
    """
    plain = (letter for letter in normalize("NFKD", text) if not combining(letter))
    name = re.sub(r"[^0-9A-Za-z_]", "_", "".join(plain))
    lower = name.lower()
    taken = lower in _RESERVED or lower in _runtime_names() or lower.startswith(("_", "tc_"))
    if not name or name[0].isdigit() or taken:
        name = f"model_{name}"
    return name


@cache
def _runtime_names() -> frozenset[str]:
    """Models whose header would have the include guard of a header of the runtime."""
    return frozenset(path.stem.removeprefix("tc_") for path in runtime_dir().glob("tc_*.h"))


def write_directory(files: Mapping[str, str], directory: Path) -> None:
    """Put the files in place of `directory`.

    They are written beside it first, so that a failed or interrupted build leaves the old directory as it was.

    Raises:
        UsageError: the directory holds something that is not a build of ours, or cannot be written.
    """
    if directory.exists() and not (directory.is_dir() and _is_ours(directory)):
        raise UsageError(
            Problem(
                str(directory),
                "it exists and is no output of tinycompile",
                action="choose another -o DIR, or empty it",
            )
        )
    try:
        directory.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{directory.name}.", dir=directory.parent) as beside:
            new, old = Path(beside) / "new", Path(beside) / "old"
            _write_files(files, new)
            if directory.exists():
                directory.rename(old)
            new.rename(directory)
    except OSError as error:
        raise UsageError(Problem(str(directory), f"cannot be written ({error.strerror})")) from error


def _write_files(files: Mapping[str, str], directory: Path) -> None:
    for path, text in files.items():
        target = directory / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8", newline="\n")


def _is_ours(directory: Path) -> bool:
    return (directory / MARK).is_file() or not any(directory.iterdir())
