"""Tables and sentences as text for the terminal and as Markdown."""

from collections.abc import Sequence
from dataclasses import dataclass
from io import StringIO

from rich import box
from rich.console import Console
from rich.table import Table as RichTable

from benchmarks.checks import (
    build_check,
    estimate_summary,
    flash_checks,
    memory_checks,
    speed_checks,
    summary,
)
from benchmarks.measure import Result, option_of
from benchmarks.references import References
from benchmarks.tables import (
    Table,
    build_table,
    estimate_table,
    flash_summary,
    flash_table,
    memory_table,
    speed_table,
    total_table,
)

WIDTH = 165


@dataclass(frozen=True)
class Section:
    """A table and what is to be said of it."""

    table: Table
    sentences: tuple[str, ...] = ()


def sections(results: Sequence[Result], references: References, only: str | None) -> tuple[Section, ...]:
    """The report: build time, speed, memory, flash, estimates and totals; `only` leaves out the other subjects."""
    limits = references.limits
    made = []
    if only in ("build", None):
        timed = [check for result in results if (check := build_check(result)) is not None]
        made.append(Section(build_table(results), (summary(timed),)))
    if only == "build":
        return tuple(made)
    if only in ("speed", None):
        checks = [check for result in results for check in speed_checks(result).values()]
        made.append(Section(speed_table(results), (summary(checks), *_notes(results))))
    if only in (None, "memory"):
        for mode in ("ram", "balanced"):
            checks = [check for result in results for check in memory_checks(result, limits, [mode])]
            made.append(Section(memory_table(results, mode, limits), (summary(checks),)))
    if only in (None, "flash"):
        checks = [check for result in results for check in flash_checks(result)]
        made.append(Section(flash_table(results), (summary(checks),)))
    made.append(Section(estimate_table(results, limits), (estimate_summary(results, limits),)))
    made.append(Section(total_table(results), (flash_summary(results),)))
    return tuple(made)


def gaps(results: Sequence[Result]) -> tuple[str, ...]:
    """What was not measured, or is not exact, and why."""
    missing = [result.reference.name for result in results if result.model_bytes is None]
    said = []
    if missing:
        said.append(
            f"There is no file of: {', '.join(missing)}. Point TINYCOMPILE_MODELS at the folder of NAME.tflite files."
        )
    for result in results:
        name = result.reference.name
        said += [
            f"{name} {option_of(mode)} was not measured: {why.splitlines()[0]}"
            for mode, why in result.problems.items()
        ]
        said += [
            f"{name} {option_of(mode)} is NOT EXACT: outputs differ from {result.reference.oracle}'s"
            for mode, build in result.builds.items()
            if not build.exact
        ]
    return tuple(said)


def as_text(section: Section) -> str:
    """A table without colour at a fixed width, and its sentences."""
    made = RichTable(title=section.table.title, box=box.ASCII2, title_justify="left")
    for number, head in enumerate(section.table.columns):
        # a head may be wrapped, a figure never
        widest = max((len(row[number]) for row in section.table.rows), default=0)
        made.add_column(head, justify="left" if number == 0 else "right", min_width=widest)
    for row in section.table.rows:
        made.add_row(*row)
    stream = StringIO()
    console = Console(file=stream, width=WIDTH, color_system=None, force_terminal=False, legacy_windows=False)
    console.print(made)
    for sentence in section.sentences:
        console.print(sentence, markup=False, highlight=False)
    return "\n".join(line.rstrip() for line in stream.getvalue().splitlines()) + "\n"


def as_markdown(table: Table) -> str:
    """A table in Markdown, without its title."""
    alignment = (":--", *("--:" for _ in table.columns[1:]))
    return "\n".join(f"| {' | '.join(row)} |" for row in (table.columns, alignment, *table.rows)) + "\n"


def _notes(results: Sequence[Result]) -> tuple[str, ...]:
    return tuple(f"{result.reference.name}: {note}." for result in results for note in result.reference.notes)
