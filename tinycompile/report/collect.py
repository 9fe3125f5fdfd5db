"""Program -> the data of report.json. Bytes, counts and estimated cycles; no figure is rounded."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from tinycompile.program import Layer, Port, Program
from tinycompile.report.certificate import levers

Report = dict[str, Any]


def collect(program: Program, files: Iterable[str], code_bytes: int) -> Report:
    """The report of a build; `files` are the paths of the generated sources, `code_bytes` their estimated code."""
    return {
        "name": program.name,
        "model_sha256": program.model_sha256,
        "tool_version": program.tool_version,
        "board": program.board,
        "cpu": program.cpu,
        "options": dict(program.options),
        "sources": sorted(path for path in files if path.endswith((".c", ".S"))),
        "include_dirs": ["."],
        "cflags": list(program.cflags),
        "inputs": [_port(port) for port in program.inputs],
        "outputs": [_port(port) for port in program.outputs],
        "arena_bytes": program.arena_bytes,
        "arena_align": program.arena_align,
        "state_bytes": program.state_bytes,
        "weights_bytes": program.weights_bytes,
        "estimated_code_bytes": code_bytes,
        "macs": program.macs,
        "macs_executed": program.macs_executed,
        "layers": [_layer(layer) for layer in program.layers],
        "changes": [dict(change) for change in program.changes],
        "memory": {**program.memory, "levers": levers(program.memory, program.options)},
    }


def to_json(report: Mapping[str, Any]) -> str:
    """The text of report.json; the same report gives the same bytes."""
    return json.dumps(report, indent=1, allow_nan=False) + "\n"


def _port(port: Port) -> dict[str, Any]:
    return {
        "index": port.index,
        "name": port.name,
        "dtype": port.dtype,
        "shape": list(port.shape),
        "bytes": port.bytes,
        "scale": port.scale,
        "zero_point": port.zero_point,
        "space": port.space.value,
    }


def _layer(layer: Layer) -> dict[str, Any]:
    outputs = zip(
        layer.output_tensors,
        layer.output_channels,
        layer.output_shapes,
        layer.output_dtypes,
        layer.output_formats,
        strict=True,
    )
    return {
        "index": layer.index,
        "op": layer.op,
        "name": layer.name,
        "source_ops": list(layer.source_ops),
        "macs": layer.macs,
        "macs_executed": layer.macs_executed,
        "zero_weights": layer.zero_weights,
        "kernel": layer.kernel,
        "estimated_cycles": layer.estimated_cycles,
        "estimated_flash_bytes": layer.estimated_flash_bytes,
        "arena_bytes": layer.arena_bytes,
        "scratch_bytes": layer.scratch_bytes,
        "weights_bytes": layer.weights_bytes,
        "inputs": list(layer.inputs),
        "outputs": [
            {
                "tensor": tensor,
                "channels": channels and list(channels),
                "shape": list(shape),
                "dtype": dtype,
                "rows": rows.value,
            }
            for tensor, channels, shape, dtype, rows in outputs
        ],
        "alternatives": [dict(alternative) for alternative in layer.alternatives],
    }
