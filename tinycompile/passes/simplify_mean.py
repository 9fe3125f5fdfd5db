"""Moves a TRANSPOSE behind the MEAN that follows it, where it moves fewer bytes or none at all."""

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from tinycompile.ir import DType, Graph, Node, Tensor, next_node_id, next_tensor_id, with_nodes, with_tensors
from tinycompile.passes.base import add_constant, constant_of, edges, only_consumer, record


@dataclass(frozen=True)
class SimplifyMean:
    """MEAN(TRANSPOSE(x), axes) = TRANSPOSE(MEAN(x, the same axes of x)), step by step through a chain of MEANs.

    Exact for integers: the mean of the same elements is rounded in the same way, and each MEAN keeps its own quantization.
    Models converted from channels-first frameworks end with such a chain (mcunet_vww1).
    """

    name: ClassVar[str] = "simplify_mean"

    def run(self, graph: Graph) -> Graph:
        """Repeat until no TRANSPOSE stands before a MEAN; each step moves one further towards the outputs."""
        while (pair := _find(graph)) is not None:
            graph = record(_swap(graph, *pair), self, pair[0], f"moved behind {pair[1].place}")
        return graph


def _find(graph: Graph) -> tuple[Node, Node] | None:
    """A TRANSPOSE and the MEAN that alone reads it; permutation and axes are constant."""
    for node in graph.nodes:
        if node.kind != "TRANSPOSE" or constant_of(graph, node, 1) is None:
            continue
        mean = only_consumer(graph, node.outputs[0])
        is_integer = graph.tensors[node.outputs[0]].dtype is not DType.FLOAT32
        if (
            mean is not None
            and mean.kind == "MEAN"
            and constant_of(graph, mean, 1) is not None
            and is_integer
        ):
            return node, mean
    return None


def _swap(graph: Graph, transpose: Node, mean: Node) -> Graph:
    """Take the mean of the operand of `transpose`, then transpose the mean."""
    operand, result = graph.tensors[edges(transpose).source], graph.tensors[mean.outputs[0]]
    permutation = _axes(graph, transpose, len(operand.shape))
    axes = sorted(permutation[axis] for axis in _axes(graph, mean, len(operand.shape)))
    keeps_rank = len(result.shape) == len(operand.shape)
    order = permutation if keeps_rank else _order_of_kept(permutation, axes)

    graph, axes_id = add_constant(graph, f"{mean.name}/axes", np.array(axes, np.int32))
    graph, order_id = add_constant(graph, f"{transpose.name}/order", np.array(order, np.int32))
    middle = _untransposed(next_tensor_id(graph), result, order)
    graph = with_tensors(graph, [middle])

    inputs = (operand.id, axes_id)
    new_mean = replace(mean, inputs=inputs, outputs=(middle.id,), source=transpose.source + mean.source)
    new_transpose = replace(
        transpose,
        id=next_node_id(graph),
        name=mean.name,
        inputs=(middle.id, order_id),
        outputs=mean.outputs,
    )
    return _replace_pair(graph, transpose, mean, (new_mean, new_transpose))


def _axes(graph: Graph, node: Node, rank: int) -> list[int]:
    """The constant second operand as axes from 0."""
    values = constant_of(graph, node, 1)
    assert values is not None
    return [int(axis) % rank for axis in values.reshape(-1)]


def _order_of_kept(permutation: list[int], reduced: list[int]) -> list[int]:
    """The permutation of the axes that remain when the reduced ones are gone."""
    kept = [axis for axis in permutation if axis not in reduced]
    return [sorted(kept).index(axis) for axis in kept]


def _untransposed(tensor_id: int, result: Tensor, order: list[int]) -> Tensor:
    """The tensor that gives `result` when it is transposed by `order`."""
    shape = [0] * len(order)
    for position, axis in enumerate(order):
        shape[axis] = result.shape[position]
    return replace(result, id=tensor_id, shape=tuple(shape), source=None)


def _replace_pair(graph: Graph, first: Node, second: Node, by: tuple[Node, Node]) -> Graph:
    """Put two nodes at the place of `second`, and remove `first`."""
    graph = with_nodes(graph, {first.id: None})
    index = next(i for i, node in enumerate(graph.nodes) if node.id == second.id)
    tensors = {key: tensor for key, tensor in graph.tensors.items() if key != first.outputs[0]}
    return replace(graph, tensors=tensors, nodes=graph.nodes[:index] + by + graph.nodes[index + 1 :])
