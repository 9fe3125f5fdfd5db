"""Constant-channel elimination: removes channels that hold one value, or that nobody reads.

Training with weight decay leaves channels whose weights are all zero or whose bias drives every value to the same clamp.
Forward range analysis (`ranges`) finds the channels that can hold one value only; their consumers take the value into their
bias; backward demand (`demand`) finds the channels that nothing needs any more. What is left is rebuilt smaller, every
remaining element with the byte it had before.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from tinycompile.ir import (
    Array,
    Change,
    DType,
    Graph,
    Node,
    Part,
    Quantization,
    Tensor,
    next_tensor_id,
    prune,
    with_nodes,
    with_tensors,
)
from tinycompile.ops import operation, operator_of
from tinycompile.passes.channels import ELEMENTWISE, Coupled, Mixing, Role, Sums, channels_of, role_of
from tinycompile.passes.demand import Demand, channel_demand
from tinycompile.passes.ranges import Interval, Ranges, channel_ranges
from tinycompile.quant import wrap_int32

_VIEWS = frozenset({"EXPAND_DIMS", "RESHAPE", "SQUEEZE"})


@dataclass(frozen=True)
class EliminateConstantChannels:
    """The pass. Each operator that loses channels leaves a `Change` in the graph that says how many and why.

    `multiple` keeps a few more channels than are needed, where kernels take several channels in one step.
    """

    name: ClassVar[str] = "eliminate_constant_channels"
    multiple: int = 1

    def run(self, graph: Graph) -> Graph:
        """Analyse the whole graph once, then rebuild every tensor and operator that loses channels."""
        roles = {node.id: role_of(graph, node) for node in graph.nodes}
        ranges = channel_ranges(graph, roles)
        demand = channel_demand(graph, roles, ranges, self.multiple)
        if all(needed.all() for needed in demand.values()):
            return graph
        analysis = _Analysis(roles, ranges, demand)
        smaller = prune(_rebuild(graph, analysis))
        return replace(smaller, changes=graph.changes + _changes(graph, smaller, analysis))


@dataclass(frozen=True, eq=False)
class _Analysis:
    roles: Mapping[int, Role]
    ranges: Ranges
    demand: Demand

    def kept(self, tensor: Tensor) -> Array:
        """Indices of the channels that stay."""
        return np.flatnonzero(self.demand[tensor.id])

    def loses(self, tensor: Tensor) -> bool:
        """True when some channels go and some stay; a tensor that loses all is pruned with its operator."""
        needed = self.demand.get(tensor.id)
        return needed is not None and not needed.all() and bool(needed.any())


def _rebuild(graph: Graph, analysis: _Analysis) -> Graph:
    smaller = with_tensors(
        graph, [_take(t, analysis.kept(t)) for t in graph.tensors.values() if analysis.loses(t)]
    )
    for node in graph.nodes:
        if not analysis.demand[node.outputs[0]].any():
            continue
        touched = [*graph.activations(node), *graph.results(node)]
        folds = isinstance(analysis.roles[node.id], Mixing) and not analysis.demand[touched[0].id].all()
        if folds or any(analysis.loses(tensor) for tensor in touched):
            smaller = _shrink(graph, smaller, node, analysis)
    return smaller


def _take(tensor: Tensor, channels: Array) -> Tensor:
    """The tensor with some of its channels (indices on the last axis)."""
    part = tensor.part
    if tensor.source is not None:
        part = Part(tensor.source, tuple(channels.tolist()))
    elif part is not None:
        part = Part(part.source, tuple(part.channels[c] for c in channels.tolist()))
    return replace(tensor, shape=(*tensor.shape[:-1], channels.size), source=None, part=part)


def _shrink(graph: Graph, smaller: Graph, node: Node, analysis: _Analysis) -> Graph:
    """Rebuild the constant operands of one operator, whose activations have lost channels."""
    constants = _constants(graph, node, analysis)
    inputs = list(node.inputs)
    for index, tensor in constants.items():
        new = replace(tensor, id=next_tensor_id(smaller))
        smaller = with_tensors(smaller, [new])
        inputs += [None] * (index + 1 - len(inputs))
        inputs[index] = new.id
    if node.kind in _VIEWS:
        inputs = inputs[:1]  # the output's shape says it all
    return with_nodes(smaller, {node.id: replace(node, inputs=tuple(inputs))})


def _constants(graph: Graph, node: Node, analysis: _Analysis) -> dict[int, Tensor]:
    """The constant operands that change, by operand index."""
    role, output = analysis.roles[node.id], analysis.kept(graph.tensors[node.outputs[0]])
    if isinstance(role, Mixing):
        source = graph.tensor(node.inputs[0])
        bias = role.sums.bias + _folded(
            role.sums, analysis.ranges[source.id], analysis.demand[source.id], source
        )
        weights = _sliced_weights(
            graph.tensor(node.inputs[1]), output, analysis.kept(source), channels_of(source)
        )
        return {1: weights} | _sliced_bias(graph, node, bias, output)
    if isinstance(role, Coupled) and role.sums is not None:
        weights = graph.tensor(node.inputs[1])
        sliced = _constant(weights, weights.values[..., output], output)
        return {1: sliced} | _sliced_bias(graph, node, role.sums.bias, output)
    if node.kind in ELEMENTWISE:
        operands = enumerate(graph.operands(node))
        return {
            index: _constant(tensor, tensor.values[..., output], None)
            for index, tensor in operands
            if tensor is not None and tensor.is_constant and channels_of(tensor) > 1
        }
    return {}


def _folded(sums: Sums, interval: Interval, needed: Array, source: Tensor) -> Array:
    """What the removed channels add to each accumulator: their only value, or nothing where no weight reads them."""
    values = np.where(interval.is_constant & ~needed, interval.low - source.zero_point, 0)
    result: Array = (sums.weights.sum(axis=1) * values).sum(axis=1)
    return result


def _sliced_weights(weights: Tensor, outputs: Array, kept: Array, channels: int) -> Tensor:
    """Weights [outputs, ..., depth] of a weighted sum; depth counts the input's channels once or several times."""
    columns = np.isin(np.arange(weights.shape[-1]) % channels, kept)
    return _constant(weights, weights.values[outputs][..., columns], outputs)


