"""The memory of a plan as a picture: regions from left to right, arena bytes upwards, a box for every buffer."""

from collections.abc import Mapping
from typing import Any

from tinycompile.program import short_name
from tinycompile.report.drawing import Scale, draw

_LEFT, _TOP, _HEIGHT = 70, 60, 420
_LEAST_WIDTH, _LEAST_COLUMN = 640, 22
_TEXT_WIDTH, _TEXT_HEIGHT = 6.2, 13
_COLOURS = {"full": "#92c5de", "ring": "#a6dba0", "scratch": "#fdb863"}
_INPUT_COLOUR = "#f4a6a6"


def memory_svg(report: Mapping[str, Any]) -> str:
    """Every buffer at its offset during its regions; the peak, and the bound that an input in the arena sets."""
    memory = report["memory"]
    regions = memory["regions"]
    column = max(_LEAST_COLUMN, _LEAST_WIDTH / max(len(regions), 1))
    across = Scale(0, max(len(regions), 1), _LEFT, _LEFT + column * max(len(regions), 1))
    up = Scale(0, memory["arena_bytes"] or 1, _TOP + _HEIGHT, _TOP)
    return draw(
        "memory.svg.j2",
        title=f"{report['name']} on {report['board']}: arena {memory['arena_bytes']:,} bytes over time",
        boxes=[_box(buffer, across, up) for buffer in memory["buffers"]],
        columns=[{"x": across.at(region["index"] + 0.5), "text": _column_text(region)} for region in regions],
        peak={"x": across.at(memory["peak_region"]), "width": round(column, 1)},
        bounds=[
            {"y": up.at(bound["bytes"]), "text": f"{bound['name']} {bound['bytes']:,}"}
            for bound in memory["bounds"]
            if bound["name"] == "input resident"
        ],
        ticks=up.ticks(),
        legend=[*_COLOURS.items(), ("input", _INPUT_COLOUR)],
        left=_LEFT,
        right=across.end,
        top=_TOP,
        bottom=_TOP + _HEIGHT,
    )


def _box(buffer: Mapping[str, Any], across: Scale, up: Scale) -> dict[str, Any]:
    left, right = across.at(buffer["first"]), across.at(buffer["last"] + 1)
    top, bottom = up.at(buffer["offset"] + buffer["bytes"]), up.at(buffer["offset"])
    name = short_name(buffer["name"])
    fits = int((right - left - 6) / _TEXT_WIDTH) if bottom - top >= _TEXT_HEIGHT else 0
    return {
        "x": left,
        "y": top,
        "width": round(right - left, 1),
        "height": round(bottom - top, 1),
        "colour": _INPUT_COLOUR if buffer["is_input"] else _COLOURS[buffer["kind"]],
        "text": name if len(name) <= fits else f"{buffer['bytes']:,}" if fits >= 6 else "",
        "title": f"{name}: {buffer['bytes']:,} bytes at {buffer['offset']:,}, regions {buffer['first']} to "
        f"{buffer['last']}, {buffer['kind']}",
    }


def _column_text(region: Mapping[str, Any]) -> str:
    ops = region["ops"]
    return f"{region['index']} {ops[-1]}" + (f", {len(ops)} fused" if len(ops) > 1 else "")
