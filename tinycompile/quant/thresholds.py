"""What short requantization sequences are held against: the accumulators at which the reference reaches each output value.

See `solver.py`, which finds the sequences.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinycompile.quant.multiplier import Multiplier, requantize

Integers = NDArray[Any]
"""int64."""

LARGEST_COMMON_SHIFT = 22
"""Lines of layers with larger common shifts may need more than 64 bits."""

_PART = 64
"""Channels that are compared at a time: their points fit the cache."""


@dataclass(frozen=True, eq=False)
class Accumulators:
    """The accumulators of a layer's channels: int64 arrays [channels], before any scaling.

    Weights and accumulators can be multiplied by `least_scale` times a power of two, up to `largest_scale`, which is one of
    these; `fixed_scale` says that the kernel needs exactly the largest, `whole_offsets` that what is added to them must be a
    multiple of the scale. Limits are given less `origin`, which is 0 but for channels whose output never changes: their
    accumulators do not count, however large.
    """

    least: Integers
    greatest: Integers
    largest_scale: Integers
    fixed_scale: bool = False
    least_scale: int = 1
    origin: Integers | int = 0
    whole_offsets: bool = False


@dataclass(frozen=True, eq=False)
class Requantization:
    """Constants for SMMLAR and SSAT of all channels of a layer; arrays int64 [channels].

    `shift` is the common shift, None when each channel has its own in `shifts`. `half_away` adds the sign of the accumulator
    to `constant`. `bias_alone`: there is none. `low` and `high` are the clamps that remain to be applied
    after saturation to int8 (None: none).
    """

    scale: Integers
    offset: Integers
    multiplier: Integers
    constant: Integers
    shifts: Integers
    shift: int | None
    half_away: bool
    bias_alone: bool = False
    low: int | None = None
    high: int | None = None

    def apply(self, accumulator: Any, part: slice = slice(None)) -> Any:
        """What the instructions compute of int64 accumulators [..., channels]: the model of the kernels, for proofs and tests.

        With a `part` they are those of some channels.
        """
        scaled = accumulator * self.scale[part] + self.offset[part]
        constant = self.constant[part] - (scaled < 0) if self.half_away else self.constant[part]
        high_word = ((scaled * self.multiplier[part] + (1 << 31)) >> 32) + constant
        shifted = high_word >> self.shifts[part]
        # SSAT saturates to int8, then the clamps that remain; they are within int8.
        return np.clip(
            shifted, -128 if self.low is None else self.low, 127 if self.high is None else self.high
        )


@dataclass(frozen=True, eq=False)
class Layer:
    """What is to be matched: the reference function of each channel with its thresholds."""

    accumulators: Accumulators
    multipliers: tuple[Multiplier, ...]
    zero_point: int
    low: int
    high: int
    value: Integers
    right: Integers
    """Right shift e, at least 0."""
    left: Integers
    outputs: Integers
    """Output values t in (low, high], [255 or fewer]."""
    first: Integers
    """First accumulator that reaches output t: [channels, outputs]."""
    reached: NDArray[np.bool_]
    """True where some accumulator is below the threshold and some is not: [channels, outputs]."""

    def reference(self, accumulator: Integers, part: slice = slice(None)) -> Integers:
        """Exact outputs of accumulators [..., channels], with a `part` of those channels."""
        origin = np.broadcast_to(self.accumulators.origin, len(self.multipliers))[part]
        scaled = requantize(accumulator + origin, self.multipliers[part]) + self.zero_point
        return np.clip(scaled, self.low, self.high)


def is_exact(found: Requantization, layer: Layer) -> bool:
    """True when the instructions are right for all channels."""
    return bool(exact_channels(found, layer).all())


def exact_channels(found: Requantization, layer: Layer) -> NDArray[np.bool_]:
    """True for each channel for which the instructions are right.

    Compare at both sides of every threshold in reach, and at both ends: a proof, since both functions are monotone.
    """
    parts = [slice(first, first + _PART) for first in range(0, len(layer.value), _PART)]
    equal = np.concatenate([_equal(found, layer, part) for part in parts])
    words = np.stack([found.multiplier, found.constant])
    exact: NDArray[np.bool_] = equal & (found.multiplier >= 0) & (abs(words) < 1 << 31).all(axis=0)
    return exact


def _equal(found: Requantization, layer: Layer, part: slice) -> NDArray[np.bool_]:
    """True for each of some channels whose instructions compute what the reference does, without leaving int32."""
    least, greatest = layer.accumulators.least[part, None], layer.accumulators.greatest[part, None]
    at = np.where(layer.reached[part], layer.first[part], least)
    points = np.concatenate([least, greatest, at, at - layer.reached[part]], axis=1).T
    scaled = points * found.scale[part] + found.offset[part]
    fits = (scaled.min(axis=0) >= -(1 << 31)) & (scaled.max(axis=0) < 1 << 31)
    equal: NDArray[np.bool_] = fits & (found.apply(points, part) == layer.reference(points, part)).all(axis=0)
    return equal


def layer_of(
    accumulators: Accumulators, multipliers: tuple[Multiplier, ...], zero_point: int, low: int, high: int
) -> Layer:
    """The thresholds of a layer's channels; `low` and `high` are the clamps of its output."""
    value = np.array([m.value for m in multipliers], np.int64)
    shift = np.array([m.shift for m in multipliers], np.int64)
    right, left = np.maximum(-shift, 0), np.maximum(shift, 0)
    outputs = np.arange(low + 1, high + 1, dtype=np.int64)
    above = outputs[None, :] - zero_point
    power = (1 << right)[:, None]
    # RoundingDivideByPOT reaches `above` at this value: ties go away from zero. What is beyond int32 is never reached.
    reaching = above * power - power // 2 + ((above <= 0) & (power > 1))
    reaching = np.clip(reaching, -(1 << 31), 1 << 31)
    divisor = (np.maximum(value, 1) << left)[:, None]
    origin = np.broadcast_to(np.asarray(accumulators.origin), value.shape)[:, None]
    first = -((-(reaching * (1 << 31) - (1 << 30))) // divisor) - origin
    least, greatest = accumulators.least[:, None], accumulators.greatest[:, None]
    reached = (least < first) & (first <= greatest) & (value > 0)[:, None]
    return Layer(
        accumulators, multipliers, zero_point, low, high, value, right, left, outputs, first, reached
    )


def remaining_clamps(layer: Layer) -> tuple[int | None, int | None]:
    """Clamps that saturation to int8 does not make."""
    return (layer.low if layer.low > -128 else None), (layer.high if layer.high < 127 else None)


def largest_shift(layer: Layer) -> int:
    """The largest common shift with which multipliers of all channels that are not constant stay below 2**31."""
    live = layer.reached.any(axis=1)
    exponents = np.frexp(layer.accumulators.largest_scale)[1] - 1
    room = layer.right - layer.left - 1 + exponents
    return int(min(room[live], default=8))
