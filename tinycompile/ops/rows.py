"""ROWS: the rows of a tensor where they lie in others. No operator of the schema; passes make it of moved data.

Streaming models put rows from a variable and new ones into one tensor, cut it and convolve it. A kernel that takes a window by
row pointers needs no such tensor: its rows may lie anywhere.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from tinycompile.ir import Array, Attributes, Graph
from tinycompile.ops._copy import moves_type
from tinycompile.ops.access import row_shape
from tinycompile.ops.base import Operation, Operator, register
from tinycompile.ops.catalog import operator_of


@dataclass(frozen=True)
class RowRun:
    """Some rows that follow each other in one input: the first one starts at element `offset`, the next `stride` further on."""

    input: int
    rows: int
    offset: int
    stride: int


@dataclass(frozen=True)
class RowsAttributes(Attributes):
    """The rows of the output, in order. The inputs are tensors with bytes of their own, no views."""

    runs: tuple[RowRun, ...] = ()


def row_runs(operation: Operation) -> tuple[RowRun, ...]:
    """The runs of a ROWS operation."""
    assert isinstance(operation.node.attributes, RowsAttributes), operation.node.place
    return operation.node.attributes.runs


def is_gathered(graph: Graph, tensor: int) -> bool:
    """True for a tensor without bytes of its own, whose rows lie in others."""
    return tensor in graph.producers and graph.producers[tensor].kind == Rows.kind


def shown_tensors(graph: Graph) -> Mapping[int, tuple[int, ...]]:
    """For each tensor those whose bytes it shows: itself, or for a view the tensor (or tensors) that an operator wrote."""
    found: dict[int, tuple[int, ...]] = {tensor: (tensor,) for tensor in graph.tensors}
    for node in graph.nodes:
        if operator_of(node).is_view:
            sources = node.inputs if node.kind == Rows.kind else node.inputs[:1]
            shown = [root for source in sources if source is not None for root in found[source]]
            found[node.outputs[0]] = tuple(dict.fromkeys(shown))
    return found


@register
class Rows(Operator):
    """Rows of other tensors, which only kernels with windows of row pointers can read."""

    kind = "ROWS"
    types = moves_type()
    max_inputs = 1 << 16
    is_view = True
    made_by_passes = True

    def infer(self, operation: Operation) -> tuple[tuple[int, ...], ...]:
        """The shape that the pass gave the output."""
        return (operation.output.shape,)

    def evaluate(self, operation: Operation, inputs: Sequence[Array | None]) -> tuple[Array, ...]:
        """Gather the rows."""
        elements = row_shape(operation.output.shape)[1]
        flat = [np.empty(0) if array is None else array.reshape(-1) for array in inputs]
        rows = [
            flat[run.input][run.offset + row * run.stride :][:elements]
            for run in row_runs(operation)
            for row in range(run.rows)
        ]
        return (np.stack(rows).reshape(operation.output.shape),)
