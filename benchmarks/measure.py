"""Builds, verifies and measures models on the emulated Cortex-M7, through `tinycompile.driver.prove`."""

import logging
import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from benchmarks.references import Reference
from tinycompile.driver.prove import bench_model
from tinycompile.errors import TinyCompileError

ROOT = Path(__file__).resolve().parent.parent
BOARD = "m7"
WITHIN = "within"
"""`--optimize speed` with the flash of TFLM and the model's file as `--flash-limit`."""

TIMED_BUILDS = 3
"""Builds of which the quickest counts, so that other work on the computer matters less."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Build:
    """One build of a model, measured; None where the emulator or the cycle model gave no figure."""

    instructions: int | None
    cycles_m7: int | None
    estimated_cycles: int
    """The compiler's own estimate: the sum over the layers."""
    arena_bytes: int
    state_bytes: int
    stack_bytes: int | None
    code_bytes: int
    weights_bytes: int
    exact: bool
    samples: int

    @property
    def flash_bytes(self) -> int:
        """Everything in flash: code, tables and weights."""
        return self.code_bytes + self.weights_bytes


@dataclass(frozen=True)
class Result:
    """Builds of one model by what they favour, and why a build is not there (its first line is a sentence of its own)."""

    reference: Reference
    model_bytes: int | None
    """Size of the file; None when there is none."""
    builds: Mapping[str, Build] = field(default_factory=dict)
    problems: Mapping[str, str] = field(default_factory=dict)
    build_seconds: float | None = None
    """What `tinycompile build` takes; None when it has no bar or failed."""

    @property
    def peer_flash_bytes(self) -> int | None:
        """Flash of TFLM and the model's file."""
        return flash_of(self.reference, self.model_bytes)

    @property
    def exact(self) -> bool:
        """Every build computed the reference's bytes."""
        return all(build.exact for build in self.builds.values())


def models_folder() -> Path:
    """The folder of real models: TINYCOMPILE_MODELS, or shared/models beside the checkout."""
    return Path(os.environ.get("TINYCOMPILE_MODELS") or ROOT.parent / "shared" / "models")


def model_path(reference: Reference, folder: Path) -> Path:
    """Where a model's file should be."""
    return ROOT / reference.file if reference.file else folder / f"{reference.name}.tflite"


def measure(
    references: Iterable[Reference],
    optimize: Iterable[str],
    folder: Path,
    progress: Callable[[str], None],
    *,
    timed: bool = False,
) -> tuple[Result, ...]:
    """Measure models one by one; `progress` is told before each build. A model that fails does not stop the others.

    `timed`: also how long the build takes, of models that have a bar for it.
    """
    modes = tuple(optimize)
    return tuple(
        _measure(reference, modes, model_path(reference, folder), progress, timed) for reference in references
    )


def _measure(
    reference: Reference, modes: tuple[str, ...], path: Path, progress: Callable[[str], None], timed: bool
) -> Result:
    if not path.is_file():
        return Result(reference, None)
    builds: dict[str, Build] = {}
    problems: dict[str, str] = {}
    for mode in modes:
        limit = flash_of(reference, path.stat().st_size) if mode == WITHIN else None
        if mode == WITHIN and _needs_no_limit(limit, builds.get("speed")):
            if limit is not None and "speed" in builds:
                builds[mode] = builds["speed"]
            continue
        progress(f"{reference.name}: {option_of(mode, limit)}")
        try:
            row = bench_model(
                path,
                board=BOARD,
                optimize="speed" if mode == WITHIN else mode,
                flash_limit=limit,
                io=io_of(mode),
                oracle=reference.oracle,
            )
        except TinyCompileError as error:
            _log.warning("%s: %s: %s", reference.name, option_of(mode, limit), error)
            problems[mode] = error.problems[0]
        except Exception as error:
            # a bug that one model meets must not cost the measurements of the others
            _log.exception("%s: %s", reference.name, option_of(mode, limit))
            problems[mode] = f"bug of tinycompile: {type(error).__name__}: {error}"
        else:
            builds[mode] = build_of(row)
    seconds = None
    if timed and reference.bars.build_seconds is not None:
        progress(f"{reference.name}: {TIMED_BUILDS} builds to time")
        seconds = build_seconds(path)
    return Result(reference, path.stat().st_size, builds, problems, seconds)


def build_seconds(model: Path) -> float | None:
    """The least processor time of some builds, each a process of its own; None when the model is refused.

    A build runs on one core: so long it takes on a computer that does nothing else. Python may keep its compiled modules, as
    those of an installed package are.
    """
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    command = [sys.executable, "-m", "tinycompile", "build", str(model), "--board", BOARD]
    seconds = []
    with tempfile.TemporaryDirectory(prefix="tinycompile-") as folder:
        for count in range(TIMED_BUILDS):
            begin = _child_seconds()
            run = [*command, "-o", f"{folder}/{count}"]
            done = subprocess.run(run, cwd=ROOT, env=environment, capture_output=True)
            seconds.append(_child_seconds() - begin)
            if done.returncode:
                return None
    return min(seconds)


def _child_seconds() -> float:
    """Processor time of all processes that were waited for."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def flash_of(reference: Reference, model_bytes: int | None) -> int | None:
    """Flash of TFLM and the model's file; None when one is not known."""
    code_bytes = reference.tflm.code_bytes
    return None if code_bytes is None or model_bytes is None else code_bytes + model_bytes


def _needs_no_limit(limit: int | None, speed: Build | None) -> bool:
    """True when there is none, or the fastest build keeps it."""
    return limit is None or (speed is not None and speed.flash_bytes <= limit)


def option_of(mode: str, limit: int | None = None) -> str:
    """A build as its option."""
    return f"--flash-limit {limit or 'of TFLM'}" if mode == WITHIN else f"--optimize {mode}"


def io_of(mode: str) -> str:
    """Speed and flash are measured with the model's own interface; the bars of memory count an int8 input in the arena."""
    return "quantized" if mode in ("ram", "balanced") else "model"


def build_of(row: Mapping[str, Any]) -> Build:
    """The figures that the tables need, out of a row of `bench`."""
    return Build(**{figure.name: row[figure.name] for figure in fields(Build)})
