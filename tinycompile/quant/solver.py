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

* common shift and no C: the bias places the line (`bias_line.py`);
* common shift: one `E` for all channels, found by placing the offset `n * M + C * 2**32 + 2**31` in the interval that the
  thresholds leave to it. This is possible when no output below the zero point is told apart (RELU): there the reference
  rounds ties down, above up, and no line does both;
* half away, common shift: `C + (a >> 31)` in place of `C`, which is the reference's rounding itself, if all channels have the
  same `e`;
* the same forms with a shift for each channel: `s` = 2, `M` = m, `C` = (zero_point << e) + (1 << (e - 1)).
"""

from collections.abc import Callable
from itertools import pairwise
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

_OFFSET_TRIES = (0, 16, 256, 2048, 1 << 14)
"""Offsets are tried in these steps: most lines need one of the first."""
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
) -> Requantization | None:
    """Find constants for all channels of a layer, or None when the general sequence is needed.

    `low` and `high` are the clamps of the output; multipliers has one element for each channel. `closed`: only the forms in
    which every channel that is not constant has scale 2 and no offset.
    """
    layer = layer_of(accumulators, multipliers, zero_point, low, high)
    rest_low, rest_high = remaining_clamps(layer)
    lines: list[_Form] = [] if closed else [_bias_line, _common_line]
    for form in (*lines, _half_away, _own_line, _half_away_own):
        found = form(layer)
        if found is not None:
            result = Requantization(**found, low=rest_low, high=rest_high)
            if is_exact(result, layer):
                return result
    return None


def _bias_line(layer: Layer) -> dict[str, Any] | None:
    return None if _needs_both_ties(layer) else bias_line(layer)


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
    scale, product = _slopes(layer, shift)
    multiplier, offset = np.zeros_like(layer.value), np.zeros_like(layer.value)
    constant = layer.reference(layer.accumulators.least[None, :])[0] << shift
    left = np.flatnonzero(live)
    for step in _MULTIPLIER_TRIES:
        if not len(left):
            break
        tried = product[left] + step
        offsets, constants, solved = _offsets(layer, left, tried, scale[left], shift)
        done = left[solved]
        multiplier[done], offset[done], constant[done] = tried[solved], offsets[solved], constants[solved]
        left = left[~solved]
    if len(left):
        return None
    return {
        "scale": scale, "offset": offset, "multiplier": multiplier, "constant": constant,
        "shifts": np.full(len(live), shift), "shift": shift, "half_away": False,
    }  # fmt: skip


def _slopes(layer: Layer, shift: int) -> tuple[Integers, Integers]:
    """Scale and multiplier of each channel whose product is the slope m * 2**(1 + shift - e), nearest."""
    scale = layer.accumulators.largest_scale
    # Slopes of 2**60 and more have no multiplier in any case.
    exponent = np.minimum(1 + shift - layer.right + layer.left, 30)
    up, down = 1 << np.maximum(exponent, 0), 1 << np.maximum(-exponent, 0)
    if not layer.accumulators.fixed_scale:
        scale = np.minimum(scale, _scale_from(up, layer))
    product = (2 * layer.value * up + scale * down) // (2 * scale * down)
    return scale, np.minimum(product, (1 << 31) - 1)


def _scale_from(wanted: Integers, layer: Layer) -> Integers:
    """For each channel the least possible scale that is not below the one wanted."""
    scale = np.full_like(wanted, layer.accumulators.least_scale)
    while (small := scale < wanted).any():
        scale[small] *= 2
    return scale


def _offsets(
    layer: Layer, channels: Integers, multiplier: Integers, scale: Integers, shift: int
) -> tuple[Integers, Integers, NDArray[np.bool_]]:
    """Offset and constant of some channels, and True where they hit the interval that the thresholds leave."""
    reached, first = layer.reached[channels], layer.first[channels]
    steps = (layer.outputs * (1 << (32 + shift)))[None, :]
    slope = (scale * multiplier)[:, None]
    safe = np.where(reached, first, 0)
    lowest = np.where(reached, steps - slope * safe, -(1 << 62)).max(axis=1)
    highest = np.where(reached, steps - slope * (safe - 1), 1 << 62).min(axis=1) - 1
    possible = (lowest <= highest) & (multiplier > 0) & (multiplier < 1 << 31)
    step = scale if layer.accumulators.whole_offsets else np.ones_like(scale)
    offset, constant, found = _least_offsets(
        lowest - (1 << 31), highest - (1 << 31), multiplier * step, possible
    )
    return offset * step, constant, found


def _least_offsets(
    low: Integers, high: Integers, multiplier: Integers, possible: NDArray[np.bool_]
) -> tuple[Integers, Integers, NDArray[np.bool_]]:
    """For each line (n, c) with the least absolute n such that low <= n * multiplier + c * 2**32 <= high, and if there is one."""
    # Modulo 2**32: n * multiplier must come to lie within `width` above `low`.
    factor, base = multiplier.astype(np.uint32), low.astype(np.uint32)
    width = np.minimum(high - low, (1 << 32) - 1).astype(np.uint32)
    offset, beyond, found = np.zeros_like(low), np.zeros_like(low), np.zeros_like(possible)
    left = np.flatnonzero(possible)
    for start, end in pairwise(_OFFSET_TRIES):
        counts = _SIGNED_COUNT[start:end]
        distance = np.multiply.outer(factor[left], counts.astype(np.uint32))
        distance -= base[left, None]
        hits = distance <= width[left, None]
        first, hit = hits.argmax(axis=1), hits.any(axis=1)
        done = left[hit]
        found[done] = True
        offset[done], beyond[done] = counts[first[hit]], distance[hit, first[hit]]
        left = left[~hit]
    return offset, np.right_shift(low + beyond - offset * multiplier, 32), found


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
    closed = 2 << layer.left
    scale = _scale_from(closed, layer)
    if layer.accumulators.fixed_scale or (scale > layer.accumulators.largest_scale).any():
        return None
    shifts = np.where(live, layer.right, default_shift)
    if half_away and (shifts < 1).any():  # there is no tie to break, and nothing may be taken off
        return None
    level = np.where(live, layer.zero_point, layer.reference(layer.accumulators.least[None, :])[0])
    power = 1 << shifts
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
    (np.arange(_OFFSET_TRIES[-1]) + 1) // 2 * np.where(np.arange(_OFFSET_TRIES[-1]) % 2, 1, -1)
)
"""0, 1, -1, 2, -2, ..."""
