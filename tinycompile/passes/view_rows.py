"""Data that is only moved on its way to a convolution or to a variable stays where it is."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import ClassVar

from tinycompile.ir import Graph, Node, Tensor, next_node_id
from tinycompile.ops import AssignVariableAttributes, Move, Pattern, RowsAttributes, operation, operator_of
from tinycompile.passes.base import record
from tinycompile.passes.matrix_windows import with_matrix_windows
from tinycompile.passes.origins import Origins, is_movement, is_plain_view, moves_of, row_runs_of
from tinycompile.program import Granularity


@dataclass(frozen=True)
class ViewRows:
    """CONCATENATION, SPLIT, slices and the like whose results only windows read become ROWS; assignments take the pieces.

    This turns the READ, CONCATENATION, STRIDED_SLICE, ASSIGN of streaming models into rows that stay in their variable: they move
    up once when the call has used them, and the new ones are put behind them. An operator is removed when everybody who
    reads its results, through other such operators and views, can take the rows from where they lie:

    * a kernel with windows of row pointers, when each row is contiguous and as aligned as in a tensor of its own;
    * FULLY_CONNECTED over all rows, which then becomes a convolution;
    * ASSIGN_VARIABLE, when the elements of the variable's own old value move down, so that ascending order never reads what
      was overwritten.
    """

    name: ClassVar[str] = "view_rows"

    def run(self, graph: Graph) -> Graph:
        """Find the greatest set of operators that can go, then rewrite their readers."""
        moved = _that_can_go(graph)
        windows, matrices = with_matrix_windows(graph)
        moved_by_windows = _that_can_go(windows) if matrices else moved
        if len(moved_by_windows) > len(moved):
            graph, moved = windows, moved_by_windows
            for node in matrices:
                graph = record(
                    graph, self, node, "reads rows in several places: a convolution as large as the image"
                )
        return _rewrite(self, graph, Origins(graph, moved)) if moved else graph


def _that_can_go(graph: Graph) -> set[int]:
    """The greatest set of operators that only move and without which their readers can do."""
    moved = {node.id for node in graph.nodes if is_movement(node)}
    while True:
        origins = Origins(graph, moved)
        stay = {node.id for node in graph.nodes if node.id in moved and not _can_go(origins, node)}
        if not stay:
            return moved
        moved -= stay


def _readers(graph: Graph, tensor: int) -> Iterator[tuple[Node, int]]:
    """Operators that read a tensor, itself or through views, with the tensor that they read."""
    for node in graph.consumers[tensor]:
        if is_plain_view(node):
            yield from _readers(graph, node.outputs[0])
        else:
            yield node, tensor


def _shown_as_output(graph: Graph, tensor: int) -> bool:
    """True when a tensor or a view of it outlives the call."""
    views = [node.outputs[0] for node in graph.consumers[tensor] if is_plain_view(node)]
    return tensor in graph.kept or any(_shown_as_output(graph, view) for view in views)


def _can_go(origins: Origins, node: Node) -> bool:
    """True when all readers of an operator's results can do without it."""
    graph = origins.graph
    return not any(_shown_as_output(graph, tensor) for tensor in node.outputs) and all(
        reader.id in origins.moved or _takes_pieces(origins, reader, tensor)
        for result in node.outputs
        for reader, tensor in _readers(graph, result)
    )


def _takes_pieces(origins: Origins, reader: Node, tensor_id: int) -> bool:
    graph = origins.graph
    tensor, operator, current = graph.tensors[tensor_id], operator_of(reader), operation(graph, reader)
    if reader.kind == "ASSIGN_VARIABLE":
        return not _attributes(reader).moves and _moves(origins, reader) is not None
    patterns = {
        operator.access(current, index).pattern for index, t in enumerate(reader.inputs) if t == tensor_id
    }
    by_row = any(Granularity.ROW in kernel.granularities for kernel in operator.kernels_for(current))
    is_one_image = len(tensor.shape) == 4 and tensor.shape[0] == 1
    return (
        patterns == {Pattern.WINDOW}
        and by_row
        and is_one_image
        and row_runs_of(origins.of(tensor), tensor) is not None
    )


def _attributes(assignment: Node) -> AssignVariableAttributes:
    assert isinstance(assignment.attributes, AssignVariableAttributes)
    return assignment.attributes


def _moves(origins: Origins, assignment: Node) -> tuple[tuple[int, ...], tuple[Move, ...]] | None:
    """Roots and moves of the value that is assigned; None when it has to be put together elsewhere first."""
    graph = origins.graph
    own = next(v.read for v in graph.variables if v.assigned == assignment.outputs[0])
    return moves_of(origins.of(graph.tensor(assignment.inputs[0])), own)


def _rewrite(step: ViewRows, graph: Graph, origins: Origins) -> Graph:
    """Put ROWS in the place of the operators that write what windows read; give assignments their pieces."""
    nodes: list[Node] = []
    next_id = next_node_id(graph)
    for node in graph.nodes:
        if node.kind == "ASSIGN_VARIABLE" and not _attributes(node).moves:
            nodes.append(_with_moves(origins, node))
            continue
        goes = node.id in origins.moved
        if not goes:
            nodes.append(node)
        for tensor in _windowed(origins, node):
            nodes.append(replace(_rows_of(origins, node, tensor), id=next_id))
            next_id += 1
            if not goes:  # a view of moved data
                nodes.remove(node)
        if goes:
            graph = record(graph, step, node, "its rows are read where they lie: removed")
    return replace(graph, nodes=_without_unread_views(graph, nodes))


def _with_moves(origins: Origins, assignment: Node) -> Node:
    """The assignment of pieces; one of a tensor as it is stays as it is."""
    found = _moves(origins, assignment)
    if found is None or found[0] == assignment.inputs:
        return assignment
    return replace(assignment, inputs=found[0], attributes=AssignVariableAttributes(found[1]))


def _windowed(origins: Origins, node: Node) -> list[Tensor]:
    """Results of an operator that goes, or of a view of such results, which windows read."""
    graph = origins.graph
    is_view = is_plain_view(node) and bool(_moved_roots(origins, node))
    if node.id not in origins.moved and not is_view:
        return []
    return [
        tensor
        for tensor in graph.results(node)
        if any(
            reader.id not in origins.moved and reader.kind != "ASSIGN_VARIABLE" and not is_plain_view(reader)
            for reader in graph.consumers[tensor.id]
        )
    ]


def _moved_roots(origins: Origins, view: Node) -> bool:
    """True when a view shows what an operator that goes would have written."""
    producer = origins.graph.producers.get(origins.graph.tensor(view.inputs[0]).id)
    if producer is None or producer.id in origins.moved:
        return producer is not None
    return is_plain_view(producer) and _moved_roots(origins, producer)


def _rows_of(origins: Origins, node: Node, tensor: Tensor) -> Node:
    """The rows of a tensor where they lie."""
    found = row_runs_of(origins.of(tensor), tensor)
    assert found is not None, node.place
    return Node(-1, "ROWS", node.name, found[0], (tensor.id,), RowsAttributes(found[1]), node.source)


def _without_unread_views(graph: Graph, nodes: list[Node]) -> tuple[Node, ...]:
    """Views whose readers have gone go too, since what they show may have gone."""
    read = set(graph.kept)
    kept = []
    for node in reversed(nodes):
        if not is_plain_view(node) or read.intersection(node.outputs):
            kept.append(node)
            read.update(t for t in node.inputs if t is not None)
    return tuple(reversed(kept))
