"""Tensors that lie outside of the arena: variables in the state, which outlives the calls, and inputs that the caller keeps."""

from tinycompile.ir import Graph
from tinycompile.ops import operator_of
from tinycompile.plan import Buffer, BufferKind, InputMode, Placement


def outside_tensors(graph: Graph, input_mode: InputMode) -> frozenset[int]:
    """Tensors that variables hold before or after the call, and the graph's inputs unless they are in the arena."""
    held = [tensor for variable in graph.variables for tensor in (variable.read, variable.assigned)]
    return frozenset((*held, *(() if input_mode is InputMode.ARENA else graph.inputs)))


def place_variables(graph: Graph, regions: int, align: int = 4) -> tuple[Placement, ...]:
    """One variable after the other, each at a multiple of `align` bytes or of its element. All of them always live."""
    placements: list[Placement] = []
    end = 0
    for variable in graph.variables:
        tensor = graph.tensors[variable.read]
        step = max(align, tensor.dtype.element_bytes)
        offset = -(-end // step) * step
        names = (*_views(graph, variable.read), variable.assigned)
        buffer = Buffer(variable.name, BufferKind.STATE, tensor.bytes, 0, max(regions - 1, 0), names)
        placements.append(Placement(buffer, offset))
        end = placements[-1].end
    return tuple(placements)


def place_inputs(graph: Graph, regions: int, input_mode: InputMode) -> tuple[Placement, ...]:
    """Every input that is not in the arena, in a memory of its own."""
    if input_mode is InputMode.ARENA:
        return ()
    kind = BufferKind.INPUT if input_mode is InputMode.CONST else BufferKind.SOURCE
    tensors = [graph.tensors[tensor] for tensor in graph.inputs]
    return tuple(
        Placement(
            Buffer(t.name, kind, t.bytes, 0, max(regions - 1, 0), _views(graph, t.id), port=port),
            offset=0,
        )
        for port, t in enumerate(tensors)
    )


def _views(graph: Graph, tensor: int) -> tuple[int, ...]:
    """A tensor and every view of it."""
    found = {tensor: None}
    for node in graph.nodes:
        if operator_of(node).is_view and node.kind != "ROWS" and node.inputs[0] in found:
            found[node.outputs[0]] = None
    return tuple(found)
