"""Folds a PAD of rows and columns into the convolutions that read it."""

from dataclasses import dataclass, replace
from typing import ClassVar

from tinycompile.ir import Graph, Node, with_nodes
from tinycompile.ops import ConvolutionAttributes, Pads, Window, convolution_window, operation
from tinycompile.passes.base import constant_of, drop_tensor, edges, record, same_values


@dataclass(frozen=True)
class FoldPad:
    """A convolution whose window reaches over the border reads the zero point there, which is what PAD writes.

    Folded only when every reader is such a convolution, else the padded tensor would be computed all the same.
    """

    name: ClassVar[str] = "fold_pad"

    def run(self, graph: Graph) -> Graph:
        """One walk in order."""
        for node in graph.nodes:
            pads = _pads(graph, node)
            if pads is None or node.outputs[0] in graph.outputs:
                continue
            readers = graph.consumers[node.outputs[0]]
            if readers and all(_takes(graph, reader, node.outputs[0], pads) for reader in readers):
                graph = _fold(graph, node, readers, pads)
                graph = record(graph, self, node, "folded into the convolutions that read it")
        return graph


def _pads(graph: Graph, node: Node) -> Pads | None:
    """What a PAD adds around the rows and columns of images; None when it does anything else."""
    if node.kind not in ("PAD", "PADV2"):
        return None
    amounts = constant_of(graph, node, 1)
    source, result = graph.tensors[edges(node).source], graph.tensors[node.outputs[0]]
    if amounts is None or amounts.shape != (4, 2) or not same_values(source, result):
        return None
    if len(node.inputs) > 2:
        fill = constant_of(graph, node, 2)
        if fill is None or not (fill == result.zero_point).all():
            return None
    images, rows, columns, channels = amounts.tolist()
    if any(images + channels) or min(rows + columns) < 0:
        return None
    return Pads(top=rows[0], bottom=rows[1], left=columns[0], right=columns[1])


def _takes(graph: Graph, reader: Node, padded: int, pads: Pads) -> bool:
    """True when the reader is a convolution of the padded tensor, and no window would lie outside of the image."""
    if not isinstance(reader.attributes, ConvolutionAttributes) or reader.inputs.count(padded) != 1:
        return False
    if reader.inputs[0] != padded:
        return False
    window = convolution_window(operation(graph, reader))
    total = _with_borders_of(window, pads)
    return (
        max(total.top, total.bottom) <= (window.rows.taps - 1) * window.rows.dilation
        and max(total.left, total.right) <= (window.columns.taps - 1) * window.columns.dilation
    )


def _with_borders_of(window: Window, pads: Pads) -> Pads:
    """The pads together with what the convolution adds itself."""
    return Pads(
        top=pads.top + window.rows.pad_before,
        bottom=pads.bottom + window.rows.pad_after,
        left=pads.left + window.columns.pad_before,
        right=pads.right + window.columns.pad_after,
    )


def _fold(graph: Graph, pad: Node, readers: tuple[Node, ...], pads: Pads) -> Graph:
    """Let the convolutions read the tensor before the PAD."""
    changed: dict[int, Node | None] = {pad.id: None}
    for reader in readers:
        assert isinstance(reader.attributes, ConvolutionAttributes)
        total = _with_borders_of(convolution_window(operation(graph, reader)), pads)
        attributes = replace(reader.attributes, window=replace(reader.attributes.window, pads=total))
        changed[reader.id] = replace(
            reader,
            inputs=(edges(pad).source, *reader.inputs[1:]),
            attributes=attributes,
            source=pad.source + reader.source,
        )
    return drop_tensor(with_nodes(graph, changed), pad.outputs[0])
