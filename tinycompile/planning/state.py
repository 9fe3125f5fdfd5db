"""Offsets of the variables in the state, which outlives the calls."""

from tinycompile.ir import Graph, Variable
from tinycompile.ops import operator_of
from tinycompile.plan import Buffer, BufferKind, Placement


def place_variables(graph: Graph, regions: int, align: int = 4) -> tuple[Placement, ...]:
    """One variable after the other, each at a multiple of `align` bytes or of its element. All of them always live."""
    placements: list[Placement] = []
    end = 0
    for variable in graph.variables:
        tensor = graph.tensors[variable.read]
        step = max(align, tensor.dtype.element_bytes)
        offset = -(-end // step) * step
        names = (*_views(graph, variable), variable.assigned)
        buffer = Buffer(variable.name, BufferKind.STATE, tensor.bytes, 0, max(regions - 1, 0), names)
        placements.append(Placement(buffer, offset))
        end = placements[-1].end
    return tuple(placements)


def _views(graph: Graph, variable: Variable) -> tuple[int, ...]:
    """The tensor that holds the old value, and every view of it."""
    found = {variable.read: None}
    for node in graph.nodes:
        if operator_of(node).is_view and node.kind != "ROWS" and node.inputs[0] in found:
            found[node.outputs[0]] = None
    return tuple(found)
