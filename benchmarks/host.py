"""Speed of the portable kernels on this computer: `python -m benchmarks.host [NAME ...]`.

The C of board `host`, built with its own flags, beside tflite-runtime as it comes (XNNPACK) with one thread. Both
times are the least of many inferences, so that other work on the computer matters little. Exit code 1: a model misses the bar.
"""

import shlex
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import click
import numpy as np

from benchmarks.measure import model_path, models_folder
from benchmarks.references import Reference, load_references
from benchmarks.render import Section, as_text
from benchmarks.tables import NONE, Table
from tinycompile.driver import Compilation, compile_model
from tinycompile.driver.output import write_directory

_TIMER = Path(__file__).with_name("host_timer.c")
_ROUNDS = 5
_ROUND_SECONDS = 0.3
_MODELS = ("vww_96_int8",)
"""Models that have a bar."""


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("names", nargs=-1)
def main(names: tuple[str, ...]) -> None:
    """Time models NAME ... of references.toml on this computer; default: the one with a bar."""
    references = load_references()
    by_name = {reference.name: reference for reference in references.models}
    unknown = [name for name in names if name not in by_name]
    if unknown:
        raise click.UsageError(f"no such model: {', '.join(unknown)}; there are {', '.join(by_name)}")
    bar = references.limits.host_time_ratio
    rows = list(_rows([by_name[name] for name in names or _MODELS], models_folder(), bar))
    columns = ("model", "ours, ms", "tflite-runtime, ms", "ratio", "bar", "bar is")
    title = "Host: least time of an inference, one thread; tflite-runtime as it comes (XNNPACK)"
    click.echo(as_text(Section(Table(title, columns, tuple(rows)))), nl=False)
    if any(row[-1] == "missed" for row in rows):
        sys.exit(1)


def _rows(references: list[Reference], folder: Path, bar: float) -> Iterator[tuple[str, ...]]:
    for reference in references:
        path = model_path(reference, folder)
        has_bar = reference.name in _MODELS
        limit = f"{bar:.2f}" if has_bar else NONE
        if not path.is_file():
            yield reference.name, NONE, NONE, NONE, limit, "no file"
            continue
        ours, theirs = least_seconds(path)
        verdict = NONE if not has_bar else "met" if ours <= bar * theirs else "missed"
        figures = (f"{ours * 1e3:.3f}", f"{theirs * 1e3:.3f}", f"{ours / theirs:.2f}")
        yield (reference.name, *figures, limit, verdict)


def least_seconds(path: Path) -> tuple[float, float]:
    """Least time of the generated C and of tflite-runtime, measured in turns."""
    with tempfile.TemporaryDirectory(prefix="tinycompile-") as folder:
        program = _built(compile_model(path, board="host"), Path(folder))
        rounds = [(_run(program), _runtime_seconds(path)) for _ in range(_ROUNDS)]
    return min(ours for ours, _ in rounds), min(theirs for _, theirs in rounds)


def _built(compilation: Compilation, folder: Path) -> Path:
    """The timer around a model; it runs as often as fits a round, which a first run tells."""
    report, directory = compilation.report, folder / compilation.program.name
    write_directory(compilation.files, directory)
    values = {
        "MODEL": report["name"],
        "MODEL_HEADER": f'"{report["name"]}.h"',
        "ARENA_BYTES": report["arena_bytes"],
        "STATE_BYTES": report["state_bytes"],
        "INPUT_BYTES": report["inputs"][0]["bytes"],
    }
    program = folder / "timer"

    def build(runs: int) -> None:
        defines = [f"-D{key}={value}" for key, value in {**values, "RUNS": runs}.items()]
        sources = [str(directory / source) for source in report["sources"]]
        command = [compilation.board.compiler, *compilation.board.arch_flags, *report["cflags"], *defines]
        command += [f"-I{directory}", str(_TIMER), *sources, "-lm", "-o", str(program)]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            raise click.ClickException(f"{shlex.join(command)}\n{done.stderr}")

    build(3)
    build(max(3, int(_ROUND_SECONDS / _run(program))))
    return program


def _run(program: Path) -> float:
    return int(subprocess.run([program], check=True, capture_output=True, text=True).stdout) / 1e9


def _runtime_seconds(path: Path) -> float:
    from tflite_runtime.interpreter import Interpreter

    interpreter = Interpreter(str(path), num_threads=1)
    interpreter.allocate_tensors()
    given = interpreter.get_input_details()[0]
    chance, least = np.random.default_rng(0), float("inf")
    end = time.perf_counter() + _ROUND_SECONDS
    while time.perf_counter() < end:
        data = chance.integers(0, 256, given["shape"]).astype(np.uint8).view(np.int8)
        interpreter.set_tensor(given["index"], data.astype(given["dtype"]))
        begin = time.perf_counter()
        interpreter.invoke()
        least = min(least, time.perf_counter() - begin)
    return least


if __name__ == "__main__":
    main()
