"""Packing for kernels that use the Armv7E-M DSP extension: pairs of int16 for SMLAD, and requantization in four instructions.

Weights of two channels share a stream. For each pair of taps (a, b) one word holds the bytes w0[a], w1[a], w0[b], w1[b] of the
channels 0 and 1: SXTB16 gives (w0[a], w0[b]), SXTB16 with ROR #8 gives (w1[a], w1[b]). Better still, `paired` words hold the
halfwords 256 * w1 + w0: SMLAD on the raw word sums 256 * dot1 + dot0, from which dot0 is taken away at the end.
"""

from dataclasses import dataclass
from itertools import pairwise, permutations

import numpy as np

from tinycompile.assembly.matrix_shape import CHAIN, ChainOrder
from tinycompile.ir import Array
from tinycompile.ops._linear import folded_bias
from tinycompile.quant import Multiplier, requantize

DSP_RUNTIME = ("tc_dsp.h", "tc_requantize.h")
"""Headers that DSP kernels include."""

SCRATCH_LIMIT_BYTES = 2048
"""Scratch that a kernel may ask for."""

_LEAST_WEIGHT = -128

CHAINED_SCALE = 256
"""What dot products of chained weights come times."""

LARGEST_FAST_SHIFT = 22
ACTIVATION_LIMITS = (-128, 127)


@dataclass(frozen=True, eq=False)
class Scaling:
    """How a layer requantizes its dot products.

    mode     `floor` and `exact`: see tc_dsp.h; `general`: tc_requantize
    channels int32 [channels, 4]: doubled bias, multiplier, offset, shift; for `general` bias, multiplier, shift, zero point
    """

    mode: str
    channels: Array
    low: int
    high: int


@dataclass(frozen=True, eq=False)
class Channels:
    """What requantization needs to know of a layer. `weights` is int [channels, taps], `bias` int64 [channels]."""

    weights: Array
    bias: Array
    in_zero_point: int
    multipliers: tuple[Multiplier, ...]
    out_zero_point: int
    low: int
    high: int

    def accumulator_range(self) -> tuple[Array, Array]:
        """Least and greatest accumulator of each channel over all int8 inputs, as int64 without wrapping."""
        weights = self.weights.astype(np.int64)
        positive, negative = np.maximum(weights, 0).sum(axis=1), np.minimum(weights, 0).sum(axis=1)
        bias = self.bias - self.in_zero_point * (positive + negative)
        least, greatest = ACTIVATION_LIMITS
        return bias + positive * least + negative * greatest, bias + positive * greatest + negative * least

    def results(self, accumulators: Array) -> Array:
        """The outputs for int32 accumulators [..., channels], as int64."""
        outputs: Array = requantize(accumulators, self.multipliers) + self.out_zero_point
        return np.clip(outputs, self.low, self.high)


def scaling_of(channels: Channels) -> Scaling:
    """Choose the cheapest requantization that is exact for every channel.

    A channel whose output never changes gets a multiplier of 0 and its value as offset, so that it never stands in the way.
    """
    mode = "floor" if channels.low >= channels.out_zero_point else "exact"
    least, greatest = channels.accumulator_range()
    folded = folded_bias(channels.weights, channels.bias, channels.in_zero_point).astype(np.int64)
    value = np.array([multiplier.value for multiplier in channels.multipliers])
    shift = -np.array([multiplier.shift for multiplier in channels.multipliers])
    wraps = np.minimum(least, -greatest - 1) < -(1 << (31 - np.maximum(-shift, 0)))
    low, high = channels.results(np.stack([least, greatest]))
    constant = low == high
    reach = np.maximum(np.maximum(-least, greatest), abs(folded))
    fast = (shift >= (0 if mode == "floor" else 1)) & (shift <= LARGEST_FAST_SHIFT) & (reach < 1 << 30)
    if wraps.any() or not (constant | fast).all():
        return _scaling(
            "general", channels, folded, value, -shift, np.full_like(value, channels.out_zero_point)
        )
    shift = np.where(constant, 8, shift)
    level = np.where(constant, low, channels.out_zero_point)
    offset = (level << shift) + ((1 << shift) >> 1)
    return _scaling(
        mode, channels, np.where(constant, 0, 2 * folded), np.where(constant, 0, value), offset, shift
    )


def _scaling(mode: str, channels: Channels, *columns: Array) -> Scaling:
    return Scaling(mode, np.stack(columns, axis=1).astype(np.int32), channels.low, channels.high)


