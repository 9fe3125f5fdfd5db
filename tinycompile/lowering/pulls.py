"""Rows that the stages of a region ask of each other."""

from tinycompile.ir import Graph, Tensor
from tinycompile.ops import Operation, Pattern, operation, operator_of, row_shape
from tinycompile.plan import Region
from tinycompile.program import Pull


def pulls_of(graph: Graph, region: Region, position: int) -> tuple[Pull, ...]:
    """What the operator at `position` asks for before each call of its kernel, in the order that the plan says."""
    nodes = {node.id: node for node in graph.nodes}
    current = operation(graph, nodes[region.nodes[position]])
    pulls = []
    for source in region.pulls[position]:
        written = set(nodes[region.nodes[source]].outputs)
        for index, tensor in enumerate(current.inputs):
            if tensor is not None and (origin := _written_as(graph, tensor)).id in written:
                rows = row_shape(origin.shape)[0]
                if source in region.accumulates:
                    calls = input_rows(operation(graph, nodes[region.nodes[source]]))
                    pulls.append(Pull(source, 0, calls, calls))
                elif position in region.accumulates:
                    pulls.append(Pull(source, 1, 1, rows))
                else:
                    pulls.append(_pull(current, index, tensor, origin, source))
    return tuple(pulls)


def input_rows(current: Operation) -> int:
    """Rows of the only activation of a reduction: it is called once for each."""
    (source,) = (t for t in current.inputs if t is not None and not t.is_constant)
    return row_shape(source.shape)[0]


def _written_as(graph: Graph, tensor: Tensor) -> Tensor:
    """The tensor whose bytes a view shows."""
    producer = graph.producers.get(tensor.id)
    while producer is not None and operator_of(producer).is_view:
        tensor = graph.tensor(producer.inputs[0])
        producer = graph.producers.get(tensor.id)
    return tensor


def _pull(current: Operation, index: int, tensor: Tensor, origin: Tensor, source: int) -> Pull:
    """The rows of one input as a line over the output's rows; a view that cuts rows otherwise needs all of them."""
    access = operator_of(current.node).access(current, index)
    rows = row_shape(origin.shape)[0]
    if row_shape(tensor.shape) == row_shape(origin.shape):
        if access.pattern is Pattern.POINTWISE:
            return Pull(source, 1, 1, rows)
        if access.pattern is Pattern.WINDOW:
            reach = (access.window_rows - 1) * access.dilation - access.pad_before + 1
            return Pull(source, access.stride, reach, rows, access.repeat, access.lead)
    return Pull(source, 0, rows, rows)
