"""How operators connect the channels of their tensors, which is all that constant-channel elimination knows of an operator.

A channel is an index on the last axis. Two kinds of operator can lose channels:

    Mixing    CONV_2D, FULLY_CONNECTED: every output channel is a weighted sum of all input channels
    Coupled   channels pass through one by one (or in classes): depthwise convolution, ADD, pooling, RESHAPE...

All others are opaque: they need every channel of their operands.
"""

from dataclasses import dataclass

import numpy as np

from tinycompile.ir import Array, DType, Graph, Node, Tensor
from tinycompile.ops import (
    Operation,
    WindowAxis,
    bias_values,
    convolution_attributes,
    convolution_multipliers,
    convolution_window,
    fully_connected_attributes,
    matrix_multipliers,
    operation,
)
from tinycompile.quant import Activation, Multiplier

ELEMENTWISE = frozenset({"ADD", "MAXIMUM", "MINIMUM", "MUL", "SUB"})
"""Operators whose constant operands have channels too."""

_CHANNELWISE = frozenset({"AVERAGE_POOL_2D", "MAX_POOL_2D", "QUANTIZE", "RELU", "RELU6", "RELU_N1_TO_1"})
_VIEWS = frozenset({"EXPAND_DIMS", "RESHAPE", "SQUEEZE"})


@dataclass(frozen=True, eq=False)
class Sums:
    """The weighted sums of a convolution or matrix.

        accumulator[o] = bias[o] + sum over taps t and channels c of weights[o, t, c] * (x[t, c] - zero point)

    `weights` is [outputs, taps, channels] int64, zero point removed; a depthwise convolution has one channel, its own.
    `reaches_over` tells for each tap whether some output reads it outside of the image, where the zero point stands.
    """

    weights: Array
    reaches_over: Array
    bias: Array
    multipliers: tuple[Multiplier, ...]
    activation: Activation


@dataclass(frozen=True, eq=False)
class Mixing:
    """Input and output channels are independent of each other."""

    sums: Sums


@dataclass(frozen=True, eq=False)
class Coupled:
    """Channels with equal labels stay or go together. `inputs` has labels for each activation operand."""

    inputs: tuple[Array, ...]
    output: Array
    sums: Sums | None = None
    """Set for a depthwise convolution."""


Role = Mixing | Coupled | None


def channels_of(tensor: Tensor) -> int:
    """Extent of the last axis; 1 for a scalar."""
    return tensor.shape[-1] if tensor.shape else 1


def role_of(graph: Graph, node: Node) -> Role:
    """How this operator connects channels; None when it is opaque."""
    if len(node.outputs) != 1 or any(tensor.dtype is not DType.INT8 for tensor in _flow(graph, node)):
        return None
    found = operation(graph, node)
    if node.kind == "CONV_2D":
        return _convolution(found)
    if node.kind == "FULLY_CONNECTED":
        return _matrix(found)
    if node.kind == "DEPTHWISE_CONV_2D":
        return _depthwise(found)
    if node.kind in _VIEWS:
        return _view(found)
    return _channelwise(graph, node) if _keeps_channels(found) else None


def _flow(graph: Graph, node: Node) -> list[Tensor]:
    return [*graph.activations(node), *graph.results(node)]


def _convolution(found: Operation) -> Role:
    weights = found.input(1).values.astype(np.int64)
    outputs, rows, columns, depth = weights.shape
    if depth != channels_of(found.input(0)):  # several groups
        return None
    sums = Sums(
        weights.reshape(outputs, rows * columns, depth),
        _reaches_over(found),
        bias_values(found, outputs),
        convolution_multipliers(found, outputs),
        convolution_attributes(found).activation,
    )
    return Mixing(sums)


def _depthwise(found: Operation) -> Role:
    weights = found.input(1).values.astype(np.int64)
    _, rows, columns, outputs = weights.shape
    sums = Sums(
        weights.reshape(rows * columns, outputs).T[:, :, None],
        _reaches_over(found),
        bias_values(found, outputs),
        convolution_multipliers(found, outputs),
        convolution_attributes(found).activation,
    )
    channels = channels_of(found.input(0))
    return Coupled((np.arange(channels),), np.arange(outputs) // (outputs // channels), sums)


def _matrix(found: Operation) -> Role:
    weights = found.input(1).values.astype(np.int64) - found.input(1).zero_point
    (outputs, depth), channels = weights.shape, channels_of(found.input(0))
    if depth % channels:
        return None
    sums = Sums(
        weights.reshape(outputs, depth // channels, channels),
        np.zeros(depth // channels, bool),
        bias_values(found, outputs),
        matrix_multipliers(found, outputs),
        fully_connected_attributes(found).activation,
    )
    return Mixing(sums)


def _reaches_over(found: Operation) -> Array:
    """For each tap, in row-major order, whether an output exists that reads it outside of the image."""
    window = convolution_window(found)
    result: Array = np.logical_or.outer(
        _axis_reaches_over(window.rows), _axis_reaches_over(window.columns)
    ).reshape(-1)
    return result


def _axis_reaches_over(axis: WindowAxis) -> Array:
    taps = np.arange(axis.taps) * axis.dilation - axis.pad_before
    return (taps < 0) | (taps + (axis.out_extent - 1) * axis.stride >= axis.in_extent)


def _view(found: Operation) -> Role:
    """Row-major storage: when one extent divides the other, both count the same channels, several times over."""
    before, after = channels_of(found.input(0)), channels_of(found.output)
    common = min(before, after)
    if max(before, after) % common:
        return None
    return Coupled((np.arange(before) % common,), np.arange(after) % common)


def _keeps_channels(found: Operation) -> bool:
    """True when each output channel depends on the same channel of every operand alone."""
    kind = found.node.kind
    if kind in _CHANNELWISE or kind in ELEMENTWISE:
        return True
    if kind in ("PAD", "PADV2"):
        return not found.input(1).values.reshape(-1, 2)[-1].any()
    if kind == "MEAN":
        rank = len(found.input(0).shape)
        return all(int(axis) % rank != rank - 1 for axis in found.input(1).values.reshape(-1))
    return False


def _channelwise(graph: Graph, node: Node) -> Role:
    labels = np.arange(channels_of(graph.tensors[node.outputs[0]]))
    operands = list(graph.activations(node))
    if any(channels_of(tensor) != labels.size for tensor in operands):  # broadcast along channels
        return None
    return Coupled(tuple(labels for _ in operands), labels)
