"""Takes QUANTIZE off the inputs and DEQUANTIZE off the outputs when the user asks for integers there (`--io quantized`)."""

from dataclasses import dataclass, replace
from typing import ClassVar

from tinycompile.ir import DType, Graph, Node, with_nodes
from tinycompile.passes.base import drop_tensor, edges, record


@dataclass(frozen=True)
class QuantizedEdges:
    """The firmware then exchanges integers: it quantizes inputs and dequantizes outputs itself, by scale and zero point.

    A float image takes four times the arena of its int8 form. No byte of any other tensor changes.
    """

    name: ClassVar[str] = "quantized_edges"

    def run(self, graph: Graph) -> Graph:
        """Inputs whose only reader quantizes them, and outputs that a DEQUANTIZE makes for nobody else."""
        for node in graph.nodes:
            if _quantizes_an_input(graph, node):
                graph = self._without(graph, node, graph.inputs, edges(node).source, edges(node).result)
            elif _dequantizes_an_output(graph, node):
                graph = self._without(graph, node, graph.outputs, edges(node).result, edges(node).source)
        return graph

    def _without(self, graph: Graph, node: Node, ports: tuple[int, ...], old: int, new: int) -> Graph:
        """The graph without a node at its edge: the port moves to the node's other side."""
        moved = tuple(new if tensor == old else tensor for tensor in ports)
        graph = replace(graph, inputs=moved) if ports is graph.inputs else replace(graph, outputs=moved)
        graph = record(graph, self, node, "left to the firmware, which exchanges quantized values")
        return drop_tensor(with_nodes(graph, {node.id: None}), old)


def _quantizes_an_input(graph: Graph, node: Node) -> bool:
    return (
        node.kind == "QUANTIZE"
        and node.inputs[0] in graph.inputs
        and graph.tensor(node.inputs[0]).dtype is DType.FLOAT32
        and graph.consumers[graph.tensor(node.inputs[0]).id] == (node,)
        and node.inputs[0] not in graph.outputs
        and node.outputs[0] not in graph.outputs
    )


def _dequantizes_an_output(graph: Graph, node: Node) -> bool:
    return (
        node.kind == "DEQUANTIZE"
        and node.outputs[0] in graph.outputs
        and not graph.consumers[node.outputs[0]]
        and node.inputs[0] in graph.producers
        and node.inputs[0] not in graph.outputs
        and graph.outputs.count(node.outputs[0]) == 1
    )
