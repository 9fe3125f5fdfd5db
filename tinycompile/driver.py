"""The whole pipeline on one screen.

bytes --frontend--> Graph --passes--> Graph --lowering.select--> Selection
      --planning--> Schedule, MemoryPlan --lowering--> Program --codegen, report--> {path: text}
"""

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TypedDict

from tinycompile.board import Board, load_board
from tinycompile.codegen import emit
from tinycompile.errors import FitError, ModelError, Problem, UsageError
from tinycompile.frontend import read_model
from tinycompile.ir import Graph
from tinycompile.lowering import BuildInfo, lower, select
from tinycompile.ops import operation, operator_of
from tinycompile.output import c_identifier
from tinycompile.passes import PASSES, QUANTIZED_PASSES, run_passes
from tinycompile.plan import MemoryPlan, Schedule, Selection
from tinycompile.planning import plan
from tinycompile.program import Program
from tinycompile.report import Report, collect, render_text, to_json
from tinycompile.version import __version__

OPTIMIZE = ("speed", "balanced", "ram", "flash")
IO = ("model", "quantized")


class CompileOptions(TypedDict, total=False):
    """The options of `compile_model` that every command has which compiles; see there."""

    board: str | Board
    optimize: str
    io: str


@dataclass(frozen=True, eq=False)
class Compilation:
    """Every stage's result for one model on one board."""

    model: bytes
    board: Board
    imported: Graph
    """The model as the file has it."""
    graph: Graph
    """The model after the passes."""
    selection: Selection
    schedule: Schedule
    memory: MemoryPlan
    program: Program
    report: Report
    files: Mapping[str, str]
    """The generated directory: relative path -> text."""


def compile_model(
    model: str | Path | bytes,
    *,
    board: str | Board = "m7",
    name: str | None = None,
    optimize: str = "speed",
    io: str = "model",
) -> Compilation:
    """Compile a .tflite model (a path, or the bytes of one) to C for a board.

    `name` prefixes everything in the generated C; it defaults to the file's stem. `optimize` is one of OPTIMIZE. With `io`
    "quantized" float inputs and outputs that the model quantizes are exchanged as integers.

    Raises:
        UsageError: the board or an option does not exist.
        ModelError: the file is malformed or uses something that is not supported.
        FitError: the model does not fit the board's memory.
    """
    _check_options(optimize, io)
    data, stem = _read(model)
    target = load_board(board) if isinstance(board, str) else board
    imported = read_model(data, f"{stem}.tflite")
    info = BuildInfo(
        name=c_identifier(name or stem),
        tool_version=__version__,
        model_sha256=sha256(data).hexdigest(),
        options={"optimize": optimize, "input": "arena", "io": io},
        source_macs=_macs(imported),
    )

    graph = run_passes(imported, QUANTIZED_PASSES if io == "quantized" else PASSES)
    selection = select(graph, target, optimize)
    selection, schedule, memory = plan(graph, selection, optimize=optimize)
    program = lower(graph, selection, schedule, memory, target, info)
    _check_fit(program, target)

    files = emit(program)
    report = collect(program, files)
    files = {**files, "report.json": to_json(report), "report.txt": render_text(report)}
    return Compilation(data, target, imported, graph, selection, schedule, memory, program, report, files)


def _check_options(optimize: str, io: str) -> None:
    """Refuse values that no option has."""
    problems = [
        Problem(option, f"there is no {value!r}", f"there are: {', '.join(allowed)}")
        for option, value, allowed in (("optimize", optimize, OPTIMIZE), ("io", io, IO))
        if value not in allowed
    ]
    if problems:
        raise UsageError(problems)


def _macs(graph: Graph) -> dict[int, int]:
    """MACs of each operator of the file by its index."""
    return {node.source[0]: operator_of(node).macs(operation(graph, node)) for node in graph.nodes}


def _read(model: str | Path | bytes) -> tuple[bytes, str]:
    """The bytes of a model and the stem of its name."""
    if isinstance(model, bytes):
        return model, "model"
    path = Path(model)
    try:
        return path.read_bytes(), path.stem
    except OSError as error:
        raise ModelError(Problem(str(path), f"cannot be read ({error.strerror})")) from error


def _check_fit(program: Program, board: Board) -> None:
    """Refuse a program whose memory the board does not have, before anything is written."""
    needs = (
        ("RAM", program.arena_bytes + program.state_bytes, board.ram_bytes, "arena and state"),
        ("flash", program.weights_bytes, board.flash_bytes, "weights"),
    )
    problems = [
        Problem(
            program.name,
            f"{what} take {needed:,} bytes of {kind}",
            f"board {board.name} has {has:,}",
            f"it misses by {needed - has:,} bytes; choose a larger board or a smaller model",
        )
        for kind, needed, has, what in needs
        if has is not None and needed > has
    ]
    if problems:
        raise FitError(problems)
