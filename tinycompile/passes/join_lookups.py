"""Makes one table of functions of one byte that follow each other."""

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from tinycompile.ir import DType, Graph, Node, with_nodes
from tinycompile.ops import LookupAttributes, byte_function, operation
from tinycompile.passes.base import drop_tensor, only_consumer, record

_BYTES = (DType.INT8, DType.UINT8)
_RESULTS = (*_BYTES, DType.INT16, DType.INT32)


@dataclass(frozen=True)
class JoinLookups:
    """An operator of one 8-bit operand is a table of 256 outputs; when another one is all that reads it, both are one LOOKUP.

    The second operand of either may be a constant of one element.
    """

    name: ClassVar[str] = "join_lookups"

    def run(self, graph: Graph) -> Graph:
        """One walk in order: a table that was joined may be joined with the next one."""
        for node_id in [node.id for node in graph.nodes]:
            node = next(node for node in graph.nodes if node.id == node_id)
            reader = only_consumer(graph, node.outputs[0]) if _is_function(graph, node) else None
            if reader is None or not _is_function(graph, reader):
                continue
            joined = _joined(graph, node, reader)
            if joined is not None:
                changed = with_nodes(graph, {node.id: None, reader.id: joined})
                graph = record(
                    drop_tensor(changed, node.outputs[0]), self, node, f"one table with {reader.place}"
                )
        return graph


def _is_function(graph: Graph, node: Node) -> bool:
    """True for what may be a table: a cheap look before `byte_function`."""
    tensors = [graph.tensors[t] for t in node.inputs if t is not None]
    varying = [tensor for tensor in tensors if not tensor.is_constant]
    if len(node.outputs) != 1 or len(varying) != 1 or varying[0].dtype not in _BYTES:
        return False
    result = graph.tensors[node.outputs[0]]
    small = all(tensor.elements == 1 for tensor in tensors if tensor.is_constant)
    return small and result.dtype in _RESULTS and result.shape == varying[0].shape


def _joined(graph: Graph, node: Node, reader: Node) -> Node | None:
    """Both in one, in the place of the reader."""
    first, second = byte_function(operation(graph, node)), byte_function(operation(graph, reader))
    if first is None or second is None:
        return None
    table = second[1][first[1].view(np.uint8)]
    return replace(
        reader,
        kind="LOOKUP",
        inputs=(node.inputs[first[0]],),
        attributes=LookupAttributes(table=tuple(table.tolist())),
        source=(*node.source, *reader.source),
    )
