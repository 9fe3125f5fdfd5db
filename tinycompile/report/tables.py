"""Tables for the terminal: measurements, boards, tools."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from tinycompile.board import Board
from tinycompile.report.render import kernels_table
from tinycompile.report.text import Table, as_text, table

_FIGURES = {
    "MACs": "macs_executed",
    "instructions": "instructions",
    "M7 cycles": "cycles_m7",
    "arena": "arena_bytes",
    "state": "state_bytes",
    "stack": "stack_bytes",
    "code": "code_bytes",
    "weights": "weights_bytes",
}
"""Head of each column of figures, and its key; memory is in bytes."""


def render_bench(rows: Sequence[Mapping[str, Any]]) -> str:
    """Measurements as text: one line a model, then the layers of those that have them."""
    made = table("measured; memory in bytes, cycles are modelled", "name", *_FIGURES, "exact", "samples")
    for row in rows:
        made.add_row(
            row["model"],
            *(_figure(row[key]) for key in _FIGURES.values()),
            _agreement(row),
            str(row["samples"]),
        )
    parts = [as_text(made)]
    for row in rows:
        if row.get("layers"):
            parts += [as_text(_layers(row)), as_text(kernels_table(row["layers"]))]
    return "\n".join(parts)


def _agreement(row: Mapping[str, Any]) -> str:
    """How outputs compare with the reference's: equal, floats within the tolerance, or different."""
    if row["exact"]:
        return "yes"
    return f"to {row['max_relative_error']:.0e}" if row["passed"] else "NO"


def boards_table(boards: Iterable[Board]) -> Table:
    """The boards there are."""
    made = table("boards", "name", "what", "RAM bytes", "flash bytes")
    for board in boards:
        made.add_row(board.name, board.description, _figure(board.ram_bytes), _figure(board.flash_bytes))
    return made


def tools_table(tools: Iterable[Mapping[str, Any]]) -> Table:
    """Tools that are there, and the command that installs each that is missing."""
    made = table("tools", "name", "purpose", "state", "what to do")
    for tool in tools:
        state = (
            tool["version"] or "there" if tool["found"] else "MISSING" if tool["required"] else "not there"
        )
        made.add_row(tool["name"], tool["purpose"], state, "" if tool["found"] else tool["install"])
    return made


def _layers(row: Mapping[str, Any]) -> Table:
    made = table(
        f"layers of {row['model']}", "#", "op", "kernel", "MACs", "instructions", "M7 cycles", "estimated",
        "per MAC",
    )  # fmt: skip
    for layer in row["layers"]:
        macs, instructions = layer["macs_executed"], layer["instructions"]
        made.add_row(
            str(layer["index"]),
            layer["op"],
            layer["kernel"],
            _figure(macs),
            _figure(instructions),
            _figure(layer["cycles_m7"]),
            _figure(layer["estimated_cycles"]),
            f"{instructions / macs:.2f}" if macs and instructions is not None else "",
        )
    return made


def _figure(value: int | None) -> str:
    return "-" if value is None else f"{value:,}"
