"""What operators themselves keep between calls (LSTM cells, delay lines, noise estimates) becomes variables of the graph."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from tinycompile.frontend.reader import FileOperator, FileSubgraph
from tinycompile.ir import (
    Array,
    DType,
    Graph,
    Node,
    Tensor,
    Variable,
    next_tensor_id,
    with_nodes,
    with_tensors,
)
from tinycompile.ops import find_operator, operation, operator_of


def variable_tensors(subgraph: FileSubgraph) -> tuple[frozenset[int], list[tuple[FileOperator, str]]]:
    """The tensors that operators update, and what is wrong with them: each is a variable that one operator takes once."""
    updated = [(operator, t) for operator in subgraph.operators for t in _updated(operator)]
    taken = [t for operator in subgraph.operators for t in (*operator.inputs, *operator.outputs)]
    taken += [*subgraph.inputs, *subgraph.outputs]
    problems = []
    for operator, t in updated:
        if not subgraph.tensors[t].is_variable:
            problems.append((operator, f"updates tensor {t}, which is no variable"))
        elif taken.count(t) > 1:
            problems.append((operator, f"updates variable {t}, which is taken a second time"))
    return frozenset(t for _, t in updated), problems


def _updated(operator: FileOperator) -> Iterator[int]:
    known = find_operator(operator.kind)
    for index in known.updates if known else ():
        if index < len(operator.inputs) and operator.inputs[index] >= 0:
            yield operator.inputs[index]


def with_operator_state(graph: Graph) -> Graph:
    """Give each operator that keeps something its old values as inputs and its new ones as outputs, in dataflow form."""
    for node in graph.nodes:
        operator = operator_of(node)
        for index in operator.updates:
            graph, node = _with_update(graph, node, index)
        for index, initial in enumerate(operator.state(operation(graph, node))):
            graph, node = _with_state(graph, node, f"{node.name} (state {index})", initial)
    return graph


def _with_update(graph: Graph, node: Node, index: int) -> tuple[Graph, Node]:
    """A variable tensor of the file begins as 0, and as its zero point when it is int8 (TFLite's `ResetVariableTensor`)."""
    old = graph.tensor(node.inputs[index])
    value = old.zero_point if old.dtype is DType.INT8 else 0
    return _with_variable(graph, node, old, np.full(old.shape, value, old.dtype.numpy))


def _with_state(graph: Graph, node: Node, name: str, initial: Array) -> tuple[Graph, Node]:
    old = Tensor(next_tensor_id(graph), name, initial.shape, DType(initial.dtype.name))
    graph, node = with_tensors(graph, [old]), replace(node, inputs=(*node.inputs, old.id))
    return _with_variable(graph, node, old, initial)


def _with_variable(graph: Graph, node: Node, old: Tensor, initial: Array) -> tuple[Graph, Node]:
    """The node also writes what the next call finds in `old`."""
    new = replace(old, id=next_tensor_id(graph), name=f"{old.name}, assigned", source=None)
    variable = Variable(old.name, old.id, new.id, initial)
    node = replace(node, outputs=(*node.outputs, new.id))
    graph = with_nodes(with_tensors(graph, [new]), {node.id: node})
    return replace(graph, variables=(*graph.variables, variable)), node