def pair_order(run: int) -> list[tuple[int, int | None]]:
    """The pairs of taps that staging makes of `run` contiguous bytes: SXTB16 of each word, then what is left.

    None stands for a half that holds anything; its weight is 0.
    """
    pairs: list[tuple[int, int | None]] = []
    for first in range(0, run - 3, 4):
        pairs += [(first, first + 2), (first + 1, first + 3)]
    rest = run - run % 4
    tails: dict[int, list[tuple[int, int | None]]] = {
        0: [],
        1: [(rest, None)],
        2: [(rest, rest + 1)],
        3: [(rest, rest + 2), (rest + 1, None)],
    }
    return pairs + tails[run % 4]


def paired_halves(run: int, runs: int) -> Array:
    """Index of the tap in each half of each pair, for `runs` runs one after the other: int [pairs, 2], -1 for no tap."""
    one = np.array([(a, -1 if b is None else b) for a, b in pair_order(run)], np.int64)
    return np.concatenate([np.where(one < 0, -1, one + index * run) for index in range(runs)])


def by_pairs(weights: Array, halves: Array) -> Array:
    """Weights [channels, taps] as int64 [channels, pairs, 2]; a half without a tap is 0."""
    padded = np.concatenate([weights.astype(np.int64), np.zeros((len(weights), 1), np.int64)], axis=1)
    taken: Array = padded[:, halves]
    return taken


def may_pair(weights: Array) -> bool:
    """True when 256 * w1 + w0 fits int16 and dot products of the odd channels fit 24 bits, whatever the input."""
    even, odd = weights[0::2].astype(np.int64), weights[1::2].astype(np.int64)
    joined = 256 * odd + even[: len(odd)]
    fits = joined.min(initial=0) >= -(1 << 15) and joined.max(initial=0) < 1 << 15
    reach = 128 * np.abs(odd).sum(axis=1).max(initial=0)
    return bool(fits and reach < 1 << 23)


def chained(values: Array, order: ChainOrder) -> Array:
    """Weights or biases [channels, ...] of whole chains as [sums, ...], of what is no chain times 256.

    See `assembly/matrix_shape.py`.
    """
    if len(values) % CHAIN:
        return CHAINED_SCALE * values
    links = values.reshape(-1, CHAIN, *values.shape[1:])[:, list(order)]
    joined: Array = CHAINED_SCALE * links[:, :-1] + links[:, 1:]
    return joined.reshape(-1, *values.shape[1:])


def chain_order(weights: Array) -> ChainOrder | None:
    """An order in which all chains can have their channels, None if there is none: 256 * w0 + w1 fits int16 for neighbours.

    Only -128 followed by something negative does not fit. `weights` is int8 [channels, taps].
    """
    whole = len(weights) // CHAIN * CHAIN
    links = weights[:whole].reshape(-1, CHAIN, weights.shape[1])
    links = links[(links == _LEAST_WEIGHT).any(axis=(1, 2))]
    least, negative = (links == _LEAST_WEIGHT).astype(np.int64), (links < 0).astype(np.int64)
    meet = np.einsum("git,gjt->ij", least, negative)
    orders = permutations(range(CHAIN))
    return next((order for order in orders if not any(meet[i, j] for i, j in pairwise(order))), None)


def word_of(halves: Array) -> Array:
    """Two int16 [..., 2] in each word."""
    words: Array = (halves[..., 0] & 0xFFFF) | ((halves[..., 1] & 0xFFFF) << 16)
    return words


def joined_words(weights: Array, paired: bool) -> Array:
    """Words of two channels each: [channels, pairs, 2] -> uint32 [channels / 2 rounded up, pairs]."""
    if len(weights) % 2:
        weights = np.concatenate([weights, np.zeros_like(weights[:1])])
    even, odd = weights[0::2], weights[1::2]
    halves = 256 * odd + even if paired else ((odd & 0xFF) << 8) + (even & 0xFF)
    return word_of(halves).astype(np.uint32)


def pack_blocks(weights: Array, paired: bool, block: int) -> Array:
    """Weights [channels, taps] of one contiguous run as a flat stream of words.

    For each block of channels, for each pair of taps, the words of the block's pairs of channels.
    """
    taken = by_pairs(weights, paired_halves(weights.shape[1], 1))
    blocks = [joined_words(taken[first : first + block], paired).T for first in range(0, len(weights), block)]
    return np.concatenate([words.reshape(-1) for words in blocks])
