"""Several models in one firmware, whose arenas are the same memory: models that do not run at the same time share it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Unpack

from tinycompile.board import Board
from tinycompile.codegen import emit_shared
from tinycompile.driver.compile import Compilation, compile_model, smallest_flash
from tinycompile.driver.fit import LARGER, Need, check_fit
from tinycompile.driver.options import CompileOptions
from tinycompile.driver.output import c_identifier
from tinycompile.errors import FitError, Problem, UsageError
from tinycompile.report import Report, collect_shared, render_shared, to_json

DEFAULT_NAME = "shared"


@dataclass(frozen=True, eq=False)
class SharedCompilation:
    """Every model's compilation, and the directory that holds them all: `NAME.h`, and a folder for each model."""

    name: str
    board: Board
    models: tuple[Compilation, ...]
    report: Report
    files: Mapping[str, str]


def compile_shared(
    models: Sequence[str | Path], *, name: str | None = None, **options: Unpack[CompileOptions]
) -> SharedCompilation:
    """Compile models that take turns in one arena.

    `name` prefixes the macros of the common header. A `ram_limit` holds for the arena and the states of all models together, a
    `flash_limit` for their code and weights.

    Raises:
        TinyCompileError: what `compile_model` raises; UsageError when two models have the same name.
    """
    group = c_identifier(name or DEFAULT_NAME)
    _check_names(group, [c_identifier(Path(model).stem) for model in models])
    made = _compile(models, options)
    board, programs = made[0].board, [one.program for one in made]
    report = collect_shared(group, programs)
    need = Need(group, report["arena_bytes"] + report["state_bytes"], sum(one.flash_bytes for one in made))
    limit = options.get("ram_limit")
    check_fit(need, board, {} if limit is None else {"ram_limit": limit}, lambda: ())
    files = {f"{one.program.name}/{path}": text for one in made for path, text in one.files.items()}
    files |= emit_shared(group, programs)
    files |= {"report.json": to_json(report), "report.txt": render_shared(report)}
    return SharedCompilation(group, board, made, report, files)


def _compile(models: Sequence[str | Path], options: CompileOptions) -> tuple[Compilation, ...]:
    """Each model; within limits, flash is divided, and what the states leave is every model's arena."""
    each = _with_flash(models, options)
    made = [compile_model(model, **own) for model, own in zip(models, each, strict=True)]
    limit = options.get("ram_limit")
    if limit is None:
        return tuple(made)
    states = sum(one.program.state_bytes for one in made)
    for index, one in enumerate(made):
        if one.program.arena_bytes + states > limit:
            left = max(limit - states + one.program.state_bytes, 1)
            own: CompileOptions = {**each[index], "ram_limit": left}
            try:
                made[index] = compile_model(models[index], **own)
            except FitError as error:
                found = f"the states of all models take {states:,} of {limit:,} bytes"
                raise FitError(
                    [Problem(f"--ram-limit {limit}", found, told) for told in error.problems]
                ) from error
    return tuple(made)


def _with_flash(models: Sequence[str | Path], options: CompileOptions) -> list[CompileOptions]:
    """The options of each model: under a limit of flash each has what it must have and the same part of the rest."""
    limit = options.get("flash_limit")
    free: CompileOptions = {**options, "flash_limit": None}
    if limit is None:
        return [free for _ in models]
    most = [compile_model(model, **free).flash_bytes for model in models]
    if sum(most) <= limit:
        return [free for _ in models]
    least = [smallest_flash(model, **free) for model in models]
    if sum(least) > limit:
        found = f"code and weights take {sum(least):,} bytes of flash at least"
        raise FitError(
            Problem(
                f"--flash-limit {limit}", found, action=f"it misses by {sum(least) - limit:,} bytes; {LARGER}"
            )
        )
    part = (limit - sum(least)) / max(sum(most) - sum(least), 1)
    return [
        {**options, "flash_limit": low + int(part * max(high - low, 0))}
        for low, high in zip(least, most, strict=True)
    ]


def _check_names(group: str, names: Sequence[str]) -> None:
    """Names become prefixes, folders and targets, and in capitals macros: each may occur once."""
    capitals = [one.upper() for one in names]
    twice = [one for index, one in enumerate(names) if one.upper() in capitals[:index]]
    problems = [Problem(one, "two models have this name", action="rename a file") for one in twice]
    if group.upper() in capitals:
        problems.append(
            Problem(group, "a model has the name of the common header", action="choose another --name")
        )
    if problems:
        raise UsageError(problems)
