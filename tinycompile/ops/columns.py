"""Operators column by column: the columns of its inputs that some columns of an output need, and the operator of these alone.

Vertical stripes of an image are computed one after the other in this way; where windows overlap, columns are computed twice.
"""

from collections.abc import Mapping
from dataclasses import replace

from tinycompile.ir import Attributes, Graph
from tinycompile.ops._convolution import ConvolutionAttributes, convolution_window
from tinycompile.ops._elementwise import Elementwise
from tinycompile.ops._pooling import PoolAttributes, pool_window
from tinycompile.ops._window import Pads, Window, WindowAxis
from tinycompile.ops.base import Operation
from tinycompile.ops.catalog import operation, operator_of

Columns = tuple[int, int]
"""First column, and the first one after the last."""


def needed_columns(current: Operation, index: int, columns: Columns) -> Columns | None:
    """Columns of input `index` that some columns of the output need; None when the operator does not go by columns."""
    source, output = current.input(index), current.output
    if len(source.shape) != 4 or len(output.shape) != 4:
        return None
    window = _window(current)
    if window is not None and index == 0:
        first, end = _reach(window.columns, columns)
        found = max(first, 0), min(end, source.shape[2])
        return found if found[0] < found[1] else None
    return columns if _is_elementwise(current) and source.shape == output.shape else None


def attributes_of_columns(current: Operation, columns: Columns) -> Attributes:
    """Attributes of the operator that computes some columns of the output, from just the columns that they need."""
    window, attributes = _window(current), current.node.attributes
    if window is None:
        return attributes
    assert isinstance(attributes, ConvolutionAttributes | PoolAttributes)
    first, end = _reach(window.columns, columns)
    pads = Pads(
        top=window.rows.pad_before,
        bottom=window.rows.pad_after,
        left=max(0, -first),
        right=max(0, end - current.input(0).shape[2]),
    )
    return replace(attributes, window=replace(attributes.window, pads=pads))


def columns_before(graph: Graph, tensor: int, columns: Columns) -> Mapping[int, Columns] | None:
    """For each tensor that `tensor` is computed from the columns that some columns of it need, itself included.

    None when some operator on the way has several outputs, a batch, or does not go by columns.
    """
    found: dict[int, Columns] = {tensor: columns}
    for node in reversed(graph.nodes):
        wanted = [t for t in node.outputs if t in found]
        if not wanted:
            continue
        current = operation(graph, node)
        if len(node.outputs) > 1 or current.images != 1 or not _constants_suit(current):
            return None
        for index, source in enumerate(current.inputs):
            if source is not None and not source.is_constant:
                needed = needed_columns(current, index, found[wanted[0]])
                if needed is None:
                    return None
                known = found.get(source.id, needed)
                found[source.id] = min(known[0], needed[0]), max(known[1], needed[1])
    return found


def _window(current: Operation) -> Window | None:
    if isinstance(current.node.attributes, ConvolutionAttributes):
        return convolution_window(current)
    return pool_window(current) if isinstance(current.node.attributes, PoolAttributes) else None


def _reach(axis: WindowAxis, columns: Columns) -> Columns:
    """What the windows of some columns reach, columns outside of the image included."""
    first = columns[0] * axis.stride - axis.pad_before
    return first, (columns[1] - 1) * axis.stride - axis.pad_before + (axis.taps - 1) * axis.dilation + 1


def _is_elementwise(current: Operation) -> bool:
    return isinstance(operator_of(current.node), Elementwise)


def _constants_suit(current: Operation) -> bool:
    """Constant operands of an elementwise operator are the same for every column."""
    constants = [t for t in current.inputs if t is not None and t.is_constant]
    return not _is_elementwise(current) or all(len(t.shape) < 2 or t.shape[-2] == 1 for t in constants)
