"""Edits that return a new graph."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from tinycompile.ir.graph import Graph
from tinycompile.ir.types import Node, Tensor, Variable


def next_tensor_id(graph: Graph) -> int:
    """An id that no tensor has."""
    return max(graph.tensors, default=-1) + 1


def next_node_id(graph: Graph) -> int:
    """An id that no node has."""
    return max((node.id for node in graph.nodes), default=-1) + 1


def with_tensors(graph: Graph, tensors: Iterable[Tensor]) -> Graph:
    """Add tensors, or replace those with the same id."""
    return replace(graph, tensors={**graph.tensors, **{tensor.id: tensor for tensor in tensors}})


def with_nodes(graph: Graph, changed: Mapping[int, Node | None]) -> Graph:
    """Replace nodes by id; None removes a node. Their place in the order stays."""
    nodes = (changed.get(node.id, node) for node in graph.nodes)
    return replace(graph, nodes=tuple(node for node in nodes if node is not None))


def rename_uses(graph: Graph, renamed: Mapping[int, int]) -> Graph:
    """Let every reader of a tensor (the graph's outputs and variables too) read another one instead."""

    def final(tensor: int) -> int:
        while tensor in renamed:
            tensor = renamed[tensor]
        return tensor

    nodes = tuple(
        replace(node, inputs=tuple(None if t is None else final(t) for t in node.inputs))
        for node in graph.nodes
    )
    variables = tuple(replace(variable, assigned=final(variable.assigned)) for variable in graph.variables)
    return replace(graph, nodes=nodes, outputs=tuple(map(final, graph.outputs)), variables=variables)


def prune(graph: Graph) -> Graph:
    """Remove nodes whose results nobody reads, and tensors that no node and no graph input or output names.

    A variable that no output depends on, now or in a later call, goes too.
    """
    variables: tuple[Variable, ...] = ()
    while True:
        kept, needed = _needed(graph, {*graph.outputs, *(variable.assigned for variable in variables)})
        found = tuple(variable for variable in graph.variables if variable.read in needed)
        if len(found) == len(variables):
            break
        variables = found
    named = needed | set(graph.inputs) | {t for node in kept for t in node.outputs}
    tensors = {key: tensor for key, tensor in graph.tensors.items() if key in named}
    return replace(graph, tensors=tensors, nodes=kept, variables=variables)


def _needed(graph: Graph, results: set[int]) -> tuple[tuple[Node, ...], set[int]]:
    """The nodes that some tensors depend on, and these tensors with everything that the nodes read."""
    needed = set(results)
    kept: list[Node] = []
    for node in reversed(graph.nodes):
        if needed.intersection(node.outputs):
            kept.append(node)
            needed.update(t for t in node.inputs if t is not None)
    return tuple(reversed(kept)), needed
