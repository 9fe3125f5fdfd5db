"""The command: `python -m benchmarks`. Tables go to standard output, progress and messages to standard error.

Exit codes: 0 all was measured and exact, 1 an output differs or a build failed, 2 usage. A missed bar is no error,
and neither is a model whose file is missing.
"""

import json
import logging
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from benchmarks.checks import build_check, flash_checks, memory_checks, speed_checks
from benchmarks.documents import write_documents
from benchmarks.measure import BOARD, ROOT, WITHIN, Result, measure, model_path, models_folder
from benchmarks.references import Reference, References, load_references
from benchmarks.render import as_text, gaps, sections
from tinycompile.version import __version__

ERR = Console(stderr=True)

MODES: dict[str | None, tuple[str, ...]] = {
    "speed": ("speed",),
    "memory": ("speed", "balanced", "ram"),
    "flash": ("speed", WITHIN, "flash"),
    "build": (),
    None: ("speed", "balanced", "ram", WITHIN, "flash"),
}
"""Builds to measure for a subject; memory and flash are told beside the cycles of `speed`."""


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--models", "names", metavar="NAME,...", help="Only these models of references.toml.")
@click.option(
    "--only",
    type=click.Choice(["speed", "memory", "flash", "build"]),
    help="Only one subject, with fewer builds.",
)
@click.option(
    "--json", "json_path", type=click.Path(path_type=Path), metavar="FILE", help="Write all figures."
)
@click.option("--markdown", is_flag=True, help="Write docs/benchmarks.md and the figures of README.md.")
def main(names: str | None, only: str | None, json_path: Path | None, markdown: bool) -> None:
    """Measure real models on the emulated Cortex-M7 beside this project's bars and its peers.

    Models are NAME.tflite in the folder TINYCOMPILE_MODELS, or in ../shared/models; those that are missing are said.
    """
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    references = load_references()
    chosen = _chosen(references, names)
    if markdown:
        _check_complete(references, names, only)
    results = measure(chosen, MODES[only], models_folder(), _progress, timed=only in ("build", None))
    if json_path:
        json_path.parent.mkdir(parents=True, exist_ok=True)
        json_path.write_text(json.dumps(_as_data(results, references), indent=1) + "\n", encoding="utf-8")
    report = sections(results, references, only)
    click.echo("\n".join(map(as_text, report)), nl=False)
    for gap in gaps(results):
        click.echo(gap, err=True)
    if markdown:
        for path in write_documents(results, references, report):
            click.echo(f"wrote {path.relative_to(ROOT)}", err=True)
    if any(result.problems or not result.exact for result in results):
        sys.exit(1)


def _chosen(references: References, names: str | None) -> tuple[Reference, ...]:
    if names is None:
        return references.models
    by_name = {reference.name: reference for reference in references.models}
    wanted = [name.strip() for name in names.split(",")]
    unknown = [name for name in wanted if name not in by_name]
    if unknown:
        raise click.UsageError(f"no such model: {', '.join(unknown)}; there are {', '.join(by_name)}")
    return tuple(by_name[name] for name in wanted)


def _check_complete(references: References, names: str | None, only: str | None) -> None:
    """Refuse to write documents of a part of the figures, before the long run."""
    if names or only:
        raise click.UsageError("--markdown writes all figures: leave --models and --only out")
    folder = models_folder()
    missing = [r.name for r in references.models if not model_path(r, folder).is_file()]
    if missing:
        raise click.UsageError(f"--markdown needs all models; not in {folder}: {', '.join(missing)}")


def _as_data(results: Sequence[Result], references: References) -> dict[str, Any]:
    """Everything that was measured, with the verdicts, for JSON."""
    rows = []
    for result in results:
        checks = [
            build_check(result),
            *speed_checks(result).values(),
            *memory_checks(result, references.limits),
            *flash_checks(result),
        ]
        verdicts = [{**asdict(check), "verdict": check.verdict} for check in checks if check is not None]
        rows.append({**asdict(result), "checks": verdicts})
    return {"tool_version": __version__, "board": BOARD, "models": rows}


def _progress(text: str) -> None:
    ERR.print(text, highlight=False)


if __name__ == "__main__":
    main()
