"""What `tinycompile explore` shows: the plans that are not dominated, as a table and as a drawing."""

from collections.abc import Mapping, Sequence
from typing import Any

from tinycompile.report.drawing import COLOURS, Scale, draw, place_labels
from tinycompile.report.text import as_text, table

_PANEL_WIDTH, _PANEL_HEIGHT, _MARGIN = 380, 300, 70


def render_exploration(data: Mapping[str, Any]) -> str:
    """The plans as a table, followed by the command that builds each."""
    kind = "cycles (modelled)" if data["measured"] else "cycles (estimated)"
    flash = "flash" if data["measured"] else "flash (estimated)"
    made = table(
        f"{data['name']} on {data['board']}: plans that are not dominated, in bytes",
        "#", "RAM", "arena", "state", kind, "slower", flash, "regions",
    )  # fmt: skip
    plans = data["plans"]
    for number, plan in enumerate(plans, 1):
        made.add_row(
            str(number),
            *(f"{plan[key]:,}" for key in ("ram_bytes", "arena_bytes", "state_bytes", "cycles")),
            f"{plan['cycles'] / plans[0]['cycles'] - 1:+.1%}" if number > 1 and plans[0]["cycles"] else "",
            f"{plan['flash_bytes']:,}",
            str(plan["regions"]),
        )
    commands = [f"{number:3}  {plan['command']}" for number, plan in enumerate(plans, 1)]
    return "\n".join([as_text(made), *commands]) + "\n"


def exploration_svg(data: Mapping[str, Any]) -> str:
    """RAM against cycles, and RAM against flash; the plans have their numbers in the table."""
    plans = data["plans"]
    how = "modelled" if data["measured"] else "estimated"
    panels = [
        _panel(plans, "cycles", f"cycles, {how}", _MARGIN),
        _panel(plans, "flash_bytes", f"flash bytes{'' if data['measured'] else ', estimated'}",
               2 * _MARGIN + _PANEL_WIDTH),
    ]  # fmt: skip
    return draw(
        "exploration.svg.j2",
        title=f"{data['name']} on {data['board']}: RAM against cycles and flash",
        panels=panels,
        legend=_legend(plans),
        width=2 * (_PANEL_WIDTH + _MARGIN) + 30,
        top=50,
        bottom=50 + _PANEL_HEIGHT,
    )


def _panel(plans: Sequence[Mapping[str, Any]], key: str, label: str, left: int) -> dict[str, Any]:
    """One drawing of all plans, with its ticks."""
    across = Scale.over([plan[key] for plan in plans], left, left + _PANEL_WIDTH)
    up = Scale.over([plan["ram_bytes"] for plan in plans], 50 + _PANEL_HEIGHT, 50)
    colours = dict(_legend(plans))
    at = [(across.at(plan[key]), up.at(plan["ram_bytes"])) for plan in plans]
    points = [
        {
            "x": x,
            "y": y,
            "number": number,
            "colour": colours[plan["optimize"]],
            "title": plan["command"],
            "label": label,
        }
        for number, (plan, (x, y), label) in enumerate(zip(plans, at, place_labels(at), strict=True), 1)
    ]
    return {
        "left": left,
        "right": left + _PANEL_WIDTH,
        "label": label,
        "points": points,
        "across": across.ticks(),
        "up": up.ticks(),
    }


def _legend(plans: Sequence[Mapping[str, Any]]) -> list[tuple[str, str]]:
    """The kernel choices that occur, each with its colour."""
    return list(zip(dict.fromkeys(plan["optimize"] for plan in plans), COLOURS, strict=False))
