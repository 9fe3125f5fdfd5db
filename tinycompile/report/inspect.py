"""What `tinycompile inspect` shows: operators, shapes, quantization, MACs, and the memory over time."""

from typing import Any

from tinycompile.ir import Graph, Tensor
from tinycompile.ops import operation, operator_of
from tinycompile.plan import MemoryPlan, Schedule
from tinycompile.program import short_name
from tinycompile.report.text import Table, as_text, table

_BAR_WIDTH = 40


def inspect(imported: Graph, graph: Graph, schedule: Schedule, memory: MemoryPlan) -> dict[str, Any]:
    """The model as the file has it, and the memory of the planned graph region by region."""
    operators = [
        {
            "index": node.source[0] if node.source else None,
            "op": node.kind,
            "name": node.name,
            "inputs": [_tensor(t) for t in imported.operands(node) if t is not None],
            "outputs": [_tensor(t) for t in imported.results(node)],
            "macs": operator_of(node).macs(operation(imported, node)),
        }
        for node in imported.nodes
    ]
    return {
        "name": imported.name,
        "inputs": [_tensor(imported.tensors[t]) for t in imported.inputs],
        "outputs": [_tensor(imported.tensors[t]) for t in imported.outputs],
        "operators": operators,
        "macs": sum(entry["macs"] for entry in operators),
        "weights_bytes": sum(t.bytes for t in imported.tensors.values() if t.is_constant),
        "timeline": _timeline(graph, schedule, memory),
        "arena_bytes": memory.arena_bytes,
    }


def render_inspection(data: dict[str, Any]) -> str:
    """The inspection as text."""
    return "\n".join(as_text(part) for part in (_operators(data), _timeline_table(data)))


def _tensor(tensor: Tensor) -> dict[str, Any]:
    quantization = tensor.quantization
    return {
        "tensor": tensor.source,
        "name": tensor.name,
        "dtype": tensor.dtype.value,
        "shape": list(tensor.shape),
        "bytes": tensor.bytes,
        "constant": tensor.is_constant,
        "scales": list(quantization.scales) if quantization else [],
        "zero_points": sorted(set(quantization.zero_points)) if quantization else [],
    }


def _timeline(graph: Graph, schedule: Schedule, memory: MemoryPlan) -> list[dict[str, Any]]:
    nodes = {node.id: node for node in graph.nodes}
    steps = []
    for region in schedule.regions:
        live = memory.live(region.index)
        steps.append(
            {
                "region": region.index,
                "ops": [nodes[n].kind for n in region.nodes],
                "bytes_in_use": memory.bytes_in_use(region.index),
                "end": max((p.end for p in live), default=0),
                "buffers": sorted(p.buffer.name for p in live),
            }
        )
    return steps


def _operators(data: dict[str, Any]) -> Table:
    made = table(
        f"{data['name']}: {len(data['operators'])} operators, {data['macs']:,} MACs, "
        f"{data['weights_bytes']:,} bytes of constants",
        "#", "op", "output", "scale", "zero point", "constants", "macs", "name",
    )  # fmt: skip
    for entry in data["operators"]:
        output = entry["outputs"][0]
        constants = sum(t["bytes"] for t in entry["inputs"] if t["constant"])
        scales = output["scales"]
        made.add_row(
            str(entry["index"]),
            entry["op"],
            f"{output['dtype']} {'x'.join(map(str, output['shape']))}",
            f"{scales[0]:.6g}" if len(scales) == 1 else f"({len(scales)})" if scales else "",
            ",".join(map(str, output["zero_points"])),
            f"{constants:,}",
            f"{entry['macs']:,}",
            short_name(entry["name"]),
        )
    return made


def _timeline_table(data: dict[str, Any]) -> Table:
    made = table(f"memory over time, arena {data['arena_bytes']:,} bytes", "region", "op", "in use", "what")
    most = max((step["bytes_in_use"] for step in data["timeline"]), default=0) or 1
    for step in data["timeline"]:
        bar = "#" * max(1, round(_BAR_WIDTH * step["bytes_in_use"] / most))
        made.add_row(str(step["region"]), " ".join(step["ops"]), f"{step['bytes_in_use']:,}", bar)
    return made
