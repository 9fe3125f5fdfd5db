"""Which channels must a tensor have? The least sets that the graph's outputs need, from the consumers backward.

A channel that holds one value is not needed by a weighted sum: the value goes into the bias. Only where the window reaches
over the border must the value be the zero point, which is what the sum sees there.
"""

from collections.abc import Mapping

import numpy as np

from tinycompile.ir import Array, Graph, Node
from tinycompile.passes.channels import Coupled, Mixing, Role, Sums, channels_of
from tinycompile.passes.ranges import Interval, Ranges

Demand = dict[int, Array]
"""For each activation, by id: which of its channels are needed (bool)."""


def channel_demand(graph: Graph, roles: Mapping[int, Role], ranges: Ranges, multiple: int = 1) -> Demand:
    """Grow the sets from the graph's outputs until nothing changes. Graph inputs, outputs and variables keep all channels.

    A tensor that loses channels keeps a multiple of `multiple`, or all it has.
    """
    demand = {
        tensor.id: np.full(channels_of(tensor), tensor.id in graph.given or tensor.id in graph.kept)
        for tensor in graph.tensors.values()
        if not tensor.is_constant
    }
    _grow(graph, roles, ranges, demand)
    while _feed_sums(graph, roles, demand) or _round_up(demand, multiple):
        _grow(graph, roles, ranges, demand)
    return demand


def _feed_sums(graph: Graph, roles: Mapping[int, Role], demand: Demand) -> bool:
    """Let sums whose operands all went into the bias read one channel still; tells whether there was such a sum."""
    found = False
    for node in graph.nodes:
        if isinstance(roles[node.id], Mixing) and demand[node.outputs[0]].any():
            (source,) = graph.activations(node)
            if not demand[source.id].any():
                demand[source.id][0] = found = True
    return found


def _round_up(demand: Demand, multiple: int) -> bool:
    """Let the first tensor with an odd number of channels keep one more; tells whether there was such a tensor."""
    for needed in demand.values():
        if needed.any() and not needed.all() and needed.sum() % multiple:
            needed[np.flatnonzero(~needed)[0]] = True
            return True
    return False


def _grow(graph: Graph, roles: Mapping[int, Role], ranges: Ranges, demand: Demand) -> None:
    while True:
        before = sum(int(needed.sum()) for needed in demand.values())
        for node in reversed(graph.nodes):
            _propagate(graph, node, roles[node.id], ranges, demand)
        if sum(int(needed.sum()) for needed in demand.values()) == before:
            return


def _propagate(graph: Graph, node: Node, role: Role, ranges: Ranges, demand: Demand) -> None:
    """What the demanded results of one operator demand of its operands (and, where channels are coupled, of its result)."""
    if not any(demand[tensor].any() for tensor in node.outputs):
        return
    operands = [tensor.id for tensor in graph.activations(node)]
    if isinstance(role, Mixing):
        (source,) = operands
        zero_point = graph.tensors[source].zero_point
        demand[source] |= needed_by_sum(role.sums, demand[node.outputs[0]], ranges[source], zero_point)
    elif isinstance(role, Coupled):
        pairs = [(node.outputs[0], role.output), *zip(operands, role.inputs, strict=True)]
        needed = np.unique(np.concatenate([labels[demand[tensor]] for tensor, labels in pairs]))
        for tensor, labels in pairs:
            demand[tensor] |= np.isin(labels, needed)
    else:
        for tensor in (*node.outputs, *operands):
            demand[tensor][:] = True


def needed_by_sum(sums: Sums, outputs: Array, interval: Interval, zero_point: int) -> Array:
    """Input channels that the demanded outputs of a weighted sum cannot do without."""
    used = (sums.weights[outputs] != 0).any(axis=0)  # [taps, channels]
    used_over_border = used[sums.reaches_over].any(axis=0)
    goes_into_bias = interval.is_constant & ((interval.low == zero_point) | ~used_over_border)
    result: Array = used.any(axis=0) & ~goes_into_bias
    return result
