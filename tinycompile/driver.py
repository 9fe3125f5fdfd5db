"""The whole pipeline on one screen.

bytes --frontend--> Graph --passes--> Graph --lowering.select--> Selection
      --planning--> Schedule, MemoryPlan --lowering--> Program --replay--> (checked) --codegen, report--> {path: text}
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Unpack

from tinycompile.board import Board
from tinycompile.codegen import emit, estimated_code_bytes
from tinycompile.fit import Alternative, Need, check_fit
from tinycompile.flash import compile_within
from tinycompile.ir import Graph
from tinycompile.lowering import lower
from tinycompile.plan import InputMode, MemoryPlan, Schedule, Selection
from tinycompile.planning import Plan
from tinycompile.preparing import (
    INPUT_MODES,
    IO,
    OPTIMIZE,
    ModelOptions,
    Prepared,
    Settings,
    check_choice,
    prepare,
    simplify,
)
from tinycompile.program import Program
from tinycompile.recompute import Choose, planned_graph
from tinycompile.replay import replay
from tinycompile.report import Report, collect, memory_svg, render_text, to_json

__all__ = [
    "INPUT_MODES",
    "IO",
    "OPTIMIZE",
    "Compilation",
    "CompileOptions",
    "ModelOptions",
    "Prepared",
    "Settings",
    "check_choice",
    "compile_model",
    "compile_prepared",
    "finish",
    "prepare",
    "simplify",
    "smallest_flash",
]

MODEST_RECOMPUTE = 5.0
"""Percent of extra MACs that are proposed to somebody whose model does not fit."""


class CompileOptions(ModelOptions, total=False):
    """The options of `compile_model` that every command has which compiles; see there."""

    optimize: str
    ram_limit: int | None
    flash_limit: int | None
    recompute: float


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
    code_bytes: int
    """Flash of the code, estimated; `program.weights_bytes` are exact."""

    @property
    def ram_bytes(self) -> int:
        """Arena and state."""
        return self.program.arena_bytes + self.program.state_bytes

    @property
    def flash_bytes(self) -> int:
        """Code, estimated, and weights."""
        return self.code_bytes + self.program.weights_bytes


def compile_model(
    model: str | Path | bytes,
    *,
    board: str | Board = "m7",
    name: str | None = None,
    optimize: str = "speed",
    io: str = "model",
    input_mode: str = "arena",
    ram_limit: int | None = None,
    flash_limit: int | None = None,
    recompute: float = 0.0,
    plugins: Sequence[str | Path] = (),
) -> Compilation:
    """Compile a .tflite model (a path, or the bytes of one) to C for a board.

    `name` prefixes everything in the generated C; it defaults to the file's stem. `optimize` is one of OPTIMIZE. With `io`
    "quantized" float inputs and outputs that the model quantizes are exchanged as integers. `input_mode` tells where inputs lie:
    in the "arena", where invoke may overwrite them, in memory of the caller that is only read ("const"), or nowhere: the caller
    delivers "rows" when they are needed. With a `ram_limit` the plan is the fastest whose arena and state take no more bytes;
    `optimize` then only decides on flash. With a `flash_limit` kernels are the fastest with which code and weights take no more
    bytes. With `recompute` the first layers may be computed in vertical stripes that overlap: less memory for at most so many
    percent more multiply-accumulates. `plugins` are Python files with custom operators (docs/custom-operators.md).

    Raises:
        UsageError: the board or an option does not exist, or a plugin cannot be loaded.
        ModelError: the file is malformed or uses something that is not supported.
        FitError: the model does not fit the board's memory, or a limit.
    """
    settings = Settings(optimize, ram_limit, flash_limit, recompute)
    settings.check()
    prepared = prepare(
        model,
        board=board,
        name=name,
        io=io,
        input_mode=input_mode,
        optimize=optimize,
        plugins=plugins,
    )
    result = compile_prepared(prepared, settings)
    need = Need(result.program.name, result.ram_bytes, result.flash_bytes)
    check_fit(need, prepared.board, settings.limits, partial(_alternatives, prepared, settings))
    return result


def smallest_flash(model: str | Path, **options: Unpack[CompileOptions]) -> int:
    """Code (estimated) and weights of a model with its smallest kernels; the options and errors are those of `compile_model`."""
    given: dict[str, Any] = dict(options)
    settings = Settings(
        optimize=given.pop("optimize", "speed"),
        ram_limit=given.pop("ram_limit", None),
        flash_limit=1,
        recompute=given.pop("recompute", 0.0),
    )
    given.pop("flash_limit", None)
    return compile_prepared(prepare(model, optimize=settings.optimize, **given), settings).flash_bytes


def compile_prepared(prepared: Prepared, settings: Settings) -> Compilation:
    """Plan a model and make the C, with the fastest kernels that fit the flash; what does not fit is left to `check_fit`."""

    def compile_with(choose: Choose) -> Compilation:
        graph, planned = planned_graph(
            prepared.graph,
            choose,
            optimize=settings.optimize,
            ram_limit=settings.ram_limit,
            input_mode=prepared.input_mode,
            recompute=settings.recompute,
        )
        return finish(replace(prepared, graph=graph), planned, settings)

    limits = [limit for limit in (settings.flash_limit, prepared.board.flash_bytes) if limit is not None]
    return compile_within(compile_with, prepared.board, settings.optimize, min(limits, default=None))


def finish(prepared: Prepared, planned: Plan, settings: Settings) -> Compilation:
    """Make the C and the report of a plan, which is replayed before; whether it fits the board is left to `check_fit`."""
    selection, schedule, memory = planned
    program = lower(prepared.graph, selection, schedule, memory, prepared.board, prepared.info(settings))
    replay(prepared.graph, selection, program).check()
    files = emit(program)
    code_bytes = estimated_code_bytes(program, files)
    report = collect(program, files, code_bytes)
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
        code_bytes=code_bytes,
    )


def _report_files(report: Report) -> dict[str, str]:
    return {
        "report.json": to_json(report),
        "report.txt": render_text(report),
        "memory.svg": memory_svg(report),
    }


def _alternatives(prepared: Prepared, settings: Settings) -> Iterator[Alternative]:
    """Plans with other options, for somebody whose model does not fit; those with extra MACs only if no other one does."""
    limit = min(limit for limit in (settings.ram_limit, prepared.board.ram_bytes) if limit is not None)
    given = [] if settings.ram_limit is not None else [f"--ram-limit {limit}"]
    for percent in dict.fromkeys((settings.recompute, max(settings.recompute, MODEST_RECOMPUTE))):
        fits = False
        for mode in dict.fromkeys((prepared.input_mode, *InputMode)):
            options = [] if mode is prepared.input_mode else [f"--input {mode.value}"]
            options += [] if percent == settings.recompute else [f"--recompute {percent:g}"]
            if options or given:
                graph = simplify(prepared.imported, prepared.io, mode)
                other = replace(prepared, graph=graph, input_mode=mode)
                made = compile_prepared(other, replace(settings, ram_limit=limit, recompute=percent))
                yield Alternative(" ".join([*options, *given]), made.ram_bytes)
                fits = fits or made.ram_bytes <= limit
        if fits:
            return
