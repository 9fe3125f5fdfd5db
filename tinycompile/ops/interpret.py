"""Runs a graph on the host with the operators' reference semantics: for tests, constant folding and checks of the passes."""

from collections.abc import Mapping

from tinycompile.ir import Array, Graph, Node
from tinycompile.ops.catalog import operation, operator_of


def evaluate_graph(graph: Graph, inputs: Mapping[int, Array]) -> dict[int, Array]:
    """Values of every tensor, by id. `inputs` holds an array of the right shape and type for each graph input."""
    values = {key: tensor.data for key, tensor in graph.tensors.items() if tensor.data is not None}
    for key in graph.inputs:
        tensor, given = graph.tensors[key], inputs[key]
        assert given.shape == tensor.shape and given.dtype == tensor.dtype.numpy, f"input {tensor.name!r}"
        values[key] = given
    for node in graph.nodes:
        values |= evaluate_node(graph, node, values)
    return values


def evaluate_node(graph: Graph, node: Node, values: Mapping[int, Array]) -> dict[int, Array]:
    """Values of the results of one operator, by tensor id."""
    operands = [None if t is None else values[t] for t in node.inputs]
    results = operator_of(node).evaluate(operation(graph, node), operands)
    for tensor, result in zip(graph.results(node), results, strict=True):
        found, wanted = (result.shape, result.dtype), (tensor.shape, tensor.dtype.numpy)
        assert found == wanted, f"{node.place}: evaluates to {found}, not {wanted}"
    return dict(zip(node.outputs, results, strict=True))
