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

Four forms are tried, the cheapest first:

* common shift, and the same C for all channels, mostly 0: the bias places the line (`bias_line.py`);
* common shift: one `E` for all channels, found by placing the offset `n * M + C * 2**32 + 2**31` in the interval that the
  thresholds leave to it. This is possible when no output below the zero point is told apart (RELU): there the reference
  rounds ties down, above up, and no line does both;
* half away, common shift: `C + (a >> 31)` in place of `C`, which is the reference's rounding itself, if all channels have the
  same `e`;
* the same forms with a shift for each channel: `s` = 2, `M` = m, `C` = (zero_point << e) + (1 << (e - 1)).
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinycompile.quant.bias_line import bias_line
from tinycompile.quant.multiplier import Multiplier
from tinycompile.quant.thresholds import (
    LARGEST_COMMON_SHIFT,
    Accumulators,
    Integers,
    Layer,
    Requantization,
    exact_channels,
    is_exact,
    largest_shift,
    layer_of,
    remaining_clamps,
)

_Form = Callable[[Layer], dict[str, Any] | None]

_OFFSET_TRIES = 1 << 14
_MULTIPLIER_TRIES = (
    0, 1, -1, 2, -2, 3, -3, 5, -5, 8, -8,
    13, -13, 21, -21, 34, -34, 55, -55, 89, -89, 144, -144,
)  # fmt: skip
_SHIFT_TRIES = 4


def solve(
    accumulators: Accumulators,
    multipliers: tuple[Multiplier, ...],
    zero_point: int,
    low: int,
    high: int,
    closed: bool = False,
    levels: tuple[int, ...] = (0,),
) -> Requantization | None:
    """Find constants for all channels of a layer, or None when the general sequence is needed.

    `low` and `high` are the clamps of the output; multipliers has one element for each channel. `closed`: only the forms in
    which every channel that is not constant has scale 2 and no offset. `levels`: what one constant for all channels may add to
    outputs; with 0 it is not needed.
    """
    layer = layer_of(accumulators, multipliers, zero_point, low, high)
    rest_low, rest_high = remaining_clamps(layer)
    lines: list[_Form] = (
        [] if closed else [*(partial(_bias_line, level=level) for level in levels), _common_line]
    )
    for form in (*lines, _half_away, _own_line, _half_away_own):
        found = form(layer)
        if found is not None:
            result = Requantization(**found, low=rest_low, high=rest_high)
            if is_exact(result, layer):
                return result
    return None


def _bias_line(layer: Layer, level: int) -> dict[str, Any] | None:
    """A line whose constant is that of a level, for all channels."""
    return None if _needs_both_ties(layer) else bias_line(layer, level)


def _needs_both_ties(layer: Layer) -> bool:
    """True when outputs below the zero point are told apart: one threshold can be matched by a line, more hardly ever."""
    below_zero_point = layer.reached & (layer.outputs <= layer.zero_point)[None, :]
    return bool((below_zero_point.sum(axis=1) > 1).any())


def _common_line(layer: Layer) -> dict[str, Any] | None:
    """One shift for all channels and a line through the intervals of all thresholds."""
    if _needs_both_ties(layer):
        return None
    live, largest = layer.reached.any(axis=1), largest_shift(layer)
    for shift in range(min(largest, LARGEST_COMMON_SHIFT), max(largest - _SHIFT_TRIES, 0), -1):
        found = _line(layer, shift, live)
        if found is not None:
            return found
    return None


def _line(layer: Layer, shift: int, live: NDArray[np.bool_]) -> dict[str, Any] | None:
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


def _slopes(layer: Layer, shift: int) -> tuple[Integers, Integers]:
    """Scale and multiplier of each channel whose product is the slope m * 2**(1 + shift - e), nearest."""
    scale, product = layer.accumulators.largest_scale.copy(), np.zeros_like(layer.value)
    for channel in range(len(layer.value)):
        exponent = 1 + shift - int(layer.right[channel]) + int(layer.left[channel])
        if not layer.accumulators.fixed_scale:
            scale[channel] = min(int(scale[channel]), _scale_from(1 << max(exponent, 0), layer))
    scale = scale.reshape(-1, layer.accumulators.together).max(axis=1).repeat(layer.accumulators.together)
    for channel in range(len(layer.value)):
        exponent = 1 + shift - int(layer.right[channel]) + int(layer.left[channel])
        numerator = int(layer.value[channel]) << (exponent + 64)
        product[channel] = min((numerator // int(scale[channel]) + (1 << 63)) >> 64, (1 << 31) - 1)
    return scale, product


def _scale_from(wanted: int, layer: Layer) -> int:
    """The least possible scale that is not below the one wanted."""
    scale = layer.accumulators.least_scale
    while scale < wanted:
        scale *= 2
    return scale


def _offsets(
    layer: Layer, channels: Integers, multiplier: Integers, scale: Integers, shift: int
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


def _half_away(layer: Layer) -> dict[str, Any] | None:
    """The reference's own rounding with a common shift; all channels that are not constant must have the same shift."""
    live = layer.reached.any(axis=1)
    shifts = set(layer.right[live].tolist()) or {1}
    if len(shifts) > 1:
        return None
    own = _own(layer, half_away=True, default_shift=int(min(shifts)))
    return own if own is None else {**own, "shift": int(min(shifts))}


def _own_line(layer: Layer) -> dict[str, Any] | None:
    return _own(layer, half_away=False)


def _half_away_own(layer: Layer) -> dict[str, Any] | None:
    return _own(layer, half_away=True)


def _own(layer: Layer, half_away: bool, default_shift: int = 8) -> dict[str, Any] | None:
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
    low, high = remaining_clamps(layer)
    found = {
        "scale": scale, "offset": np.zeros_like(scale), "multiplier": np.where(live, layer.value * closed // scale, 0),
        "constant": level * power + power // 2, "shifts": shifts, "shift": None, "half_away": half_away,
    }  # fmt: skip
    if (scale != closed).any():
        exact = exact_channels(Requantization(**found, low=low, high=high), layer)
        found["multiplier"] = found["multiplier"] + (live & ~exact)
    return found


_SIGNED_COUNT: NDArray[np.int64] = (
    (np.arange(_OFFSET_TRIES) + 1) // 2 * np.where(np.arange(_OFFSET_TRIES) % 2, 1, -1)
)
"""0, 1, -1, 2, -2, ..."""
