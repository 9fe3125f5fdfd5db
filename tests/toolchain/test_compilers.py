"""Generated directories build without warnings at every level: with the host's compilers, and with GCC and clang for Arm."""

import subprocess
from pathlib import Path

import pytest

from tinycompile.board import load_board
from tinycompile.driver import compile_model
from tinycompile.driver.output import write_directory

pytestmark = pytest.mark.slow

LEVELS = ("-O0", "-Os", "-O2", "-O3")
WARNINGS = ("-std=c99", "-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Wno-sign-conversion", "-Werror")


def c_library_headers() -> Path:
    """Headers of the C library that comes with GCC for Arm, for a clang without one."""
    found = subprocess.run(
        ["arm-none-eabi-gcc", "-print-file-name=libc.a"],
        check=True, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    return Path(found.stdout.strip()).resolve().parent.parent / "include"


def check(model: Path, board: str, compiler: list[str], folder: Path) -> None:
    """Compile every source at every level."""
    compilation = compile_model(model, board=board)
    directory = folder / "generated"
    write_directory(compilation.files, directory)
    flags = [*compilation.board.arch_flags, *WARNINGS]
    for level in LEVELS:
        for source in compilation.report["sources"]:
            command = [*compiler, *flags, level, f"-I{directory}", "-c", str(directory / source)]
            done = subprocess.run(
                [*command, "-o", str(folder / "object.o")], capture_output=True, text=True, timeout=300
            )
            assert done.returncode == 0, f"{' '.join(command)}\n{done.stderr[-2000:]}"


@pytest.mark.parametrize(
    "compiler", [pytest.param(name, marks=pytest.mark.needs(name)) for name in ("gcc", "clang")]
)
def test_host(compiler: str, digits_model: Path, tmp_path: Path) -> None:
    check(digits_model, "host", [compiler], tmp_path)


@pytest.mark.parametrize("board", ["m7", "m4", "m33", "m55"])
@pytest.mark.needs("arm-none-eabi-gcc")
def test_gcc_for_arm(board: str, digits_model: Path, tmp_path: Path) -> None:
    check(digits_model, board, [load_board(board).compiler], tmp_path)


@pytest.mark.parametrize("board", ["m7", "m4", "m33"])
@pytest.mark.needs("clang", "arm-none-eabi-gcc")
def test_clang_for_arm(board: str, digits_model: Path, tmp_path: Path) -> None:
    check(
        digits_model, board, ["clang", "--target=arm-none-eabi", f"-isystem{c_library_headers()}"], tmp_path
    )
