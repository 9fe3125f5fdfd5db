"""Runs a graph on the host with the operators' reference semantics: for tests, constant folding and checks of the passes."""

from collections.abc import Mapping

from tinycompile.ir import Array, Graph, Node
from tinycompile.ops.catalog import operation, operator_of

State = Mapping[int, Array]
"""What the variables of a graph hold between two calls, by the tensor that a call reads it from."""


def initial_state(graph: Graph) -> State:
    """What the variables hold before the first call."""
    return {variable.read: variable.initial for variable in graph.variables}


def next_state(graph: Graph, values: Mapping[int, Array]) -> State:
    """What the variables hold after a call, from the values that `evaluate_graph` gave."""
    return {variable.read: values[variable.assigned] for variable in graph.variables}


def evaluate_graph(graph: Graph, inputs: Mapping[int, Array], state: State | None = None) -> dict[int, Array]:
    """Values of every tensor, by id. `inputs` holds an array of the right shape and type for each graph input.

    `state` is what the variables hold when the call begins; without it they hold their initial values.
    """
    values = {key: tensor.data for key, tensor in graph.tensors.items() if tensor.data is not None}
    held = {**inputs, **(initial_state(graph) if state is None else state)}
    for key in sorted(graph.given):
        tensor, given = graph.tensors[key], held[key]
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
