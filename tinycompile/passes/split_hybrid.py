"""Splits hybrid layers: their activations become a tensor of int8, which takes a quarter of the memory of the floats."""

from dataclasses import dataclass, replace
from typing import ClassVar

from tinycompile.ir import DType, Graph, Node, Tensor, next_node_id, next_tensor_id, with_tensors
from tinycompile.ops import DynamicQuantizeAttributes, dynamic_quantization, operation
from tinycompile.passes.base import record


@dataclass(frozen=True)
class SplitHybrid:
    """A layer of float activations and int8 weights = DYNAMIC_QUANTIZE, then sums of int8 that are scaled to float.

    Quantization needs the whole image, the sums only a window: apart, the planner can let the floats go and stream the rest.
    """

    name: ClassVar[str] = "split_hybrid"

    def run(self, graph: Graph) -> Graph:
        """One walk in order; layers that quantize one tensor in one way share the result."""
        made: dict[tuple[int, DynamicQuantizeAttributes], tuple[int, ...]] = {}
        for node in graph.nodes:
            attributes = dynamic_quantization(operation(graph, node))
            if attributes is None:
                continue
            key = (graph.tensor(node.inputs[0]).id, attributes)
            if key not in made:
                graph, made[key] = _quantized(graph, node, attributes)
            graph = _scaled(graph, node, made[key])
            graph = record(graph, self, node, "its activations are quantized by an operator of their own")
        return graph


def _quantized(
    graph: Graph, node: Node, attributes: DynamicQuantizeAttributes
) -> tuple[Graph, tuple[int, ...]]:
    """Put a DYNAMIC_QUANTIZE of the layer's activations before it; returns its outputs."""
    source, first = graph.tensor(node.inputs[0]), next_tensor_id(graph)
    shape = (attributes.images,)
    outputs = [
        Tensor(first, f"{source.name}/quantized", source.shape, DType.INT8),
        Tensor(first + 1, f"{source.name}/factors", shape, DType.FLOAT32),
        *([Tensor(first + 2, f"{source.name}/offsets", shape, DType.INT32)] if attributes.asymmetric else []),
    ]
    results = tuple(tensor.id for tensor in outputs)
    made = Node(
        next_node_id(graph),
        "DYNAMIC_QUANTIZE",
        outputs[0].name,
        (source.id,),
        results,
        attributes,
        node.source,
    )
    position = graph.nodes.index(node)
    graph = replace(graph, nodes=(*graph.nodes[:position], made, *graph.nodes[position:]))
    return with_tensors(graph, outputs), results


def _scaled(graph: Graph, node: Node, quantized: tuple[int, ...]) -> Graph:
    """Let the layer read what was quantized; its bias may be absent."""
    _, weights, *bias = node.inputs
    inputs = (quantized[0], weights, bias[0] if bias else None, *quantized[1:])
    position = graph.nodes.index(node)
    nodes = (*graph.nodes[:position], replace(node, inputs=inputs), *graph.nodes[position + 1 :])
    return replace(graph, nodes=nodes)
