"""The whole pipeline on one screen.

bytes --frontend--> Graph --passes--> Graph --lowering.select--> Selection
      --planning--> Schedule, MemoryPlan --lowering--> Program --replay--> (checked) --codegen, report--> {path: text}
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from math import inf
from pathlib import Path
from typing import TypedDict

from tinycompile.board import Board, load_board
from tinycompile.bodies import with_programs
from tinycompile.codegen import emit
from tinycompile.errors import ModelError, Problem, UsageError
from tinycompile.fit import Alternative, Need, check_fit
from tinycompile.frontend import read_model
from tinycompile.ir import Graph
from tinycompile.lowering import BuildInfo, lower
from tinycompile.ops import load_plugin, operation, operator_of
from tinycompile.output import c_identifier
from tinycompile.passes import passes_for, run_passes
from tinycompile.plan import InputMode, MemoryPlan, Schedule, Selection
from tinycompile.planning import Plan
from tinycompile.program import Parameter, Program
from tinycompile.recompute import planned_graph
from tinycompile.replay import replay
from tinycompile.report import Report, collect, memory_svg, render_text, to_json
from tinycompile.version import __version__

OPTIMIZE = ("speed", "balanced", "ram", "flash")
IO = ("model", "quantized")
MODEST_RECOMPUTE = 5.0
"""Percent of extra MACs that are proposed to somebody whose model does not fit."""
INPUT_MODES = tuple(mode.value for mode in InputMode)


class ModelOptions(TypedDict, total=False):
    """The options of `prepare`, which all plans of a model share; see `compile_model`."""

    board: str | Board
    io: str
    input_mode: str
    plugins: Sequence[str | Path]


class CompileOptions(ModelOptions, total=False):
    """The options of `compile_model` that every command has which compiles; see there."""

    optimize: str
    ram_limit: int | None
    recompute: float


@dataclass(frozen=True, eq=False)
class Prepared:
    """A model on a board, ready to be planned: what all of its compilations have in common."""

    model: bytes
    name: str
    board: Board
    imported: Graph
    """The model as the file has it; the subgraphs that its operators run are compiled."""
    graph: Graph
    """The model after the passes."""
    io: str
    input_mode: InputMode


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
    input_mode: str = "arena",
    ram_limit: int | None = None,
    recompute: float = 0.0,
    plugins: Sequence[str | Path] = (),
) -> Compilation:
    """Compile a .tflite model (a path, or the bytes of one) to C for a board.

    `name` prefixes everything in the generated C; it defaults to the file's stem. `optimize` is one of OPTIMIZE. With `io`
    "quantized" float inputs and outputs that the model quantizes are exchanged as integers. `input_mode` tells where inputs lie:
    in the "arena", where invoke may overwrite them, in memory of the caller that is only read ("const"), or nowhere: the caller
    delivers "rows" when they are needed. With a `ram_limit` the plan is the fastest whose arena and state take no more bytes;
    `optimize` then only decides on flash. With `recompute` the first layers may be computed in vertical stripes that overlap:
    less memory for at most so many percent more multiply-accumulates. `plugins` are Python files with custom operators
    (docs/custom-operators.md).

    Raises:
        UsageError: the board or an option does not exist, or a plugin cannot be loaded.
        ModelError: the file is malformed or uses something that is not supported.
        FitError: the model does not fit the board's memory, or the limit.
    """
    _check_options(optimize, ram_limit, recompute)
    prepared = prepare(
        model,
        board=board,
        name=name,
        io=io,
        input_mode=input_mode,
        optimize=optimize,
        plugins=plugins,
    )
    graph, planned = planned_graph(
        prepared.graph,
        prepared.board,
        optimize=optimize,
        ram_limit=ram_limit,
        input_mode=prepared.input_mode,
        recompute=recompute,
    )
    prepared = replace(prepared, graph=graph)
    result = finish(prepared, planned, optimize=optimize, ram_limit=ram_limit, recompute=recompute)
    program = result.program
    need = Need(program.name, program.arena_bytes + program.state_bytes, program.weights_bytes)
    check_fit(
        need, prepared.board, ram_limit, lambda: _alternatives(prepared, optimize, ram_limit, recompute)
    )
    return result


def prepare(
    model: str | Path | bytes,
    *,
    board: str | Board = "m7",
    name: str | None = None,
    io: str = "model",
    input_mode: str = "arena",
    optimize: str = "speed",
    plugins: Sequence[str | Path] = (),
) -> Prepared:
    """Read a model and simplify it; see `compile_model`. Subgraphs that operators run are compiled here, with `optimize`."""
    check_choice("io", io, IO)
    check_choice("input", input_mode, INPUT_MODES)
    for plugin in plugins:
        load_plugin(plugin)
    data, stem = _read(model)
    target = load_board(board) if isinstance(board, str) else board
    name = c_identifier(name or stem)
    imported = read_model(data, f"{stem}.tflite")
    imported = with_programs(imported, target, _info(data, name, imported, {}), optimize)
    mode = InputMode(input_mode)
    graph = simplify(imported, io, mode)
    return Prepared(data, name, target, imported, graph, io, mode)


def finish(
    prepared: Prepared,
    planned: Plan,
    *,
    optimize: str,
    ram_limit: int | None = None,
    recompute: float = 0.0,
) -> Compilation:
    """Make the C and the report of a plan, which is replayed before; whether it fits the board is left to `check_fit`."""
    selection, schedule, memory = planned
    options: dict[str, Parameter] = {
        "optimize": optimize,
        "input": prepared.input_mode.value,
        "io": prepared.io,
        **({} if ram_limit is None else {"ram_limit": ram_limit}),
        **({"recompute": recompute} if recompute else {}),
    }
    info = _info(prepared.model, prepared.name, prepared.imported, options)
    program = lower(prepared.graph, selection, schedule, memory, prepared.board, info)
    replay(prepared.graph, selection, program).check()
    files = emit(program)
    report = collect(program, files)
    return Compilation(
        model=prepared.model,
        board=prepared.board,
        imported=prepared.imported,
        graph=prepared.graph,
        selection=selection,
        schedule=schedule,
        memory=memory,
        program=program,
        report=report,
        files={**files, **_report_files(report)},
    )


def _report_files(report: Report) -> dict[str, str]:
    return {
        "report.json": to_json(report),
        "report.txt": render_text(report),
        "memory.svg": memory_svg(report),
    }


def _alternatives(
    prepared: Prepared, optimize: str, ram_limit: int | None, recompute: float
) -> Iterator[Alternative]:
    """Plans with other options, for somebody whose model does not fit; those with extra MACs only if no other one does."""
    limit = min(limit for limit in (ram_limit, prepared.board.ram_bytes) if limit is not None)
    given = [] if ram_limit is not None else [f"--ram-limit {limit}"]
    for percent in dict.fromkeys((recompute, max(recompute, MODEST_RECOMPUTE))):
        fits = False
        for mode in dict.fromkeys((prepared.input_mode, *InputMode)):
            options = [] if mode is prepared.input_mode else [f"--input {mode.value}"]
            options += [] if percent == recompute else [f"--recompute {percent:g}"]
            if options or given:
                graph = simplify(prepared.imported, prepared.io, mode)
                _, (_, _, memory) = planned_graph(
                    graph,
                    prepared.board,
                    optimize=optimize,
                    input_mode=mode,
                    ram_limit=limit,
                    recompute=percent,
                )
                ram_bytes = memory.arena_bytes + memory.state_bytes
                yield Alternative(" ".join([*options, *given]), ram_bytes)
                fits = fits or ram_bytes <= limit
        if fits:
            return


def simplify(
    imported: Graph, io: str, input_mode: InputMode, dump: Callable[[str, Graph], None] | None = None
) -> Graph:
    """Run the passes of an interface; `dump` sees the graph after each one."""
    passes = passes_for(quantized_edges=io == "quantized", streamed_inputs=input_mode is InputMode.ROWS)
    return run_passes(imported, passes, dump)


def _check_options(optimize: str, ram_limit: int | None, recompute: float) -> None:
    """Refuse values that an option does not have."""
    check_choice("optimize", optimize, OPTIMIZE)
    if ram_limit is not None and ram_limit <= 0:
        raise UsageError(Problem("--ram-limit", f"{ram_limit} bytes hold no model"))
    if not 0 <= recompute < inf:
        raise UsageError(Problem("--recompute", f"{recompute} percent are no extra work"))


def check_choice(option: str, value: str, allowed: Sequence[str]) -> None:
    """Refuse a value that an option does not have."""
    if value not in allowed:
        raise UsageError(Problem(option, f"there is no {value!r}", f"there are: {', '.join(allowed)}"))


def _info(model: bytes, name: str, imported: Graph, options: Mapping[str, Parameter]) -> BuildInfo:
    digest = sha256(model).hexdigest()
    return BuildInfo(name, __version__, digest, options, source_macs=_macs(imported))


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
