"""What a pass is, and the few rewrites that several passes share."""

from dataclasses import dataclass, replace
from typing import ClassVar, Protocol

from tinycompile.ir import (
    Array,
    Change,
    DType,
    Graph,
    Node,
    Tensor,
    next_tensor_id,
    rename_uses,
    with_nodes,
    with_tensors,
)


class Pass(Protocol):
    """A rewrite of the graph that changes no byte of any output. Deterministic, and a second run finds nothing to do."""

    name: ClassVar[str]

    def run(self, graph: Graph) -> Graph:
        """The simplified graph; the same object when there is nothing to do."""
        ...


def record(graph: Graph, step: Pass, node: Node, text: str) -> Graph:
    """Note for the report what a pass did with an operator."""
    return replace(graph, changes=(*graph.changes, Change(step.name, node.place, text)))


@dataclass(frozen=True)
class Edges:
    """The first operand and the only result of an operator that passes values through."""

    source: int
    result: int


def edges(node: Node) -> Edges:
    """Where the values of a node come from and go to."""
    assert node.inputs[0] is not None
    return Edges(node.inputs[0], node.outputs[0])


def can_bypass(graph: Graph, node: Node) -> bool:
    """True unless the node stands between the graph's own interface: an input, a constant or an output, and an output."""
    found = edges(node)
    is_inner = found.source in graph.producers and found.source not in graph.outputs
    return found.result not in graph.outputs or is_inner


def bypass(graph: Graph, node: Node) -> Graph:
    """Remove a node whose result equals its first operand. A graph output keeps its own tensor."""
    assert can_bypass(graph, node), node.place
    found = edges(node)
    without = with_nodes(graph, {node.id: None})
    if found.result not in graph.outputs:
        return drop_tensor(rename_uses(without, {found.result: found.source}), found.result)
    producer = graph.producers[found.source]
    outputs = tuple(found.result if t == found.source else t for t in producer.outputs)
    renamed = rename_uses(without, {found.source: found.result})
    producer = next(n for n in renamed.nodes if n.id == producer.id)
    return drop_tensor(with_nodes(renamed, {producer.id: replace(producer, outputs=outputs)}), found.source)


def drop_tensor(graph: Graph, tensor: int) -> Graph:
    """Remove a tensor that nothing names any more."""
    return replace(graph, tensors={key: found for key, found in graph.tensors.items() if key != tensor})


def add_constant(graph: Graph, name: str, values: Array) -> tuple[Graph, int]:
    """Add a constant of plain integers; returns the new graph and the tensor's id."""
    values = values.copy()
    values.setflags(write=False)
    tensor = Tensor(next_tensor_id(graph), name, values.shape, DType(values.dtype.name), data=values)
    return with_tensors(graph, [tensor]), tensor.id


def only_consumer(graph: Graph, tensor: int) -> Node | None:
    """The operator that reads a tensor, when it is the only one and the tensor is no graph output."""
    consumers = graph.consumers[tensor]
    return consumers[0] if len(consumers) == 1 and tensor not in graph.outputs else None


def constant_of(graph: Graph, node: Node, index: int) -> Array | None:
    """The values of a constant operand, None when it is absent or computed."""
    tensor = node.inputs[index] if index < len(node.inputs) else None
    return None if tensor is None else graph.tensors[tensor].data


def same_values(source: Tensor, result: Tensor) -> bool:
    """True when equal stored values mean equal real values: same type, scale and zero point."""
    return source.dtype is result.dtype and source.quantization == result.quantization
