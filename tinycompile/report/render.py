"""The tables of report.txt, from the data of report.json."""

from collections.abc import Iterable, Mapping
from typing import Any

from tinycompile.program import short_name
from tinycompile.report.certificate import certificate
from tinycompile.report.text import Table, as_text, table

_TOTALS = ("arena_bytes", "state_bytes", "weights_bytes", "estimated_code_bytes", "macs", "macs_executed")
_REMOVED = ("channels_removed", "macs_removed", "weight_bytes_removed")


def render_text(report: Mapping[str, Any]) -> str:
    """The report as plain text: totals, layers, kernels, memory map and certificate."""
    parts = [
        _totals(report),
        _layers(report),
        kernels_table(report["layers"]),
        _changes(report),
        _buffers(report),
        *certificate(report),
    ]
    return "\n".join(as_text(part) for part in parts if part.rows)


def _totals(report: Mapping[str, Any]) -> Table:
    made = table(f"{report['name']} for board {report['board']}", "what", "value")
    for port in [*report["inputs"], *report["outputs"]]:
        kind = "input" if port in report["inputs"] else "output"
        scale = (
            "" if port["scale"] is None else f", scale {port['scale']:.6g}, zero point {port['zero_point']}"
        )
        made.add_row(f"{kind} {port['index']}", f"{port['dtype']} {port['shape']}{scale}")
    for key in _TOTALS:
        made.add_row(key, f"{report[key]:,}")
    for option, taken in (
        ("ram_limit", report["arena_bytes"] + report["state_bytes"]),
        ("flash_limit", report["weights_bytes"] + report["estimated_code_bytes"]),
    ):
        if option in report["options"]:
            made.add_row(option, f"{report['options'][option]:,}, of which {taken:,} are taken")
    return made


def _layers(report: Mapping[str, Any]) -> Table:
    made = table(
        "layers", "#", "op", "output", "kernel", "macs", "cycles (estimated)", "arena", "scratch", "weights"
    )
    for layer in report["layers"]:
        output = layer["outputs"][0]
        made.add_row(
            str(layer["index"]),
            layer["op"],
            f"{output['dtype']} {'x'.join(map(str, output['shape']))}",
            layer["kernel"],
            f"{layer['macs_executed']:,}",
            f"{layer['estimated_cycles']:,}",
            f"{layer['arena_bytes']:,}",
            f"{layer['scratch_bytes']:,}",
            f"{layer['weights_bytes']:,}",
        )
    return made


def kernels_table(layers: Iterable[Mapping[str, Any]]) -> Table:
    """For each layer that several kernels compute: the chosen one first, then the others, with what each would cost."""
    made = table(
        "kernels that compute a layer exactly, the chosen one first", "#", "op", "kernel", "cycles (estimated)",
        "flash", "scratch",
    )  # fmt: skip
    for layer in layers:
        if not layer["alternatives"]:
            continue
        chosen = (layer["estimated_cycles"], layer["estimated_flash_bytes"], layer["scratch_bytes"])
        made.add_row(str(layer["index"]), layer["op"], layer["kernel"], *(f"{figure:,}" for figure in chosen))
        for other in layer["alternatives"]:
            figures = (other[key] for key in ("cycles", "flash_bytes", "scratch_bytes"))
            made.add_row("", "", other["kernel"], *(f"{figure:,}" for figure in figures))
    return made


def _changes(report: Mapping[str, Any]) -> Table:
    made = table("what the passes did", "op", "name", "channels", "macs", "weight bytes", "why")
    for change in report["changes"]:
        made.add_row(
            change["step"],
            short_name(change["place"]),
            *(f"-{change[key]:,}" if change[key] else "" for key in _REMOVED),
            change["text"],
        )
    return made


def _buffers(report: Mapping[str, Any]) -> Table:
    made = table("memory map: arena bytes, and the regions during which they are in use", "offset", "bytes",
                 "first", "last", "kind", "name")  # fmt: skip
    for buffer in sorted(report["memory"].get("buffers", []), key=lambda b: (b["first"], b["offset"])):
        figures = (f"{buffer[key]:,}" for key in ("offset", "bytes", "first", "last"))
        made.add_row(*figures, buffer["kind"], short_name(buffer["name"]))
    return made
