"""Variables lose the elements that nobody will ever read."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import ClassVar

import numpy as np

from tinycompile.ir import Array, Graph, Node, Tensor, Variable, next_node_id, next_tensor_id, with_tensors
from tinycompile.ops import AssignVariableAttributes, RowsAttributes, operation, row_runs, row_shape
from tinycompile.passes.base import record
from tinycompile.passes.origins import Origin, moves_of, row_runs_of


@dataclass(frozen=True)
class TrimVariables:
    """Where windows of different length read parts of the channels (MixConv), short ones need fewer old rows.

    An element of a variable is alive when a window reads it, or when it moves to a place that is alive. The variable is split
    into groups of channels that no row of a window crosses; each group keeps its last rows, from the first that is alive.
    """

    name: ClassVar[str] = "trim_variables"

    def run(self, graph: Graph) -> Graph:
        """Variables in order; one that keeps everything, or whose parts could not be read in place, stays as it is."""
        for variable in graph.variables:
            trimmed = _trimmed(graph, variable)
            if trimmed is not None:
                saved = graph.tensors[variable.read].bytes - sum(
                    trimmed.tensors[v.read].bytes for v in trimmed.variables if v not in graph.variables
                )
                assignment = graph.producers[variable.assigned]
                graph = record(
                    trimmed, self, assignment, f"{saved} bytes of the variable are never read: not kept"
                )
        return graph


@dataclass(frozen=True, eq=False)
class _Group:
    """Channels `first` to `end` (exclusive) from row `row` on, which become a variable."""

    first: int
    end: int
    row: int


def _trimmed(graph: Graph, variable: Variable) -> Graph | None:
    tensor = graph.tensors[variable.read]
    readers = graph.consumers[tensor.id]
    assignment = graph.producers[variable.assigned]
    if len(tensor.shape) != 4 or tensor.shape[0] != 1 or tensor.shape[2] != 1:
        return None
    if any(node.kind != "ROWS" and node is not assignment for node in readers) or not _has_moves(assignment):
        return None
    windows = {node: _rows_origin(graph, node) for node in readers if node.kind == "ROWS"}
    value = _value_origin(assignment)
    groups = _groups(tensor, windows, _alive(tensor, windows, value))
    if groups is None or groups == [_Group(0, tensor.shape[3], 0)]:
        return None
    return _split(graph, variable, groups, windows, value)


def _has_moves(assignment: Node) -> bool:
    attributes = assignment.attributes
    return isinstance(attributes, AssignVariableAttributes) and bool(attributes.moves)


def _rows_origin(graph: Graph, node: Node) -> Origin:
    """Origins of the rows of a window, [rows, elements of a row]."""
    elements = np.arange(row_shape(graph.tensors[node.outputs[0]].shape)[1])
    roots, places = [], []
    for run in row_runs(operation(graph, node)):
        for row in range(run.rows):
            roots.append(np.full(elements.size, node.inputs[run.input]))
            places.append(run.offset + row * run.stride + elements)
    return Origin(np.stack(roots), np.stack(places))


def _value_origin(assignment: Node) -> Origin:
    """Origins of the elements that are assigned."""
    attributes = assignment.attributes
    assert isinstance(attributes, AssignVariableAttributes)
    roots = [np.full(move.elements, assignment.inputs[move.input]) for move in attributes.moves]
    places = [move.source + np.arange(move.elements) for move in attributes.moves]
    return Origin(np.concatenate(roots), np.concatenate(places))


def _alive(tensor: Tensor, windows: Mapping[Node, Origin], value: Origin) -> Array:
    """For each element of a variable whether its value is read in this call or a later one, [rows, channels]."""
    alive = np.zeros(tensor.elements, bool)
    for origin in windows.values():
        alive[origin.elements[origin.roots == tensor.id]] = True
    while True:
        before = alive.sum()
        alive[value.elements[alive & (value.roots == tensor.id)]] = True
        if alive.sum() == before:
            result: Array = alive.reshape(tensor.shape[1], tensor.shape[3])
            return result


def _groups(tensor: Tensor, windows: Mapping[Node, Origin], alive: Array) -> list[_Group] | None:
    """Groups of channels with the rows that are alive; None when a window's row goes over the end of a row."""
    channels = tensor.shape[3]
    joined = np.zeros(channels + 1, bool)  # whether a row holds the channels on both sides
    for origin in windows.values():
        for roots, elements in zip(origin.roots, origin.elements, strict=True):
            if roots[0] == tensor.id:
                first = int(elements[0]) % channels
                if first + elements.size > channels:
                    return None
                joined[first + 1 : first + elements.size] = True
    borders = [c for c in range(channels + 1) if not joined[c]]
    found: list[_Group] = []
    for first, end in pairwise(borders):
        rows = np.flatnonzero(alive[:, first:end].any(axis=1))
        if not rows.size:
            continue
        if found and (found[-1].end, found[-1].row) == (first, int(rows[0])):
            found[-1] = replace(found[-1], end=end)
        else:
            found.append(_Group(first, end, int(rows[0])))
    return found


