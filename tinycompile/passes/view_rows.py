"""Data that is only moved on its way to a convolution or to a variable stays where it is."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from math import gcd
from typing import ClassVar

import numpy as np

from tinycompile.ir import Array, Graph, Node, Tensor, next_node_id
from tinycompile.ops import (
    AssignVariableAttributes,
    DataMovement,
    Move,
    Pattern,
    RowRun,
    RowsAttributes,
    operation,
    operator_of,
    row_shape,
)
from tinycompile.passes.base import record
from tinycompile.program import Granularity

MAX_RUNS = 16
"""More pieces than this are cheaper to copy together once."""


@dataclass(frozen=True)
class ViewRows:
    """CONCATENATION, SPLIT, slices and the like whose results only windows read become ROWS; assignments take the pieces.

    This turns the READ, CONCATENATION, STRIDED_SLICE, ASSIGN of streaming models into rows that stay in their variable: they move
    up once when the call has used them, and the new ones are put behind them. An operator is removed when everybody who
    reads its results, through other such operators and views, can take the rows from where they lie:

    * a kernel with windows of row pointers, when each row is contiguous and as aligned as in a tensor of its own;
    * ASSIGN_VARIABLE, when the elements of the variable's own old value move down, so that ascending order never reads what
      was overwritten.
    """

    name: ClassVar[str] = "view_rows"

    def run(self, graph: Graph) -> Graph:
        """Find the greatest set of operators that can go, then rewrite their readers."""
        moved = {node.id for node in graph.nodes if _is_movement(node)}
        while moved:
            origins = _Origins(graph, moved)
            stay = {node.id for node in graph.nodes if node.id in moved and not _can_go(origins, node)}
            if not stay:
                return _rewrite(self, graph, origins)
            moved -= stay
        return graph


def _is_movement(node: Node) -> bool:
    operator = operator_of(node)
    return isinstance(operator, DataMovement) and not operator.made_by_passes


@dataclass(frozen=True, eq=False)
class _Origin:
    """For each element of a tensor the tensor that it comes from (-1: a value that is filled in), and its index there."""

    roots: Array
    elements: Array


@dataclass(frozen=True, eq=False)
class _Run:
    """Elements of one tensor that follow each other."""

    root: int
    first: int
    elements: int


class _Origins:
    """Origins of tensors when the operators `moved` go."""

    def __init__(self, graph: Graph, moved: set[int]) -> None:
        self.graph = graph
        self.moved = moved
        self.known: dict[int, _Origin] = {}

    def of(self, tensor: Tensor) -> _Origin:
        """Through operators that go and through views."""
        if tensor.id not in self.known:
            self.known[tensor.id] = _Origin(
                np.full(tensor.shape, tensor.id), np.arange(tensor.elements).reshape(tensor.shape)
            )
            producer = self.graph.producers.get(tensor.id)
            if producer is not None and producer.id in self.moved:
                self._through(producer)
            elif producer is not None and is_plain_view(producer):
                source = self.of(self.graph.tensor(producer.inputs[0]))
                self.known[tensor.id] = _Origin(
                    source.roots.reshape(tensor.shape), source.elements.reshape(tensor.shape)
                )
        return self.known[tensor.id]

    def _through(self, node: Node) -> None:
        operator, current = operator_of(node), operation(self.graph, node)
        assert isinstance(operator, DataMovement)
        sources = [_NOTHING if tensor is None else self.of(tensor) for tensor in current.inputs]
        results = [_Origin(np.full(t.shape, -1), np.full(t.shape, -1)) for t in current.outputs]
        for part in ("roots", "elements"):
            given, made = [getattr(s, part) for s in sources], [getattr(r, part) for r in results]
            for target, source in operator.views(current, given, made):
                target[...] = source
        self.known |= {tensor.id: result for tensor, result in zip(current.outputs, results, strict=True)}

    def runs(self, tensor: Tensor, starts: Array | None = None) -> list[_Run]:
        """A tensor as runs of elements, in order; a run ends in front of the elements `starts` (flags) at the latest."""
        origin = self.of(tensor)
        roots, elements = origin.roots.reshape(-1), origin.elements.reshape(-1)
        cut = (np.diff(roots) != 0) | (np.diff(elements) != 1)
        if starts is not None:
            cut |= starts[1:]
        firsts = [0, *(np.flatnonzero(cut) + 1).tolist(), roots.size]
        return [_Run(int(roots[first]), int(elements[first]), end - first) for first, end in pairwise(firsts)]

    def row_runs(self, tensor: Tensor) -> tuple[tuple[int, RowRun], ...] | None:
        """The rows of a tensor as (root, run) in order; None when they cannot be read where they lie."""
        rows, row_elements = row_shape(tensor.shape)
        runs = self.runs(tensor, np.arange(tensor.elements) % row_elements == 0)
        element_bytes = tensor.dtype.element_bytes
        unit = gcd(4, row_elements * element_bytes)
        if len(runs) != rows or any(run.root < 0 or run.first * element_bytes % unit for run in runs):
            return None
        found: list[tuple[int, RowRun]] = []
        for run in runs:
            last = found[-1] if found and found[-1][0] == run.root else None
            joined = _joined(last[1], run.first) if last else None
            if joined:
                found[-1] = (run.root, joined)
            else:
                found.append((run.root, RowRun(-1, 1, run.first, 0)))
        return tuple(found) if len(found) <= MAX_RUNS else None


_NOTHING = _Origin(np.zeros(0, np.int64), np.zeros(0, np.int64))


def _joined(run: RowRun, first: int) -> RowRun | None:
    """The run with one row more, None when that does not lie where the next row of the run does."""
    stride = run.stride if run.rows > 1 else first - run.offset
    fits = stride > 0 and first == run.offset + run.rows * stride
    return replace(run, rows=run.rows + 1, stride=stride) if fits else None


def is_plain_view(node: Node) -> bool:
    """True for operators that show all bytes of their input in the same order."""
    operator = operator_of(node)
    return operator.is_view and not operator.made_by_passes


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


def _can_go(origins: _Origins, node: Node) -> bool:
    """True when all readers of an operator's results can do without it."""
    graph = origins.graph
    return not any(_shown_as_output(graph, tensor) for tensor in node.outputs) and all(
        reader.id in origins.moved or _takes_pieces(origins, reader, tensor)
        for result in node.outputs
        for reader, tensor in _readers(graph, result)
    )


