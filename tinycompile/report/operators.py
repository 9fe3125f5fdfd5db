"""The table of supported operators, for `tinycompile ops` and for docs/supported-operators.md."""

from collections.abc import Mapping
from typing import Any

from tinycompile.ops import Operator, operators
from tinycompile.report.text import Table, table


def supported_operators() -> list[dict[str, Any]]:
    """Each operator with its element types, its limits in words, and its kernels."""
    return [_entry(operator) for operator in operators().values() if not operator.made_by_passes]


def operators_table() -> Table:
    """The operators as a table for the terminal."""
    made = table("supported operators", "op", "what", "kernel")
    for entry in supported_operators():
        made.add_row(entry["op"], "\n".join(entry["types"]), _kernels(entry, "{}"))
    return made


def operators_markdown() -> str:
    """The text of docs/supported-operators.md."""
    lines = [
        "# Supported operators",
        "",
        "Made by `tinycompile ops --markdown`; a test keeps it current. An operator, type or option outside of this",
        "table is refused by name, with exit code 3.",
        "",
    ]
    for entry in supported_operators():
        lines += [f"## {entry['op']}", "", entry["summary"]]
        if entry["types"]:
            lines += ["", "Types:", ""] + [f"* `{rule}`" for rule in entry["types"]]
        if entry["limits"]:
            lines += ["", "Limits:", ""] + [f"* {limit}" for limit in entry["limits"]]
        lines += [
            "",
            f"Kernels: {_kernels(entry, '`{}`')}.",
            "",
        ]
    return "\n".join(lines).rstrip() + "\n"


def _kernels(entry: Mapping[str, Any], form: str) -> str:
    """The names of an operator's kernels, or why it needs none."""
    names = ", ".join(map(form.format, entry["kernels"]))
    return names or (
        "none, it is a view of its input" if entry["types"] else "none, it is resolved on reading"
    )


def _entry(operator: Operator) -> dict[str, Any]:
    return {
        "op": operator.kind,
        "summary": _first_sentence(operator.__doc__),
        "types": [str(rule) for rule in operator.types],
        "limits": [_first_sentence(limit.__doc__) for limit in operator.limits],
        "kernels": [kernel.name for kernel in operator.kernels],
    }


def _first_sentence(docstring: str | None) -> str:
    """The first paragraph of a docstring on one line."""
    return " ".join((docstring or "").strip().split("\n\n")[0].split())
