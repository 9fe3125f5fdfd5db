"""Where the elements of moved data come from: back through concatenations, splits, slices and views."""

from dataclasses import dataclass, replace
from itertools import pairwise
from math import gcd

import numpy as np

from tinycompile.ir import Array, Graph, Node, Tensor
from tinycompile.ops import DataMovement, Move, RowRun, operation, operator_of, row_shape

MAX_RUNS = 16
"""More pieces than this are cheaper to copy together once."""


def is_movement(node: Node) -> bool:
    """True for operators of the schema that only move elements."""
    operator = operator_of(node)
    return isinstance(operator, DataMovement) and not operator.made_by_passes


def is_plain_view(node: Node) -> bool:
    """True for operators that show all bytes of their input in the same order."""
    operator = operator_of(node)
    return operator.is_view and not operator.made_by_passes


@dataclass(frozen=True, eq=False)
class Origin:
    """For each element of a tensor the tensor that it comes from (-1: a value that is filled in), and its index there."""

    roots: Array
    elements: Array


@dataclass(frozen=True, eq=False)
class Run:
    """Elements of one tensor that follow each other."""

    root: int
    first: int
    elements: int


class Origins:
    """Origins of tensors when the operators `moved` go."""

    def __init__(self, graph: Graph, moved: set[int]) -> None:
        self.graph = graph
        self.moved = moved
        self.known: dict[int, Origin] = {}

    def of(self, tensor: Tensor) -> Origin:
        """Through operators that go and through views."""
        if tensor.id not in self.known:
            self.known[tensor.id] = Origin(
                np.full(tensor.shape, tensor.id), np.arange(tensor.elements).reshape(tensor.shape)
            )
            producer = self.graph.producers.get(tensor.id)
            if producer is not None and producer.id in self.moved:
                self._through(producer)
            elif producer is not None and is_plain_view(producer):
                source = self.of(self.graph.tensor(producer.inputs[0]))
                self.known[tensor.id] = Origin(
                    source.roots.reshape(tensor.shape), source.elements.reshape(tensor.shape)
                )
        return self.known[tensor.id]

    def _through(self, node: Node) -> None:
        operator, current = operator_of(node), operation(self.graph, node)
        assert isinstance(operator, DataMovement)
        sources = [_NOTHING if tensor is None else self.of(tensor) for tensor in current.inputs]
        results = [Origin(np.full(t.shape, -1), np.full(t.shape, -1)) for t in current.outputs]
        for part in ("roots", "elements"):
            given, made = [getattr(s, part) for s in sources], [getattr(r, part) for r in results]
            for target, source in operator.views(current, given, made):
                target[...] = source
        self.known |= {tensor.id: result for tensor, result in zip(current.outputs, results, strict=True)}


def runs_of(origin: Origin, starts: Array | None = None) -> list[Run]:
    """Elements in order as runs; a run ends in front of the elements `starts` (flags) at the latest."""
    roots, elements = origin.roots.reshape(-1), origin.elements.reshape(-1)
    cut = (np.diff(roots) != 0) | (np.diff(elements) != 1)
    if starts is not None:
        cut |= starts[1:]
    firsts = [0, *(np.flatnonzero(cut) + 1).tolist(), roots.size]
    return [Run(int(roots[first]), int(elements[first]), end - first) for first, end in pairwise(firsts)]


def row_runs_of(origin: Origin, tensor: Tensor) -> tuple[tuple[int, ...], tuple[RowRun, ...]] | None:
    """The roots of a tensor's rows and the runs in them, in order; None when rows cannot be read where they lie."""
    rows, row_elements = row_shape(tensor.shape)
    runs = runs_of(origin, np.arange(tensor.elements) % row_elements == 0)
    element_bytes = tensor.dtype.element_bytes
    unit = gcd(4, row_elements * element_bytes)
    if len(runs) != rows or any(run.root < 0 or run.first * element_bytes % unit for run in runs):
        return None
    roots = tuple(dict.fromkeys(run.root for run in runs))
    found: list[RowRun] = []
    for run in runs:
        index = roots.index(run.root)
        joined = _joined(found[-1], run.first) if found and found[-1].input == index else None
        if joined:
            found[-1] = joined
        else:
            found.append(RowRun(index, 1, run.first, 0))
    return (roots, tuple(found)) if len(found) <= MAX_RUNS else None


def moves_of(origin: Origin, own: int) -> tuple[tuple[int, ...], tuple[Move, ...]] | None:
    """The roots of the value that a variable is assigned and the moves from them; `own` is the variable's old value.

    None when the value has to be put together elsewhere first: elements of the old value move up.
    """
    runs = runs_of(origin)
    roots = tuple(dict.fromkeys(run.root for run in runs))
    found: list[Move] = []
    target = 0
    for run in runs:
        if run.root < 0 or (run.root == own and run.first < target):
            return None
        found.append(Move(roots.index(run.root), run.first, target, run.elements))
        target += run.elements
    return (roots, tuple(found)) if len(found) <= MAX_RUNS else None


_NOTHING = Origin(np.zeros(0, np.int64), np.zeros(0, np.int64))


def _joined(run: RowRun, first: int) -> RowRun | None:
    """The run with one row more, None when that does not lie where the next row of the run does."""
    stride = run.stride if run.rows > 1 else first - run.offset
    fits = stride > 0 and first == run.offset + run.rows * stride
    return replace(run, rows=run.rows + 1, stride=stride) if fits else None
