"""Copies values that a view cannot show: constants, and old values of variables after the variables have changed."""

from dataclasses import dataclass, replace
from typing import ClassVar

from tinycompile.ir import Graph, Node, Tensor, next_node_id, next_tensor_id, with_nodes, with_tensors
from tinycompile.ops import operator_of, shown_tensors
from tinycompile.passes.base import record


@dataclass(frozen=True)
class CopyViews:
    """What a view shows lies in the arena or in a variable, and an assignment waits until everybody has read the old value.

    Three things get a copy to look at:

    * A view of a constant that is an output, and therefore was not folded.
    * A graph output that shows an old value: the caller reads it after the last assignment.
    * Assignments that wait for each other, as when two variables change places.
    """

    name: ClassVar[str] = "copy_views"

    def run(self, graph: Graph) -> Graph:
        """Constants and outputs first, then the circles of assignments."""
        for view in graph.nodes:
            source = view.inputs[0] if operator_of(view).is_view else None
            if source is not None and graph.tensors[source].is_constant and view.kind != "ROWS":
                graph, node = _copied(graph, source, graph.nodes.index(view))
                changed = replace(view, inputs=(node.outputs[0], *view.inputs[1:]))
                graph = with_nodes(graph, {view.id: changed})
                graph = record(graph, self, node, "the output shows a constant: copied on each call")
        shown = shown_tensors(graph)
        old = {variable.read for variable in graph.variables}
        for position, tensor in enumerate(graph.outputs):
            if old.intersection(shown[tensor]):
                outputs = list(graph.outputs)
                graph, node = _copied(graph, tensor, len(graph.nodes))
                outputs[position] = node.outputs[0]
                graph = replace(graph, outputs=tuple(outputs))
                graph = record(graph, self, node, "the output shows a variable: copied before it changes")
        while (found := _circular(graph)) is not None:
            assignment, operand = found
            graph, node = _copied(graph, operand, graph.nodes.index(assignment))
            inputs = tuple(node.outputs[0] if t == operand else t for t in assignment.inputs)
            graph = with_nodes(graph, {assignment.id: replace(assignment, inputs=inputs)})
            graph = record(graph, self, node, "variables exchange values: one is copied before it changes")
        return graph


def _circular(graph: Graph) -> tuple[Node, int] | None:
    """An assignment with an operand that shows the old value of a variable which, step by step, waits for this assignment."""
    shown = shown_tensors(graph)
    if len(graph.variables) < 2:
        return None
    import networkx as nx  # not above: loading it takes as long as planning a small model

    waits: nx.DiGraph[int] = nx.DiGraph()
    for variable in graph.variables:
        node = graph.producers[variable.assigned]
        # an operator that updates several variables does so in one call
        others = [other for other in graph.variables if graph.producers[other.assigned] is not node]
        for operand in (t for t in node.inputs if t is not None):
            for other in others:
                if other.read in shown[operand]:
                    waits.add_edge(other.read, variable.read, use=(node, operand))
    if nx.is_directed_acyclic_graph(waits):
        return None
    first, second, *_ = nx.find_cycle(waits)[0]
    use: tuple[Node, int] = waits.edges[first, second]["use"]
    return use


def _copied(graph: Graph, tensor_id: int, position: int) -> tuple[Graph, Node]:
    """The graph with a copy of a tensor, made by an operator at this position."""
    tensor = graph.tensors[tensor_id]
    copy = Tensor(
        next_tensor_id(graph), f"{tensor.name}/copy", tensor.shape, tensor.dtype, tensor.quantization
    )
    node = Node(next_node_id(graph), "COPY", copy.name, (tensor_id,), (copy.id,))
    nodes = (*graph.nodes[:position], node, *graph.nodes[position:])
    return replace(with_tensors(graph, [copy]), nodes=nodes), node
