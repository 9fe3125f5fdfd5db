"""Removes operators that hand on the values they get."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from tinycompile.ir import Graph, Node, with_nodes
from tinycompile.ops import operator_named
from tinycompile.passes.base import add_constant, bypass, can_bypass, constant_of, edges, record, same_values


@dataclass(frozen=True)
class RemoveNoOps:
    """QUANTIZE to equal parameters, QUANTIZE after the DEQUANTIZE that undoes it, PAD by nothing, RESHAPE to the same shape.

    A TRANSPOSE that moves only extents of 1, a PACK of one tensor and an UNPACK to one leave the bytes where they are: each
    becomes a RESHAPE, which costs nothing.
    """

    name: ClassVar[str] = "remove_no_ops"

    def run(self, graph: Graph) -> Graph:
        """One walk in order; what an operator hands on is seen by those behind it."""
        for node_id in [node.id for node in graph.nodes]:
            node = next(node for node in graph.nodes if node.id == node_id)
            graph = _undo_dequantize(graph, node)
            if _is_storage_order_kept(graph, node):
                graph = record(_as_reshape(graph, node), self, node, "moves no byte: a RESHAPE")
                node = next(node for node in graph.nodes if node.id == node_id)
            hands_on = _HANDS_ON.get(node.kind)
            if hands_on and hands_on(graph, node) and can_bypass(graph, node):
                graph = record(bypass(graph, node), self, node, "hands on what it gets: removed")
        return graph


def _keeps_values(graph: Graph, node: Node) -> bool:
    """Same values in the same shape."""
    found = edges(node)
    source, result = graph.tensors[found.source], graph.tensors[found.result]
    return source.shape == result.shape and same_values(source, result)


_HANDS_ON: dict[str, Callable[[Graph, Node], bool]] = {
    "EXPAND_DIMS": _keeps_values,
    "PAD": _keeps_values,
    "PADV2": _keeps_values,
    "QUANTIZE": _keeps_values,
    "RESHAPE": _keeps_values,
    "SQUEEZE": _keeps_values,
}


def _undo_dequantize(graph: Graph, node: Node) -> Graph:
    """Let a QUANTIZE read what was dequantized before. For 8 and 16 bits scale * q / scale is nearer to q than one half."""
    before = graph.producers.get(edges(node).source) if node.kind == "QUANTIZE" else None
    if before is None or before.kind != "DEQUANTIZE":
        return graph
    original = graph.tensors[edges(before).source]
    if original.dtype.element_bytes > 2 or not same_values(original, graph.tensors[node.outputs[0]]):
        return graph
    return with_nodes(graph, {node.id: replace(node, inputs=(original.id,))})


def _is_storage_order_kept(graph: Graph, node: Node) -> bool:
    """True for a TRANSPOSE whose extents greater than 1 stay in order, and for PACK and UNPACK of a single tensor."""
    if node.kind in ("PACK", "UNPACK"):
        return len(node.inputs) == len(node.outputs) == 1
    permutation = constant_of(graph, node, 1) if node.kind == "TRANSPOSE" else None
    if permutation is None:
        return False
    shape = graph.tensors[edges(node).source].shape
    axes = [axis % len(shape) for axis in permutation.tolist()]
    moved = [axis for axis in axes if shape[axis] != 1]
    return moved == sorted(moved)


def _as_reshape(graph: Graph, node: Node) -> Graph:
    shape = graph.tensors[node.outputs[0]].shape
    graph, constant = add_constant(graph, f"{node.name}/shape", np.array(shape, np.int32))
    attributes = operator_named("RESHAPE").parse({"new_shape": shape})
    inputs = (node.inputs[0], constant)
    return with_nodes(graph, {node.id: replace(node, kind="RESHAPE", inputs=inputs, attributes=attributes)})
