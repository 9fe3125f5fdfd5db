"""The report of models that share an arena."""

from collections.abc import Mapping, Sequence
from typing import Any

from tinycompile.program import Program
from tinycompile.report.collect import Report
from tinycompile.report.text import as_text, table

_FIGURES = ("arena_bytes", "state_bytes", "weights_bytes", "macs_executed")


def collect_shared(name: str, programs: Sequence[Program]) -> Report:
    """What all models need together, and what each one needs; the rest is in the report in each model's folder."""
    return {
        "name": name,
        "tool_version": programs[0].tool_version,
        "board": programs[0].board,
        "arena_bytes": max(program.arena_bytes for program in programs),
        "arena_align": max(program.arena_align for program in programs),
        "state_bytes": sum(program.state_bytes for program in programs),
        "weights_bytes": sum(program.weights_bytes for program in programs),
        "macs_executed": sum(program.macs_executed for program in programs),
        "models": [
            {
                "name": program.name,
                "model_sha256": program.model_sha256,
                "options": dict(program.options),
                **{key: getattr(program, key) for key in _FIGURES},
            }
            for program in programs
        ],
    }


def render_shared(report: Mapping[str, Any]) -> str:
    """The report as a table."""
    made = table(
        f"{report['name']} for board {report['board']}, one arena",
        "name", "arena", "state", "weights", "macs",
    )  # fmt: skip
    for row in [*report["models"], {**report, "name": "together"}]:
        made.add_row(row["name"], *(f"{row[key]:,}" for key in _FIGURES))
    return as_text(made)
