"""Transposed convolutions of stride 1 are convolutions: of the reversed filters, with other padding."""

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from tinycompile.ir import DType, Graph, Node, next_tensor_id, with_nodes, with_tensors
from tinycompile.ops import (
    ConvolutionAttributes,
    Pads,
    TransposeConvAttributes,
    WindowAxis,
    operation,
    transposed_axes,
)
from tinycompile.passes.base import record


@dataclass(frozen=True)
class TransposedWindows:
    """Output y takes the taps k and pixels y + pad - k, a window in which the filter runs backwards.

    int8 only: there both operators scale sums of 32 bits in the same way.
    """

    name: ClassVar[str] = "transposed_windows"

    def run(self, graph: Graph) -> Graph:
        """One walk in order."""
        for node in graph.nodes:
            if isinstance(node.attributes, TransposeConvAttributes) and _is_convolution(graph, node):
                graph = self._rewrite(graph, node, node.attributes)
        return graph

    def _rewrite(self, graph: Graph, node: Node, attributes: TransposeConvAttributes) -> Graph:
        _, weights_id, image, *bias = node.inputs
        weights = graph.tensor(weights_id)
        rows, columns = transposed_axes(operation(graph, node))
        (top, bottom), (left, right) = _pads(rows), _pads(columns)
        values = np.ascontiguousarray(weights.values[:, ::-1, ::-1, :])
        values.setflags(write=False)
        new = replace(weights, id=next_tensor_id(graph), data=values, source=None)
        window = replace(attributes.window, pads=Pads(top=top, bottom=bottom, left=left, right=right))
        convolution = replace(
            node,
            kind="CONV_2D",
            inputs=(image, new.id, *bias),
            attributes=ConvolutionAttributes(window, attributes.activation),
        )
        rewritten = with_nodes(with_tensors(graph, [new]), {node.id: convolution})
        return record(rewritten, self, node, "a convolution of the reversed filter, as its stride is 1")


def _is_convolution(graph: Graph, node: Node) -> bool:
    current = operation(graph, node)
    strides = {axis.stride for axis in transposed_axes(current)}
    return current.output.dtype is DType.INT8 and strides == {1}


def _pads(axis: WindowAxis) -> tuple[int, int]:
    """Padding before and after the image, from that of the convolution that leads back to it."""
    before = axis.taps - 1 - axis.pad_before
    return before, axis.in_extent - axis.out_extent + axis.pad_before
