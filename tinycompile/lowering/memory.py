"""The `memory` part of report.json: where every buffer lies and when, the regions over time, the peak, the bounds."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from tinycompile.ir import Graph
from tinycompile.plan import MemoryPlan, Placement, Region, Schedule


def memory_report(graph: Graph, schedule: Schedule, plan: MemoryPlan) -> dict[str, Any]:
    """Everything that the report says of memory, as data. Layers are counted in order of execution."""
    regions = _regions(graph, schedule, plan)
    peak = max(regions, key=lambda region: region["bytes_in_use"], default=None)
    return {
        "arena_bytes": plan.arena_bytes,
        "peak_bytes": peak["bytes_in_use"] if peak else 0,
        "peak_region": peak["index"] if peak else 0,
        "peak_buffers": [_buffer(graph, p) for p in plan.live(peak["index"])] if peak else [],
        "order_proved": schedule.proved,
        "bounds": [asdict(bound) for bound in plan.bounds],
        "regions": regions,
        "variables": [
            {"name": p.buffer.name, "offset": p.offset, "bytes": p.buffer.bytes} for p in plan.state
        ],
        "buffers": [_buffer(graph, p) for p in plan.placements],
    }


def _regions(graph: Graph, schedule: Schedule, plan: MemoryPlan) -> list[dict[str, Any]]:
    kinds = {node.id: node.kind for node in graph.nodes}
    made, layer = [], 0
    for region in schedule.regions:
        made.append(_region(region, layer, kinds, plan))
        layer += len(region.nodes)
    return made


def _region(region: Region, first_layer: int, kinds: Mapping[int, str], plan: MemoryPlan) -> dict[str, Any]:
    return {
        "index": region.index,
        "layers": list(range(first_layer, first_layer + len(region.nodes))),
        "ops": [kinds[node] for node in region.nodes],
        "bytes_in_use": plan.bytes_in_use(region.index),
    }


def _buffer(graph: Graph, placement: Placement) -> dict[str, Any]:
    buffer = placement.buffer
    return {
        "name": buffer.name,
        "kind": buffer.kind.value,
        "is_input": any(tensor in graph.inputs for tensor in buffer.tensors),
        "offset": placement.offset,
        "bytes": buffer.bytes,
        "first": buffer.first,
        "last": buffer.last,
    }