def _sliced_bias(graph: Graph, node: Node, bias: Array, outputs: Array) -> dict[int, Tensor]:
    """The bias as operand 2. It wraps as the accumulator does; one that was absent appears only when it has something to add."""
    given = graph.operands(node)[2] if len(node.inputs) > 2 else None
    values = wrap_int32(bias).astype(np.int32)
    if given is None and not values.any():
        return {}
    template = given or Tensor(-1, f"{node.name}/bias", values.shape, DType.INT32, data=values)
    return {2: _constant(template, values[outputs], outputs)}


def _constant(tensor: Tensor, values: Array, channels: Array | None) -> Tensor:
    """A constant like `tensor` with other values; `channels` are those that are left of a per-channel quantization."""
    values = np.ascontiguousarray(values)
    values.setflags(write=False)
    quantization = tensor.quantization
    if quantization is not None and quantization.per_channel and channels is not None:
        quantization = Quantization(
            tuple(quantization.scales[c] for c in channels.tolist()),
            tuple(quantization.zero_points[c] for c in channels.tolist()),
            quantization.axis,
        )
    return replace(tensor, shape=values.shape, data=values, quantization=quantization, source=None, part=None)


def _changes(before: Graph, after: Graph, analysis: _Analysis) -> tuple[Change, ...]:
    """One record for each operator that lost channels, multiplications or weights."""
    left = {node.id: node for node in after.nodes}
    found = []
    for node in before.nodes:
        macs = _macs(before, node) - (_macs(after, left[node.id]) if node.id in left else 0)
        weights = _weight_bytes(before, node) - (
            _weight_bytes(after, left[node.id]) if node.id in left else 0
        )
        removed = int((~analysis.demand[node.outputs[0]]).sum())
        if removed or macs or weights:
            text = _why(before, node, analysis)
            found.append(Change(EliminateConstantChannels.name, node.place, text, removed, macs, weights))
    return tuple(found)


def _macs(graph: Graph, node: Node) -> int:
    return operator_of(node).macs(operation(graph, node))


def _weight_bytes(graph: Graph, node: Node) -> int:
    return sum(tensor.bytes for tensor in graph.operands(node) if tensor is not None and tensor.is_constant)


def _why(graph: Graph, node: Node, analysis: _Analysis) -> str:
    """The proof in words: how many output channels hold one value and why, how many nobody reads."""
    tensor, role = graph.tensors[node.outputs[0]], analysis.roles[node.id]
    removed = ~analysis.demand[tensor.id]
    if not removed.any():
        return "reads fewer input channels"
    interval = analysis.ranges.get(tensor.id)  # there is none of bool
    constant = removed & (False if interval is None else interval.is_constant)
    parts = [f"{int(removed.sum())} of {removed.size} channels removed"]
    sums = role.sums if isinstance(role, Mixing | Coupled) else None
    if sums is not None:
        no_weights = constant & ~(sums.weights != 0).any(axis=(1, 2))
        parts += _counted(no_weights, "have only zero weights")
        parts += _counted(constant & ~no_weights, "hold one value for every input")
    else:
        parts += _counted(constant, "hold one value for every input")
    parts += _counted(removed & ~constant, "are not read")
    return ", ".join(parts)


def _counted(channels: Array, what: str) -> list[str]:
    return [f"{int(channels.sum())} {what}"] if channels.any() else []