def _split(
    graph: Graph, variable: Variable, groups: list[_Group], windows: Mapping[Node, Origin], value: Origin
) -> Graph | None:
    """The graph with a variable for each group; None when a part could not be read or moved in place."""
    tensor, assignment = graph.tensors[variable.read], graph.producers[variable.assigned]
    table = np.arange(tensor.elements).reshape(tensor.shape[1], tensor.shape[3])
    next_id, next_node = next_tensor_id(graph), next_node_id(graph)
    roots, places = np.full(tensor.elements, -1), np.zeros(tensor.elements, np.int64)
    parts: list[tuple[Variable, Array]] = []
    tensors: list[Tensor] = []
    for index, group in enumerate(groups):
        kept = table[group.row :, group.first : group.end]
        shape = (1, kept.shape[0], 1, kept.shape[1])
        name = f"{variable.name}[{group.first}:{group.end}]"
        read = replace(tensor, id=next_id + 2 * index, name=name, shape=shape, source=None, part=None)
        tensors += [read, replace(read, id=read.id + 1, name=f"{name} (assigned)")]
        roots[kept], places[kept] = read.id, np.arange(kept.size).reshape(kept.shape)
        initial = np.ascontiguousarray(variable.initial.reshape(-1)[kept].reshape(shape))
        parts.append((Variable(name, read.id, read.id + 1, initial), kept.reshape(-1)))

    def moved(origin: Origin) -> Origin:
        """Origins in the parts instead of the whole variable."""
        own = origin.roots == tensor.id
        old = np.where(own, origin.elements, 0)
        return Origin(np.where(own, roots[old], origin.roots), np.where(own, places[old], origin.elements))

    changed: dict[int, tuple[Node, ...]] = {}
    for node, origin in windows.items():
        rows = row_runs_of(moved(origin), graph.tensors[node.outputs[0]])
        if rows is None:
            return None
        changed[node.id] = (replace(node, inputs=rows[0], attributes=RowsAttributes(rows[1])),)
    assignments = []
    for index, (part, kept) in enumerate(parts):
        moves = moves_of(moved(Origin(value.roots[kept], value.elements[kept])), part.read)
        if moves is None:
            return None
        attributes = AssignVariableAttributes(moves[1])
        node_id = assignment.id if index == 0 else next_node + index
        assignments.append(
            replace(assignment, id=node_id, inputs=moves[0], outputs=(part.assigned,), attributes=attributes)
        )
    changed[assignment.id] = tuple(assignments)
    gone = (variable.read, variable.assigned)
    graph = with_tensors(graph, tensors)
    return replace(
        graph,
        tensors={key: found for key, found in graph.tensors.items() if key not in gone},
        nodes=tuple(new for node in graph.nodes for new in changed.get(node.id, (node,))),
        variables=tuple(
            new
            for old in graph.variables
            for new in ([part for part, _ in parts] if old is variable else [old])
        ),
    )
