"""How good a memory plan is: the peak and what makes it, the lower bounds, and what would lower it next."""

from collections.abc import Mapping
from typing import Any

from tinycompile.program import short_name
from tinycompile.report.text import Table, table


def levers(memory: Mapping[str, Any], options: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What would need less memory than this plan, the option that acts on its peak first.

    `acts_on_bytes` are the bytes of the peak that could go; what a plan without them needs, only planning it tells.
    """
    acts_on = sum(buffer["bytes"] for buffer in memory["peak_buffers"] if buffer["is_input"])
    found = _input_levers(acts_on) if acts_on and options["input"] == "arena" else []
    return [
        *found,
        *([] if "recompute" in options else [_work_lever(memory)]),
        _cycles_lever(memory, options),
    ]


def certificate(report: Mapping[str, Any]) -> tuple[Table, Table, Table]:
    """The tables of the peak, of the bounds and of the levers."""
    memory = report["memory"]
    return _peak(memory), _bounds(memory), _levers(memory)


def _input_levers(acts_on_bytes: int) -> list[dict[str, Any]]:
    const = "the input stays in memory of the caller, who has it anyway, and is only read"
    rows = "the input lies nowhere: the caller delivers a row when it is needed"
    return [
        {"option": "--input const", "acts_on_bytes": acts_on_bytes, "what": const},
        {"option": "--input rows", "acts_on_bytes": acts_on_bytes, "what": rows},
    ]


def _work_lever(memory: Mapping[str, Any]) -> dict[str, Any]:
    what = "multiply-accumulates for memory: the first layers in stripes that overlap"
    return {"option": "--recompute 5", "acts_on_bytes": _beside_the_input(memory), "what": what}


def _cycles_lever(memory: Mapping[str, Any], options: Mapping[str, Any]) -> dict[str, Any]:
    if options["optimize"] == "ram" or "ram_limit" in options:
        option, what = "--ram-limit", "more cycles than memory is usually worth: see `tinycompile explore`"
    else:
        option, what = "--optimize ram", "cycles for memory: see `tinycompile explore`"
    return {"option": option, "acts_on_bytes": _beside_the_input(memory), "what": what}


def _beside_the_input(memory: Mapping[str, Any]) -> int:
    """All but what must be there in any case is for more time to save."""
    resident = [bound["bytes"] for bound in memory["bounds"] if bound["name"] == "input resident"]
    return int(memory["arena_bytes"] - max(resident, default=0))


def _peak(memory: Mapping[str, Any]) -> Table:
    region = next((r for r in memory["regions"] if r["index"] == memory["peak_region"]), None)
    where = ", ".join(
        f"layer {layer} {op}" for layer, op in zip(region["layers"], region["ops"], strict=True)
    ) if region else "nothing runs"  # fmt: skip
    made = table(
        f"peak {memory['peak_bytes']:,} of {memory['arena_bytes']:,} bytes, in region {memory['peak_region']}: {where}",
        "offset", "bytes", "kind", "name",
    )  # fmt: skip
    for buffer in memory["peak_buffers"]:
        kind = f"{buffer['kind']}, input" if buffer["is_input"] else buffer["kind"]
        made.add_row(f"{buffer['offset']:,}", f"{buffer['bytes']:,}", kind, short_name(buffer["name"]))
    return made


def _bounds(memory: Mapping[str, Any]) -> Table:
    made = table(
        f"arena {memory['arena_bytes']:,} bytes beside its lower bounds", "name", "bytes", "arena above", "proved",
        "assumption",
    )  # fmt: skip
    for bound in memory["bounds"]:
        above = f"{memory['arena_bytes'] / bound['bytes'] - 1:+.1%}" if bound["bytes"] else ""
        made.add_row(
            bound["name"],
            f"{bound['bytes']:,}",
            above,
            "yes" if bound["proved"] else "not proved",
            bound["assumption"],
        )
    return made


def _levers(memory: Mapping[str, Any]) -> Table:
    made = table("what would need less, the first thing first", "option", "acts on bytes", "what")
    for lever in memory["levers"]:
        made.add_row(lever["option"], f"{lever['acts_on_bytes']:,}", lever["what"])
    return made
