"""Compiles many models to C, builds them into one program, and runs it on the host or on QEMU."""

import shutil
import subprocess
from collections.abc import Sequence
from enum import Enum
from pathlib import Path

import jinja2
import numpy as np

from tests.ops.case import Array, Case
from tinycompile.board import Board, load_board
from tinycompile.driver import Compilation, compile_model
from tinycompile.resources import boards_dir

_HERE = Path(__file__).parent
_WARNINGS = ("-Wall", "-Wextra", "-Werror")
_SANITIZERS = ("-fsanitize=address,undefined", "-fno-sanitize-recover=all")
_SECONDS = 300
_VERDICTS = {1: "the generated code wrote outside of its arena", 2: "init or invoke failed"}


class Target(Enum):
    """Where generated C is tested; the value is the board."""

    HOST = "host"
    """Portable C under the sanitizers."""
    M7 = "m7"
    """On the emulator, guards around the arena."""

    @property
    def board(self) -> Board:
        return load_board(self.value)


class BatchError(Exception):
    """A batch that could not be compiled, built or run."""


def run_batch(
    cases: Sequence[Case], target: Target, folder: Path, optimize: str = "speed"
) -> list[list[list[Array]] | str]:
    """For each case its outputs for each sample, or what went wrong with it.

    Raises BatchError when the program that holds all cases does not compile or ends early.
    """
    compiled: list[Compilation | str] = []
    for number, case in enumerate(cases):
        compiled.append(_compiled(case, f"case_{number}", target, optimize))
    good = [(case, done) for case, done in zip(cases, compiled, strict=True) if isinstance(done, Compilation)]
    if not good:
        raise BatchError(f"no case compiles; the first one: {compiled[0]}")
    _write(folder, good, target)
    _run([*_compiler(target, folder)], folder)
    program = folder / "batch"
    _run([str(program)] if target is Target.HOST else _emulator(target.board, program), folder)
    results = iter(_read(folder / "outputs.bin", good))
    return [next(results) if isinstance(done, Compilation) else done for done in compiled]


def _compiled(case: Case, name: str, target: Target, optimize: str) -> Compilation | str:
    try:
        return compile_model(case.model, board=target.value, name=name, optimize=optimize)
    except Exception as error:  # one case that fails must not hide the others
        return f"{type(error).__name__}: {error}"


def _write(folder: Path, good: Sequence[tuple[Case, Compilation]], target: Target) -> None:
    """The generated directories, the main program and its inputs."""
    for _, done in good:
        directory = folder / done.program.name
        directory.mkdir()
        for path, text in done.files.items():
            (directory / path).write_text(text, encoding="utf-8")
    template = jinja2.Template((_HERE / "batch.c.j2").read_text(encoding="utf-8"), trim_blocks=True)
    ports = [
        {
            "name": done.program.name,
            "inputs": len(done.program.inputs),
            "outputs": len(done.program.outputs),
            "samples": len(case.samples),
        }
        for case, done in good
    ]
    most = max(max(done.program.arena_bytes, done.program.state_bytes) for _, done in good)
    names = [done.program.name for _, done in good]
    most = -(-most // 16) * 16  # blocks follow each other and are aligned
    text = template.render(names=names, ports=ports, most_bytes=most, sanitized=target is Target.HOST)
    (folder / "batch.c").write_text(text, encoding="utf-8")
    samples = [array.tobytes() for case, _ in good for sample in case.samples for array in sample]
    (folder / "inputs.bin").write_bytes(b"".join(samples))


def _compiler(target: Target, folder: Path) -> list[str]:
    """One call of the compiler for everything; unoptimized on the host, where compiling takes longer than running."""
    board = target.board
    flags = [*_WARNINGS, "-std=gnu99", "-ffp-contract=off", "batch.c", "-o", "batch"]
    flags += [str(path.relative_to(folder)) for path in _runtime_sources(folder)]
    if target is Target.HOST:
        return [board.compiler, "-O0", *_SANITIZERS, *flags, "-lm"]
    assert board.emulator is not None
    firmware = boards_dir() / "firmware"
    script = [
        "-nostartfiles",
        f"-L{firmware}",
        f"-T{board.emulator.linker_script}",
        str(firmware / "startup.c"),
    ]
    return [board.compiler, *board.arch_flags, *board.cflags, f"-I{firmware}", *flags, *script, "-lm"]


def _runtime_sources(folder: Path) -> list[Path]:
    """The tc_*.c files that some model uses, each once."""
    return list({path.name: path for path in sorted(folder.glob("case_*/tc_*.c"))}.values())


def _emulator(board: Board, program: Path) -> list[str]:
    assert board.emulator is not None
    qemu = shutil.which("qemu-system-arm")
    assert qemu is not None
    quiet = ["-display", "none", "-monitor", "none", "-serial", "none"]
    semihosting = ["-semihosting-config", "enable=on,target=native"]
    return [qemu, "-M", board.emulator.machine, *quiet, *semihosting, "-kernel", str(program)]


def _run(command: Sequence[str], folder: Path) -> None:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=_SECONDS)
    if done.returncode != 0:
        text = (done.stderr or done.stdout)[:4000]
        raise BatchError(f"{Path(command[0]).name} ended with {done.returncode}:\n{text}")


def _read(path: Path, good: Sequence[tuple[Case, Compilation]]) -> list[list[list[Array]] | str]:
    data, offset = path.read_bytes(), 0
    results: list[list[list[Array]] | str] = []
    for case, done in good:
        samples: list[list[Array]] = []
        for _ in case.samples:
            outputs = []
            for tensor in (done.graph.tensors[t] for t in done.graph.outputs):
                raw = np.frombuffer(data, tensor.dtype.numpy, tensor.elements, offset)
                outputs.append(raw.reshape(tensor.shape))
                offset += raw.nbytes
            samples.append(outputs)
        verdict, offset = data[offset], offset + 1
        results.append(_VERDICTS.get(verdict, samples))
    assert offset == len(data), "the program wrote other sizes than the model has"
    return results
