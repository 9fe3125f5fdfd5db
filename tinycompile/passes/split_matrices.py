"""Takes a FULLY_CONNECTED apart whose result is split, as exporters write the gates of a GRU or LSTM."""

from dataclasses import dataclass, replace
from itertools import accumulate
from typing import ClassVar

from tinycompile.ir import Graph, Node, Tensor, next_node_id, next_tensor_id, with_tensors
from tinycompile.passes.base import drop_tensor, only_consumer, record, same_values


@dataclass(frozen=True)
class SplitMatrices:
    """SPLIT(FULLY_CONNECTED(x)) = FULLY_CONNECTED with some rows of the matrix for each part.

    Every unit is a sum of its own: no byte changes. The parts then need not exist at the same time, and nothing is copied.
    """

    name: ClassVar[str] = "split_matrices"

    def run(self, graph: Graph) -> Graph:
        """Every matrix whose only reader splits the units of a single vector."""
        for matrix in graph.nodes:
            split = only_consumer(graph, matrix.outputs[0]) if matrix.kind == "FULLY_CONNECTED" else None
            if split is not None and split.kind in ("SPLIT", "SPLIT_V") and _is_apart(graph, matrix, split):
                text = f"one for each of the {len(split.outputs)} parts that {split.place} takes of it"
                graph = record(_taken_apart(graph, matrix, split), self, matrix, text)
        return graph


def _is_apart(graph: Graph, matrix: Node, split: Node) -> bool:
    """The parts are runs of units of one vector, in its quantization, and the weights are constant."""
    whole = graph.tensors[matrix.outputs[0]]
    parts = [graph.tensors[tensor] for tensor in split.outputs]
    *others, units = whole.shape
    return (
        all(tensor is None or graph.tensors[tensor].is_constant for tensor in matrix.inputs[1:])
        and whole.elements == units
        and all(part.shape[:-1] == tuple(others) and same_values(whole, part) for part in parts)
        and sum(part.shape[-1] for part in parts) == units
    )


def _taken_apart(graph: Graph, matrix: Node, split: Node) -> Graph:
    units = [graph.tensors[tensor].shape[-1] for tensor in split.outputs]
    nodes: list[Node] = []
    for output, end, count in zip(split.outputs, accumulate(units), units, strict=True):
        operands = []
        for tensor in matrix.inputs[1:]:
            if tensor is not None:
                found = _rows_of(graph.tensors[tensor], next_tensor_id(graph), end - count, end)
                graph = with_tensors(graph, [found])
                tensor = found.id
            operands.append(tensor)
        nodes.append(
            replace(
                matrix,
                id=next_node_id(graph) + len(nodes),
                name=graph.tensors[output].name,
                inputs=(matrix.inputs[0], *operands),
                outputs=(output,),
                source=(*matrix.source, *split.source),
            )
        )
    at = graph.nodes.index(matrix)
    kept = [node for node in graph.nodes[at + 1 :] if node is not split]
    graph = replace(graph, nodes=(*graph.nodes[:at], *nodes, *kept))
    return drop_tensor(graph, matrix.outputs[0])


def _rows_of(tensor: Tensor, tensor_id: int, first: int, end: int) -> Tensor:
    """Weights or biases of some units, with their scales."""
    found = tensor.quantization
    if found is not None and found.per_channel:
        found = replace(found, scales=found.scales[first:end], zero_points=found.zero_points[first:end])
    values = tensor.values[first:end]
    values.setflags(write=False)
    return replace(
        tensor,
        id=tensor_id,
        name=f"{tensor.name}/{first}",
        shape=values.shape,
        quantization=found,
        data=values,
        source=None,
    )
