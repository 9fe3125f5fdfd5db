"""Runs a built harness on samples: on this computer, or on QEMU."""

from collections.abc import Sequence
from pathlib import Path

from tinycompile.board import Board
from tinycompile.errors import Problem, ToolError
from tinycompile.toolchain.cmake import Firmware
from tinycompile.toolchain.generated import Generated
from tinycompile.toolchain.harness import HarnessResult, Sample, read_result, write_inputs
from tinycompile.toolchain.process import require_program, run

RUN_SECONDS = 1200.0
"""Time limit of one run, generous: MobileNetV2 is a billion instructions a sample."""


def run_harness(
    generated: Generated,
    firmware: Firmware,
    board: Board,
    samples: Sequence[Sample],
    *,
    count_instructions: bool = False,
    timeout_seconds: float = RUN_SECONDS,
) -> HarnessResult:
    """Run all samples one after the other in one context.

    Counting instructions makes the emulator several times slower. Raises ToolError when the program fails or takes too long,
    VerificationError when the generated code reports an error or writes outside of its memory.
    """
    directory = firmware.directory
    write_inputs(generated, samples, directory)
    for left_over in ("outputs.bin", "result.bin", "trace.bin"):
        (directory / left_over).unlink(missing_ok=True)
    command: list[str | Path] = [firmware.harness.resolve()]
    if not board.is_host:
        command = qemu_command(board, firmware.harness, count_instructions)
    run(
        command,
        task=f"running {generated.name} on {board.name}",
        cwd=directory,
        timeout_seconds=timeout_seconds,
    )
    return read_result(generated, len(samples), directory)


def qemu_command(board: Board, program: Path, count_instructions: bool) -> list[str | Path]:
    """The command that runs a firmware with semihosting on the board's machine."""
    if board.emulator is None:
        raise ToolError(Problem(f"board {board.name}", "it is not emulated"))
    qemu = require_program("qemu-system-arm")
    quiet = ["-display", "none", "-monitor", "none", "-serial", "none"]
    icount = ["-icount", "shift=6,sleep=off"] if count_instructions else []
    semihosting = ["-semihosting-config", "enable=on,target=native"]
    return [qemu, "-M", board.emulator.machine, *quiet, *icount, *semihosting, "-kernel", program.resolve()]
