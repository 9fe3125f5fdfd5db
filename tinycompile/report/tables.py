"""Tables for the terminal: measurements, boards, tools."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich.table import Table

from tinycompile.board import Board
from tinycompile.report.render import as_text, table

BENCH_KEYS = ("macs_executed", "instructions", "cycles_m7", "arena_bytes", "state_bytes", "stack_bytes", "code_bytes",
              "weights_bytes")  # fmt: skip


def render_bench(rows: Sequence[Mapping[str, Any]]) -> str:
    """Measurements as text: one line a model, then the layers of those that have them."""
    made = table("measured; cycles are modelled", "name", *BENCH_KEYS, "exact", "samples")
    for row in rows:
        made.add_row(
            row["model"],
            *(_figure(row[key]) for key in BENCH_KEYS),
            "yes" if row["exact"] else "NO",
            str(row["samples"]),
        )
    parts = [as_text(made)]
    parts += [as_text(_layers(row)) for row in rows if row.get("layers")]
    return "\n".join(parts)


def boards_table(boards: Iterable[Board]) -> Table:
    """The boards there are."""
    made = table("boards", "name", "what", "RAM bytes", "flash bytes")
    for board in boards:
        made.add_row(board.name, board.description, _figure(board.ram_bytes), _figure(board.flash_bytes))
    return made


def _layers(row: Mapping[str, Any]) -> Table:
    made = table(f"layers of {row['model']}", "#", "op", "kernel", "macs", "instructions", "cycles_m7", "per MAC")
    for layer in row["layers"]:
        macs, instructions = layer["macs_executed"], layer["instructions"]
        made.add_row(
            str(layer["index"]),
            layer["op"],
            layer["kernel"],
            _figure(macs),
            _figure(instructions),
            _figure(layer["cycles_m7"]),
            f"{instructions / macs:.2f}" if macs and instructions is not None else "",
        )
    return made


def _figure(value: int | None) -> str:
    return "-" if value is None else f"{value:,}"
