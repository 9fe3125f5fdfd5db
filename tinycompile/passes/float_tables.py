"""Makes one table of the functions of floats between a DEQUANTIZE of bytes and a QUANTIZE to bytes."""

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from tinycompile.ir import Array, DType, Graph, Node, with_nodes
from tinycompile.ops import LookupAttributes, Unary, operation, operator_of
from tinycompile.passes.base import drop_tensor, edges, only_consumer, record

_BYTES = (DType.INT8, DType.UINT8)


@dataclass(frozen=True)
class FloatTables:
    """DEQUANTIZE, functions of one float of which nobody else reads the results, and QUANTIZE become one LOOKUP.

    Converters leave an activation in float32 where they know no quantized one, as ELU.
    """

    name: ClassVar[str] = "float_tables"

    def run(self, graph: Graph) -> Graph:
        """All chains; no two share an operator."""
        for first in [node for node in graph.nodes if node.kind == "DEQUANTIZE"]:
            chain = _chain(graph, first)
            if chain:
                graph = _joined(graph, chain)
                graph = record(graph, self, first, f"one table with {', '.join(n.place for n in chain[1:])}")
        return graph


def _chain(graph: Graph, first: Node) -> tuple[Node, ...]:
    """The operators from a DEQUANTIZE of bytes to a QUANTIZE to bytes; none where there is no such chain."""
    if graph.tensors[edges(first).source].dtype not in _BYTES:
        return ()
    chain = [first]
    while chain[-1].kind != "QUANTIZE":
        reader = only_consumer(graph, chain[-1].outputs[0])
        if reader is None or not isinstance(operator_of(reader), Unary):
            return ()
        chain.append(reader)
    return tuple(chain) if graph.tensors[chain[-1].outputs[0]].dtype in _BYTES else ()


def _joined(graph: Graph, chain: tuple[Node, ...]) -> Graph:
    """One LOOKUP in the place of the last operator."""
    levels = np.arange(256, dtype=np.uint8)
    values: Array = levels.view(graph.tensors[edges(chain[0]).source].dtype.numpy)
    for node in chain:
        (values,) = operator_of(node).evaluate(operation(graph, node), (values,))
    last = replace(
        chain[-1],
        kind="LOOKUP",
        inputs=(edges(chain[0]).source,),
        attributes=LookupAttributes(table=tuple(values.tolist())),
        source=tuple(index for node in chain for index in node.source),
    )
    inner = {node.id: None for node in chain[:-1]}
    joined = with_nodes(graph, {**inner, last.id: last})
    for node in chain[:-1]:
        joined = drop_tensor(joined, node.outputs[0])
    return joined
