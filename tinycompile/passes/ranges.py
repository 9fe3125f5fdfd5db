"""Which values can a channel hold? Intervals of every activation, channel by channel, from the graph's inputs forward.

The intervals are sound: no input makes a channel leave its own. Where the two ends meet, the channel holds one value only.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from tinycompile.ir import Array, Graph, Node, Tensor
from tinycompile.ops import clamps, operation, operator_of
from tinycompile.passes.channels import Coupled, Mixing, Role, Sums, channels_of
from tinycompile.quant import requantize

_MONOTONE = frozenset(
    {
        "ADD", "AVERAGE_POOL_2D", "CONCATENATION", "EXPAND_DIMS", "MAXIMUM", "MAX_POOL_2D", "MEAN", "MINIMUM", "PAD", "PADV2",
        "QUANTIZE", "RELU", "RELU6", "RELU_N1_TO_1", "RESHAPE", "SQUEEZE", "TRANSPOSE",
    }
)  # fmt: skip
"""Operators that never give less for more, in any operand: their reference maps the ends of intervals to ends."""

_INT32 = np.iinfo(np.int32)
_LARGEST_RATIO = 2.0**16
"""Of scales: beyond it a rescaled int8 could leave int32, and the operators above would no longer be monotone."""


@dataclass(frozen=True, eq=False)
class Interval:
    """Least and greatest value of each channel (int64)."""

    low: Array
    high: Array

    @property
    def is_constant(self) -> Array:
        """For each channel, whether it can hold one value only."""
        result: Array = self.low == self.high
        return result


Ranges = Mapping[int, Interval]
"""Interval of each integer tensor, by id; tensors of other types are missing."""


def channel_ranges(graph: Graph, roles: Mapping[int, Role]) -> Ranges:
    """One walk through the graph; `roles` is by node id."""
    found: dict[int, Interval] = {}
    for tensor in graph.tensors.values():
        if tensor.dtype.is_integer:
            found[tensor.id] = _of_constant(tensor) if tensor.is_constant else _of_type(tensor)
    for node in graph.nodes:
        role = roles[node.id]
        sums = role.sums if isinstance(role, Mixing | Coupled) else None
        if sums is not None:
            found[node.outputs[0]] = _of_sums(graph, node, role, sums, found)
        elif node.kind in _MONOTONE and _is_sound(graph, node):
            found[node.outputs[0]] = _of_ends(graph, node, found)
    return found


def _of_type(tensor: Tensor) -> Interval:
    """Anything that the type can hold."""
    low, high = tensor.dtype.limits
    channels = channels_of(tensor)
    return Interval(np.full(channels, low, np.int64), np.full(channels, high, np.int64))


def _of_constant(tensor: Tensor) -> Interval:
    values = tensor.values.reshape(-1, channels_of(tensor)).astype(np.int64)
    return Interval(values.min(axis=0), values.max(axis=0)) if values.size else _of_type(tensor)


def _of_sums(graph: Graph, node: Node, role: Role, sums: Sums, ranges: Ranges) -> Interval:
    """Interval of the accumulator, then of the requantized output; a factor is never negative, so ends map to ends."""
    source, output = graph.tensor(node.inputs[0]), graph.tensors[node.outputs[0]]
    interval = ranges[source.id]
    least, greatest = interval.low - source.zero_point, interval.high - source.zero_point
    if isinstance(role, Coupled):  # each output channel reads its own input channel
        least, greatest = least[role.output][:, None, None], greatest[role.output][:, None, None]
    over = sums.reaches_over[:, None]  # there the operand is the zero point, a difference of 0
    least, greatest = (
        np.where(over, np.minimum(least, 0), least),
        np.where(over, np.maximum(greatest, 0), greatest),
    )
    up, down = np.maximum(sums.weights, 0), np.minimum(sums.weights, 0)
    low = sums.bias + (up * least + down * greatest).sum(axis=(1, 2))
    high = sums.bias + (up * greatest + down * least).sum(axis=(1, 2))

    shifts = np.array([max(multiplier.shift, 0) for multiplier in sums.multipliers])
    fits = (low >= _INT32.min >> shifts) & (high <= _INT32.max >> shifts)
    bounds = clamps(output, sums.activation)
    ends = [
        np.clip(requantize(np.where(fits, end, 0), sums.multipliers) + output.zero_point, *bounds)
        for end in (low, high)
    ]
    return Interval(np.where(fits, ends[0], bounds[0]), np.where(fits, ends[1], bounds[1]))


def _is_sound(graph: Graph, node: Node) -> bool:
    """True when all tensors are integers, with scales that are not absurdly far apart."""
    tensors = [*graph.activations(node), *graph.results(node)]
    if not all(tensor.dtype.is_integer for tensor in tensors):
        return False
    scales = [tensor.quantization.scale for tensor in tensors if tensor.quantization]
    return not scales or max(scales) <= _LARGEST_RATIO * min(scales)


def _of_ends(graph: Graph, node: Node, ranges: Ranges) -> Interval:
    """Evaluate the operator on tensors that hold the least and the greatest value of each channel everywhere."""
    ends = []
    for end in ("low", "high"):
        operands = [
            None
            if tensor is None
            else tensor.data
            if tensor.is_constant
            else _filled(tensor, getattr(ranges[tensor.id], end))
            for tensor in graph.operands(node)
        ]
        (result,) = operator_of(node).evaluate(operation(graph, node), operands)
        ends.append(result.reshape(-1, channels_of(graph.tensors[node.outputs[0]])).astype(np.int64))
    return Interval(ends[0].min(axis=0), ends[1].max(axis=0))


def _filled(tensor: Tensor, channels: Array) -> Array:
    # a scalar has one channel and no dimension
    filled = np.broadcast_to(channels, (*tensor.shape[:-1], len(channels))).reshape(tensor.shape)
    return filled.astype(tensor.dtype.numpy)
