"""Builds a generated directory with our firmware (`boards/firmware/`) around it, through CMake."""

import shlex
from dataclasses import dataclass
from pathlib import Path

from tinycompile.board import Board
from tinycompile.resources import boards_dir
from tinycompile.toolchain.generated import Generated
from tinycompile.toolchain.harness import model_header
from tinycompile.toolchain.process import find_program, require_program, run

TRACES = ("", "ROWS", "MARKERS")
"""What the generated code tells while it runs: nothing, every row of every layer, the end of each row."""


@dataclass(frozen=True)
class Firmware:
    """The programs that CMake built around a model."""

    directory: Path
    harness: Path
    minimal: Path | None
    """Not there in builds with a trace."""
    log: str
    """What configuring and compiling printed, with its warnings."""

    @property
    def warnings(self) -> tuple[str, ...]:
        """Lines with which the compiler warned."""
        return tuple(line for line in self.log.splitlines() if "warning:" in line)


def build_firmware(
    generated: Generated, board: Board, directory: Path, *, trace: str = "", trace_sample: int = 0
) -> Firmware:
    """Configure and build in `directory`, which is created; one of an earlier build is brought up to date.

    Raises ToolError when CMake, its build program or the compiler is missing or fails.
    """
    assert trace in TRACES
    cmake = require_program("cmake")
    compiler = require_program(board.compiler)
    directory.mkdir(parents=True, exist_ok=True)
    _write_if_changed(directory / "tc_harness_model.h", model_header(generated, trace_sample))
    task = f"{generated.name} for board {board.name}"
    arguments = _definitions(generated, board, directory, compiler, trace)
    configured = run(
        [cmake, *_generator(), "-S", boards_dir() / "firmware", "-B", directory, *arguments],
        task=f"configuring {task}",
        timeout_seconds=120,
    )
    built = run([cmake, "--build", directory], task=f"compiling {task}", timeout_seconds=900)
    suffix = "" if board.is_host else ".elf"
    return Firmware(
        directory=directory,
        harness=directory / f"tc_harness{suffix}",
        minimal=None if trace else directory / f"tc_minimal{suffix}",
        log=configured.log + built.log,
    )


def _write_if_changed(path: Path, text: str) -> None:
    """Keep the time stamp of a file that is as it should be, so that a second build compiles nothing."""
    if not path.is_file() or path.read_text(encoding="utf-8") != text:
        path.write_text(text, encoding="utf-8")


def _generator() -> list[str]:
    if find_program("ninja") is not None:
        return ["-G", "Ninja"]
    require_program("make")
    return ["-G", "Unix Makefiles"]


def _definitions(
    generated: Generated, board: Board, directory: Path, compiler: Path, trace: str
) -> list[str]:
    flags = shlex.join(board.arch_flags)
    values = {
        "TC_MODEL_DIR": str(generated.directory),
        "TC_MODEL_NAME": generated.name,
        "TC_CONFIG_DIR": str(directory.resolve()),
        "TC_TRACE": trace,
        "CMAKE_C_FLAGS": flags,
        "CMAKE_ASM_FLAGS": flags,
    }
    if board.emulator is None:
        values |= {"CMAKE_C_COMPILER": str(compiler)}
    else:
        values |= {
            "CMAKE_TOOLCHAIN_FILE": str(boards_dir() / "toolchains" / "arm-none-eabi.cmake"),
            "TC_LINKER_SCRIPT": board.emulator.linker_script,
            "TC_TIMER": board.emulator.timer.upper(),
            "TC_TIMER_ADDRESS": f"0x{board.emulator.timer_address:08X}u",
        }
    return [f"-D{key}={value}" for key, value in values.items()]
