"""Takes rows and columns of zeros off the border of convolution windows: a 3x3 filter may be a 1x1 one in disguise."""

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from tinycompile.ir import Array, DType, Graph, Node, next_tensor_id, with_nodes, with_tensors
from tinycompile.ops import ConvolutionAttributes, Pads, Window, WindowAxis, convolution_window, operation
from tinycompile.passes.base import record

_KINDS = frozenset({"CONV_2D", "DEPTHWISE_CONV_2D"})


@dataclass(frozen=True)
class TrimWindows:
    """Rows and columns at the border of the window whose weights are zero in all channels are no part of it any more.

    Padding then begins later; where there is none, a row stays, since the image would have to be cut instead.
    """

    name: ClassVar[str] = "trim_windows"

    def run(self, graph: Graph) -> Graph:
        """One walk in order."""
        for node in graph.nodes:
            kept = _kept(graph, node)
            if kept is not None:
                graph = self._trim(graph, node, kept)
        return graph

    def _trim(self, graph: Graph, node: Node, kept: tuple[slice, slice]) -> Graph:
        weights = graph.tensor(node.inputs[1])
        window = convolution_window(operation(graph, node))
        values = np.ascontiguousarray(weights.values[:, kept[0], kept[1], :])
        values.setflags(write=False)
        new = replace(weights, id=next_tensor_id(graph), shape=values.shape, data=values, source=None)
        assert isinstance(node.attributes, ConvolutionAttributes)
        (top, bottom), (left, right) = _pads(window.rows, kept[0]), _pads(window.columns, kept[1])
        pads = Pads(top=top, bottom=bottom, left=left, right=right)
        attributes = replace(node.attributes, window=replace(node.attributes.window, pads=pads))
        inputs = (node.inputs[0], new.id, *node.inputs[2:])
        trimmed = with_nodes(
            with_tensors(graph, [new]), {node.id: replace(node, inputs=inputs, attributes=attributes)}
        )
        before, after = weights.shape[1:3], values.shape[1:3]
        text = (
            f"the window of {before[0]}x{before[1]} has zeros at its border, {after[0]}x{after[1]} are left"
        )
        return record(trimmed, self, node, text)


def _kept(graph: Graph, node: Node) -> tuple[slice, slice] | None:
    """Rows and columns of the window that stay; None when all do, or when zeros cannot be told from other numbers."""
    if node.kind not in _KINDS:
        return None
    found = operation(graph, node)
    weights = found.input(1)
    if not weights.is_constant or weights.dtype is not DType.INT8 or found.output.dtype is DType.FLOAT32:
        return None
    used, window = weights.values.any(axis=(0, 3)), convolution_window(found)
    kept = _range(window.rows, used.any(axis=1)), _range(window.columns, used.any(axis=0))
    return None if _whole(window) == kept else kept


def _whole(window: Window) -> tuple[slice, slice]:
    return slice(0, window.rows.taps), slice(0, window.columns.taps)


def _range(axis: WindowAxis, used: Array) -> slice:
    """From the first tap that is used to the last one, or as near as padding allows."""
    places = np.flatnonzero(used)
    if not len(places):
        return slice(0, axis.taps)
    first = min(int(places[0]), axis.pad_before // axis.dilation)
    ends = range(int(places[-1]) + 1, axis.taps + 1)
    end = next(end for end in ends if end == axis.taps or _keeps_extent(axis, slice(first, end)))
    return slice(first, end)


def _keeps_extent(axis: WindowAxis, kept: slice) -> bool:
    """True when the output has the same extent with this part of the window and padding that is not negative."""
    before, after = _pads(axis, kept)
    reach = (kept.stop - kept.start - 1) * axis.dilation + 1
    return bool((axis.in_extent + before + after - reach) // axis.stride + 1 == axis.out_extent)


def _pads(axis: WindowAxis, kept: slice) -> tuple[int, int]:
    """Padding before and after with this part of the window."""
    before = axis.pad_before - kept.start * axis.dilation
    last = (axis.out_extent - 1) * axis.stride - before + (kept.stop - kept.start - 1) * axis.dilation
    return before, max(0, last - axis.in_extent + 1)
