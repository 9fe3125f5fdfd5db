"""The whole pipeline on one screen.

bytes --frontend--> Graph --passes--> Graph --lowering.select--> Selection
      --planning--> Schedule, MemoryPlan --lowering--> Program --codegen--> Draft: the code, which tells its flash
      --replay--> (checked) --codegen, report--> {path: text}

A limit of flash may ask for several drafts; one of them is finished.
"""

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Unpack

from tinycompile.board import Board
from tinycompile.codegen import emit, emit_code, estimated_code_bytes
from tinycompile.driver.fit import Alternative, Need, check_fit
from tinycompile.driver.flash_limit import draft_within
from tinycompile.driver.options import CompileOptions, Settings
from tinycompile.driver.prepared import Prepared, prepare, simplify
from tinycompile.driver.recompute import Choose, planned_graph
from tinycompile.ir import Graph
from tinycompile.lowering import lower
from tinycompile.plan import InputMode, MemoryPlan, Schedule, Selection
from tinycompile.planning import Plan
from tinycompile.program import Program
from tinycompile.replay import replay
from tinycompile.report import Report, collect, memory_svg, render_text, to_json

_log = logging.getLogger(__name__)

MODEST_RECOMPUTE = 5.0
"""Percent of extra MACs that are proposed to somebody whose model does not fit."""


@dataclass(frozen=True, eq=False)
class Draft:
    """A model that is planned and lowered for one board, with its code: what limits of memory choose between."""

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
    code: str
    """The C of all functions."""
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


@dataclass(frozen=True, eq=False)
class Compilation(Draft):
    """Every stage's result for one model on one board; the program is replayed."""

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
    if settings.recompute and prepared.input_mode is InputMode.ROWS:
        _log.warning(
            "--recompute has no effect with --input rows: stripes would read rows again, which come once"
        )
    chosen = draft_within_limits(prepared, settings)
    need = Need(prepared.name, chosen.ram_bytes, chosen.flash_bytes)
    check_fit(need, prepared.board, settings.limits, partial(_alternatives, prepared, settings))
    return finish(chosen)


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
    return draft_within_limits(prepare(model, optimize=settings.optimize, **given), settings).flash_bytes


def draft_within_limits(prepared: Prepared, settings: Settings) -> Draft:
    """Plan and lower a model with the fastest kernels that fit the flash; what does not fit is left to `check_fit`."""

    def draft_with(choose: Choose) -> Draft:
        graph, planned = planned_graph(
            prepared.graph,
            choose,
            optimize=settings.optimize,
            ram_limit=settings.ram_limit,
            input_mode=prepared.input_mode,
            recompute=settings.recompute,
        )
        return draft(replace(prepared, graph=graph), planned, settings)

    limits = [limit for limit in (settings.flash_limit, prepared.board.flash_bytes) if limit is not None]
    return draft_within(draft_with, prepared.board, settings.optimize, min(limits, default=None))


def draft(prepared: Prepared, planned: Plan, settings: Settings) -> Draft:
    """Lower a plan and print its code."""
    selection, schedule, memory = planned
    program = lower(prepared.graph, selection, schedule, memory, prepared.board, prepared.info(settings))
    code = emit_code(program)
    code_bytes = estimated_code_bytes(program, code)
    _log.info(
        "planned %s: %d layers in %d regions, arena %d bytes, weights %d, code about %d",
        program.name,
        len(program.layers),
        len(program.regions),
        program.arena_bytes,
        program.weights_bytes,
        code_bytes,
    )
    return Draft(
        model=prepared.model,
        board=prepared.board,
        imported=prepared.imported,
        graph=prepared.graph,
        selection=selection,
        schedule=schedule,
        memory=memory,
        program=program,
        code=code,
        code_bytes=code_bytes,
    )


def finish(made: Draft) -> Compilation:
    """Replay a draft; make the other files and the report."""
    replay(made.graph, made.selection, made.program).check()
    files = emit(made.program, made.code)
    report = collect(made.program, files, made.code_bytes)
    return Compilation(**vars(made), report=report, files={**files, **_report_files(report)})


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
                made = draft_within_limits(other, replace(settings, ram_limit=limit, recompute=percent))
                yield Alternative(" ".join([*options, *given]), made.ram_bytes)
                fits = fits or made.ram_bytes <= limit
        if fits:
            return
