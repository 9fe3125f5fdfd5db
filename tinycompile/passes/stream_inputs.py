"""Puts a READ_ROWS behind every input of the graph (`--input rows`): the caller delivers rows when they are needed."""

from dataclasses import dataclass, replace
from typing import ClassVar

from tinycompile.ir import Graph, Node, next_node_id, next_tensor_id, rename_uses, with_tensors


@dataclass(frozen=True)
class StreamInputs:
    """What was an input is then the result of an operator like others: the planner gives it a ring of rows, or all its bytes."""

    name: ClassVar[str] = "stream_inputs"

    def run(self, graph: Graph) -> Graph:
        """Every input that somebody reads and that has no READ_ROWS yet."""
        for tensor in graph.inputs:
            readers = graph.consumers[tensor]
            if (readers or tensor in graph.outputs) and not any(n.kind == "READ_ROWS" for n in readers):
                graph = _streamed(graph, tensor)
        return graph


def _streamed(graph: Graph, tensor: int) -> Graph:
    rows = replace(graph.tensors[tensor], id=next_tensor_id(graph))
    node = Node(next_node_id(graph), "READ_ROWS", rows.name, (tensor,), (rows.id,))
    graph = rename_uses(with_tensors(graph, [rows]), {tensor: rows.id})
    return replace(graph, nodes=(node, *graph.nodes))