def _takes_pieces(origins: _Origins, reader: Node, tensor_id: int) -> bool:
    graph = origins.graph
    tensor, operator, current = graph.tensors[tensor_id], operator_of(reader), operation(graph, reader)
    if reader.kind == "ASSIGN_VARIABLE":
        return not _attributes(reader).moves and _moves(origins, reader) is not None
    patterns = {
        operator.access(current, index).pattern for index, t in enumerate(reader.inputs) if t == tensor_id
    }
    by_row = any(Granularity.ROW in kernel.granularities for kernel in operator.kernels)
    is_one_image = len(tensor.shape) == 4 and tensor.shape[0] == 1
    return patterns == {Pattern.WINDOW} and by_row and is_one_image and origins.row_runs(tensor) is not None


def _attributes(assignment: Node) -> AssignVariableAttributes:
    assert isinstance(assignment.attributes, AssignVariableAttributes)
    return assignment.attributes


def _moves(origins: _Origins, assignment: Node) -> list[tuple[int, Move]] | None:
    """The value that is assigned as (root, move) in order; None when it has to be put together elsewhere first."""
    graph = origins.graph
    own = next(v.read for v in graph.variables if v.assigned == assignment.outputs[0])
    found: list[tuple[int, Move]] = []
    target = 0
    for run in origins.runs(graph.tensor(assignment.inputs[0])):
        if run.root < 0 or (run.root == own and run.first < target):
            return None
        found.append((run.root, Move(-1, run.first, target, run.elements)))
        target += run.elements
    return found if len(found) <= MAX_RUNS else None


def _rewrite(step: ViewRows, graph: Graph, origins: _Origins) -> Graph:
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


def _with_moves(origins: _Origins, assignment: Node) -> Node:
    """The assignment of pieces; one of a tensor as it is stays as it is."""
    found = _moves(origins, assignment)
    roots = tuple(dict.fromkeys(root for root, _ in found or ()))
    if found is None or roots == assignment.inputs:
        return assignment
    moves = tuple(replace(move, input=roots.index(root)) for root, move in found)
    return replace(assignment, inputs=roots, attributes=AssignVariableAttributes(moves))


def _windowed(origins: _Origins, node: Node) -> list[Tensor]:
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


def _moved_roots(origins: _Origins, view: Node) -> bool:
    """True when a view shows what an operator that goes would have written."""
    producer = origins.graph.producers.get(origins.graph.tensor(view.inputs[0]).id)
    if producer is None or producer.id in origins.moved:
        return producer is not None
    return is_plain_view(producer) and _moved_roots(origins, producer)


def _rows_of(origins: _Origins, node: Node, tensor: Tensor) -> Node:
    """The rows of a tensor where they lie."""
    found = origins.row_runs(tensor)
    assert found is not None, node.place
    roots = tuple(dict.fromkeys(root for root, _ in found))
    runs = tuple(replace(run, input=roots.index(root)) for root, run in found)
    return Node(-1, "ROWS", node.name, roots, (tensor.id,), RowsAttributes(runs), node.source)


def _without_unread_views(graph: Graph, nodes: list[Node]) -> tuple[Node, ...]:
    """Views whose readers have gone go too, since what they show may have gone."""
    read = set(graph.kept)
    kept = []
    for node in reversed(nodes):
        if not is_plain_view(node) or read.intersection(node.outputs):
            kept.append(node)
            read.update(t for t in node.inputs if t is not None)
    return tuple(reversed(kept))
