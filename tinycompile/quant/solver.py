"""Requantization in two or three instructions, with a proof for every channel.

TFLite scales an accumulator `a` by a multiplier m * 2**-(31 + e) with two roundings (see `multiplier.py`). On cores with the
DSP extension the kernels compute, with 64-bit products and one rounding,

    x = SMMLAR(s * a + n, M, C)     = ((s * a + n) * M + C * 2**32 + 2**31) >> 32
    y = SSAT(x >> E, 8 bits)

where `s` is what weights and bias were multiplied by (a power of two, for some kernels times a factor of their own), `n` is
added to the bias, and `M`, `C`, `E` are constants.
Both functions grow with `a`, so they are equal when they reach each output value at the same accumulator: at most 255
thresholds for each channel, all of which are compared. Only accumulators that the weights can reach count, and only
thresholds between the clamps of the activation.

Three forms are tried, the cheapest first:

* common shift: one `E` for all channels, found by placing the offset `n * M + C * 2**32 + 2**31` in the interval that the
  thresholds leave to it. This is possible when no output below the zero point is told apart (RELU): there the reference
  rounds ties down, above up, and no line does both;
* half away, common shift: `C + (a >> 31)` in place of `C`, which is the reference's rounding itself, if all channels have the
  same `e`;
* the same forms with a shift for each channel: `s` = 2, `M` = m, `C` = (zero_point << e) + (1 << (e - 1)).
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinycompile.quant.multiplier import Multiplier, requantize

Integers = NDArray[Any]
"""int64, or Python's int (dtype object) where 64 bits are not enough."""

_LARGEST_COMMON_SHIFT = 22
_OFFSET_TRIES = 1 << 14
_MULTIPLIER_TRIES = (
    0,
    1,
    -1,
    2,
    -2,
    3,
    -3,
    5,
    -5,
    8,
    -8,
    13,
    -13,
    21,
    -21,
    34,
    -34,
    55,
    -55,
    89,
    -89,
    144,
    -144,
)
_SHIFT_TRIES = 4


@dataclass(frozen=True, eq=False)
class Accumulators:
    """The accumulators of a layer's channels: int64 arrays [channels], before any scaling.

    Weights and accumulators can be multiplied by `least_scale` times a power of two, up to `largest_scale`, which is one of
    these; `fixed_scale` says that the kernel needs exactly the largest. Limits are given less `origin`, which is 0 but for
    channels whose output never changes: their accumulators do not count, however large.
    """

    least: Integers
    greatest: Integers
    largest_scale: Integers
    fixed_scale: bool = False
    least_scale: int = 1
    origin: Integers | int = 0


@dataclass(frozen=True, eq=False)
class Requantization:
    """Constants for SMMLAR and SSAT of all channels of a layer; arrays int64 [channels].

    `shift` is the common shift, None when each channel has its own in `shifts`. `half_away` adds the sign of the accumulator
    to `constant`. `low` and `high` are the clamps that remain to be applied after saturation to int8 (None: none).
    """

    scale: Integers
    offset: Integers
    multiplier: Integers
    constant: Integers
    shifts: Integers
    shift: int | None
    half_away: bool
    low: int | None = None
    high: int | None = None

    def apply(self, accumulator: Any) -> Any:
        """What the instructions compute of int64 accumulators [..., channels]: the model of the kernels, for proofs and tests."""
        scaled = accumulator * self.scale + self.offset
        constant = self.constant - (scaled < 0) if self.half_away else self.constant
        high_word = ((scaled * self.multiplier + (1 << 31)) >> 32) + constant
        shifted = high_word >> self.shifts
        least = -128 if self.low is None else self.low
        greatest = 127 if self.high is None else self.high
        return np.clip(np.clip(shifted, -128, 127), least, greatest)


@dataclass(frozen=True, eq=False)
class _Layer:
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

    def reference(self, accumulator: Integers) -> Integers:
        """Exact outputs of accumulators [..., channels]."""
        scaled = requantize(accumulator + self.accumulators.origin, self.multipliers) + self.zero_point
        return np.clip(scaled, self.low, self.high)


def solve(
    accumulators: Accumulators,
    multipliers: tuple[Multiplier, ...],
    zero_point: int,
    low: int,
    high: int,
    closed: bool = False,
) -> Requantization | None:
    """Find constants for all channels of a layer, or None when the general sequence is needed.

    `low` and `high` are the clamps of the output; multipliers has one element for each channel. `closed`: only the forms in
    which every channel that is not constant has scale 2 and no offset.
    """
    layer = _layer(accumulators, multipliers, zero_point, low, high)
    rest_low, rest_high = _remaining_clamps(layer)
    for form in (_common_line, _half_away, _own_line, _half_away_own):
        found = None if closed and form is _common_line else form(layer)
        if found is not None:
            result = Requantization(**found, low=rest_low, high=rest_high)
            if is_exact(result, layer):
                return result
    return None


def is_exact(found: Requantization, layer: _Layer) -> bool:
    """True when the instructions are right for all channels."""
    return bool(_exact_channels(found, layer).all())


