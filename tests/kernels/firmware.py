"""Compiles a test program for a board and runs it on the board's emulator."""

import subprocess
from collections.abc import Sequence
from pathlib import Path

from tinycompile.board import Board
from tinycompile.resources import boards_dir, runtime_dir


def run_firmware(
    text: str, folder: Path, board: Board, flags: Sequence[str], emulator_options: Sequence[str] = ()
) -> tuple[int, str]:
    """The exit code, and what a C program prints by semihosting; it is compiled with the board's start-up code and `flags`."""
    assert board.emulator is not None
    firmware = boards_dir() / "firmware"
    source, program = folder / "cases.c", folder / "cases.elf"
    source.write_text(text, encoding="utf-8")
    command = [board.compiler, *board.arch_flags, *flags, "-nostartfiles", f"-I{runtime_dir()}"]
    command += [f"-I{firmware}", f"-L{firmware}", f"-T{board.emulator.linker_script}", str(source)]
    subprocess.run(
        [*command, str(firmware / "startup.c"), "-o", str(program), "-lm"], check=True, timeout=600
    )
    emulator = [
        "qemu-system-arm",
        "-M",
        board.emulator.machine,
        "-nographic",
        "-monitor",
        "none",
        "-serial",
        "none",
    ]
    emulator += ["-semihosting-config", "enable=on,target=native", *emulator_options, "-kernel", str(program)]
    done = subprocess.run(emulator, timeout=600, capture_output=True, text=True)
    return done.returncode, done.stdout + done.stderr
