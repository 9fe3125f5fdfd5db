"""Makes one operator of a QUANTIZE of floats and the table that reads its levels."""

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from tinycompile.ir import DType, Graph, Node, with_nodes
from tinycompile.ops import QuantizeLookupAttributes, byte_function, operation
from tinycompile.passes.base import drop_tensor, only_consumer, record

_BYTES = (DType.INT8, DType.UINT8)


@dataclass(frozen=True)
class QuantizeThroughTables:
    """A QUANTIZE of floats to bytes, and a function of one byte that is all that reads them, become one QUANTIZE_LOOKUP.

    The levels then need no memory, and are read and written once less.
    """

    name: ClassVar[str] = "quantize_through_tables"

    def run(self, graph: Graph) -> Graph:
        """All pairs; a table behind another one has been joined with it before."""
        for node_id in [node.id for node in graph.nodes if _makes_levels(graph, node)]:
            node = next(node for node in graph.nodes if node.id == node_id)
            reader = only_consumer(graph, node.outputs[0])
            joined = _joined(graph, node, reader) if reader is not None else None
            if reader is not None and joined is not None:
                changed = with_nodes(graph, {node.id: None, reader.id: joined})
                graph = record(
                    drop_tensor(changed, node.outputs[0]), self, node, f"quantized through {reader.place}"
                )
        return graph


def _makes_levels(graph: Graph, node: Node) -> bool:
    if node.kind != "QUANTIZE" or node.inputs[0] is None:
        return False
    source, result = graph.tensors[node.inputs[0]], graph.tensors[node.outputs[0]]
    return source.dtype is DType.FLOAT32 and result.dtype in _BYTES


def _joined(graph: Graph, node: Node, reader: Node) -> Node | None:
    """Both in one, in the place of the reader; None when that is no function of the levels to bytes."""
    levels, result = graph.tensors[node.outputs[0]], graph.tensors[reader.outputs[0]]
    if len(reader.outputs) != 1 or result.dtype not in _BYTES or result.shape != levels.shape:
        return None
    found = byte_function(operation(graph, reader))
    if found is None:
        return None
    low, high = levels.dtype.limits
    order = np.arange(low, high + 1).astype(levels.dtype.numpy).view(np.uint8)
    attributes = QuantizeLookupAttributes(
        levels.scale, levels.zero_point, low, high, tuple(found[1][order].tolist())
    )
    return replace(
        reader,
        kind="QUANTIZE_LOOKUP",
        inputs=(node.inputs[0],),
        attributes=attributes,
        source=(*node.source, *reader.source),
    )