def _exact_channels(found: Requantization, layer: _Layer) -> NDArray[np.bool_]:
    """Compare at both sides of every threshold in reach, and at both ends: a proof, since both functions are monotone."""
    ends = np.stack([layer.accumulators.least, layer.accumulators.greatest])
    fill = layer.accumulators.least[:, None]
    at = np.where(layer.reached, layer.first, fill).T
    below = np.where(layer.reached, layer.first - 1, fill).T
    points = np.concatenate([ends, at, below])
    scaled = points * found.scale + found.offset
    fits = ((scaled >= -(1 << 31)) & (scaled < 1 << 31)).all(axis=0)
    words = np.stack([found.multiplier, found.constant])
    fits &= (found.multiplier >= 0) & (abs(words) < 1 << 31).all(axis=0)
    exact: NDArray[np.bool_] = fits & (found.apply(points) == layer.reference(points)).all(axis=0)
    return exact


def _layer(
    accumulators: Accumulators, multipliers: tuple[Multiplier, ...], zero_point: int, low: int, high: int
) -> _Layer:
    shifts = [m.shift for m in multipliers]
    wide = min(shifts) < -_LARGEST_COMMON_SHIFT or max(shifts) > 0
    kind: Any = object if wide else np.int64
    value = np.array([m.value for m in multipliers], kind)
    right = np.array([max(-s, 0) for s in shifts], kind)
    left = np.array([max(s, 0) for s in shifts], kind)
    outputs = np.arange(low + 1, high + 1).astype(kind)
    above = outputs[None, :] - zero_point
    power = np.array([1 << int(e) for e in right], kind)[:, None]
    # RoundingDivideByPOT reaches `above` at this value: ties go away from zero.
    reaching = above * power - power // 2 + ((above <= 0) & (power > 1))
    divisor = (np.maximum(value, 1) * np.array([1 << int(s) for s in left], kind))[:, None]
    origin = np.broadcast_to(np.asarray(accumulators.origin), value.shape).astype(kind)
    first = -((-(reaching * (1 << 31) - (1 << 30))) // divisor) - origin[:, None]
    spans = Accumulators(
        accumulators.least.astype(kind),
        accumulators.greatest.astype(kind),
        accumulators.largest_scale.astype(kind),
        accumulators.fixed_scale,
        accumulators.least_scale,
        origin,
    )
    reached = (spans.least[:, None] < first) & (first <= spans.greatest[:, None]) & (value > 0)[:, None]
    return _Layer(
        spans, multipliers, zero_point, low, high, value, right, left, outputs, first, reached.astype(bool)
    )


def _remaining_clamps(layer: _Layer) -> tuple[int | None, int | None]:
    """Clamps that saturation to int8 does not make."""
    return (layer.low if layer.low > -128 else None), (layer.high if layer.high < 127 else None)


def _common_line(layer: _Layer) -> dict[str, Any] | None:
    """One shift for all channels and a line through the intervals of all thresholds."""
    below_zero_point = layer.reached & (layer.outputs <= layer.zero_point)[None, :]
    if (below_zero_point.sum(axis=1) > 1).any():  # one threshold can be matched by a line, more hardly ever
        return None
    live = layer.reached.any(axis=1)
    exponents = np.array([int(s).bit_length() - 1 for s in layer.accumulators.largest_scale])
    room = layer.right - layer.left - 1 + exponents
    largest = int(min(room[live], default=8))
    for shift in range(min(largest, _LARGEST_COMMON_SHIFT), max(largest - _SHIFT_TRIES, 0), -1):
        found = _line(layer, shift, live)
        if found is not None:
            return found
    return None


def _line(layer: _Layer, shift: int, live: NDArray[np.bool_]) -> dict[str, Any] | None:
    """Constants of all channels for one common shift."""
    channels = len(layer.value)
    scale, product = _slopes(layer, shift)
    multiplier, offset = np.zeros_like(layer.value), np.zeros_like(layer.value)
    constant = layer.reference(layer.accumulators.least[None, :])[0].astype(layer.value.dtype) << shift
    open_channels = np.flatnonzero(live)
    for step in _MULTIPLIER_TRIES:
        if not len(open_channels):
            break
        solved = _offsets(layer, open_channels, product[open_channels] + step, scale[open_channels], shift)
        for channel, (m, n, c) in solved.items():
            multiplier[channel], offset[channel], constant[channel] = m, n, c
        open_channels = np.array([c for c in open_channels if c not in solved], int)
    if len(open_channels):
        return None
    return {
        "scale": scale, "offset": offset, "multiplier": multiplier, "constant": constant,
        "shifts": np.full(channels, shift), "shift": shift, "half_away": False,
    }  # fmt: skip


def _slopes(layer: _Layer, shift: int) -> tuple[Integers, Integers]:
    """Scale and multiplier of each channel whose product is the slope m * 2**(1 + shift - e), nearest."""
    scale, product = layer.accumulators.largest_scale.copy(), np.zeros_like(layer.value)
    for channel in range(len(layer.value)):
        exponent = 1 + shift - int(layer.right[channel]) + int(layer.left[channel])
        if not layer.accumulators.fixed_scale:
            scale[channel] = min(int(scale[channel]), _scale_from(1 << max(exponent, 0), layer))
        numerator = int(layer.value[channel]) << (exponent + 64)
        product[channel] = min((numerator // int(scale[channel]) + (1 << 63)) >> 64, (1 << 31) - 1)
    return scale, product


def _scale_from(wanted: int, layer: _Layer) -> int:
    """The least possible scale that is not below the one wanted."""
    scale = layer.accumulators.least_scale
    while scale < wanted:
        scale *= 2
    return scale


def _offsets(
    layer: _Layer, channels: Integers, multiplier: Integers, scale: Integers, shift: int
) -> dict[int, tuple[int, int, int]]:
    """Multiplier, offset and constant of the channels for which an offset hits the interval that the thresholds leave."""
    reached, first = layer.reached[channels], layer.first[channels]
    steps = (layer.outputs * (1 << (32 + shift)))[None, :]
    slope = (scale * multiplier)[:, None]
    safe = np.where(reached, first, 0)
    lowest = np.where(reached, steps - slope * safe, -(1 << 62)).max(axis=1)
    highest = np.where(reached, steps - slope * (safe - 1), 1 << 62).min(axis=1) - 1
    found: dict[int, tuple[int, int, int]] = {}
    for row, channel in enumerate(channels):
        low, high, m = int(lowest[row]), int(highest[row]), int(multiplier[row])
        if low > high or not 0 < m < 1 << 31:
            continue
        offset = _offset(low - (1 << 31), high - (1 << 31), m)
        if offset is not None:
            found[int(channel)] = (m, *offset)
    return found


def _offset(low: int, high: int, multiplier: int) -> tuple[int, int] | None:
    """The pair (n, c) with the least absolute n such that low <= n * multiplier + c * 2**32 <= high."""
    if high - low >= (1 << 32) - 1:
        return 0, -((-low) >> 32)
    # Modulo 2**32: n * multiplier must come to lie within `width` above `low`.
    width, base = high - low, low & 0xFFFFFFFF
    for tries in (16, _OFFSET_TRIES):
        n = _SIGNED_COUNT[:tries]
        distance = (n * multiplier - base) & 0xFFFFFFFF
        hit = np.flatnonzero(distance <= width)
        if len(hit):
            best = int(n[hit[0]])
            return best, (low + int(distance[hit[0]]) - best * multiplier) >> 32
    return None


def _half_away(layer: _Layer) -> dict[str, Any] | None:
    """The reference's own rounding with a common shift; all channels that are not constant must have the same shift."""
    live = layer.reached.any(axis=1)
    shifts = set(layer.right[live].tolist()) or {1}
    if len(shifts) > 1:
        return None
    own = _own(layer, half_away=True, default_shift=int(min(shifts)))
    return own if own is None else {**own, "shift": int(min(shifts))}


def _own_line(layer: _Layer) -> dict[str, Any] | None:
    return _own(layer, half_away=False)


def _half_away_own(layer: _Layer) -> dict[str, Any] | None:
    return _own(layer, half_away=True)


def _own(layer: _Layer, half_away: bool, default_shift: int = 8) -> dict[str, Any] | None:
    """Closed form: a scale of 2 (more for factors of 1 and above), the reference's multiplier, shift and rounding constant.

    Where the scale has to be larger, the multiplier is divided: rounded down or up, as the thresholds allow.
    """
    live = layer.reached.any(axis=1)
    kind = layer.value.dtype
    closed = np.array([2 << int(s) for s in layer.left], kind)
    scale = np.array([_scale_from(int(wanted), layer) for wanted in closed], kind)
    if layer.accumulators.fixed_scale or (scale > layer.accumulators.largest_scale).any():
        return None
    shifts = np.where(live, layer.right, default_shift)
    if half_away and (shifts < 1).any():  # there is no tie to break, and nothing may be taken off
        return None
    level = np.where(live, layer.zero_point, layer.reference(layer.accumulators.least[None, :])[0])
    power = np.array([1 << int(e) for e in shifts], kind)
    low, high = _remaining_clamps(layer)
    found = {
        "scale": scale, "offset": np.zeros_like(scale), "multiplier": np.where(live, layer.value * closed // scale, 0),
        "constant": level * power + power // 2, "shifts": shifts, "shift": None, "half_away": half_away,
    }  # fmt: skip
    if (scale != closed).any():
        exact = _exact_channels(Requantization(**found, low=low, high=high), layer)
        found["multiplier"] = found["multiplier"] + (live & ~exact)
    return found


_SIGNED_COUNT: NDArray[np.int64] = (
    (np.arange(_OFFSET_TRIES) + 1) // 2 * np.where(np.arange(_OFFSET_TRIES) % 2, 1, -1)
)
"""0, 1, -1, 2, -2, ..."""
