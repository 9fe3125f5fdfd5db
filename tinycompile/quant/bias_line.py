"""A line through all thresholds that the bias places: no constant is added.

    x = SMMULR(s * a + n, M)          = ((s * a + n) * M + 2**31) >> 32
    y = SSAT(x >> E, 8 bits)

The line reaches 0 at a = -n / s, so it is placed there in steps of 1 / s accumulator. Up to 255 thresholds leave it about 1/128
of one at the outputs between them, so this needs large scales, as weights of int16 allow them. For a given n the multipliers that
meet all thresholds are an interval: each threshold bounds it from below, the accumulator before it from above.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tinycompile.quant.thresholds import LARGEST_COMMON_SHIFT, Integers, Layer, largest_shift

_SHIFT_TRIES = (0, 2)
"""How much less than possible the common shift is."""

_SCALE_TRIES = 6
"""The largest scale places a line most finely; half of it doubles the multiplier, which tells slopes apart more finely."""

_OFFSET_TRIES = (0, 1, -1, 2, -2)
_LEAST_MULTIPLIER = 1 << 20
"""Smaller ones are too coarse for a slope."""

_LEAST, _GREATEST = -(1 << 62), 1 << 62


class _Placed(NamedTuple):
    """For each of some channels whether a line was found, with its offset and multiplier."""

    found: NDArray[np.bool_]
    offset: Integers
    multiplier: Integers


def bias_line(layer: Layer) -> dict[str, Any] | None:
    """Constants of all channels with a common shift, or None: also where a channel is constant or its scale is fixed."""
    if layer.accumulators.fixed_scale or not layer.reached.any(axis=1).all():
        return None
    largest = min(largest_shift(layer), LARGEST_COMMON_SHIFT)
    for shift in (largest - less for less in _SHIFT_TRIES if largest > less):
        found = _with_shift(layer, shift)
        if found is not None:
            return found
    return None


def _with_shift(layer: Layer, shift: int) -> dict[str, Any] | None:
    """The lines of all channels for one common shift."""
    accumulators, count = layer.accumulators, len(layer.value)
    scale = accumulators.largest_scale.copy()
    offset, multiplier = np.zeros_like(layer.value), np.zeros_like(layer.value)
    left = np.arange(count)
    for _ in range(_SCALE_TRIES):
        placed = _place(layer, left, scale[left], shift)
        done = left[placed.found]
        offset[done], multiplier[done] = placed.offset[placed.found], placed.multiplier[placed.found]
        left = left[~placed.found]
        if not len(left):
            return {
                "scale": scale, "offset": offset, "multiplier": multiplier,
                "constant": np.zeros_like(offset),
                "shifts": np.full(count, shift), "shift": shift, "half_away": False, "bias_alone": True,
            }  # fmt: skip
        scale[left] //= 2
        if (scale[left] < accumulators.least_scale).any():
            return None
    return None


def _place(layer: Layer, channels: Integers, scale: Integers, shift: int) -> _Placed:
    """A line for each of some channels, with the offset nearest to the middle of the room that the nominal slope leaves."""
    power = 1.0 + shift - (layer.right[channels] - layer.left[channels]).astype(np.float64)
    slope = layer.value[channels].astype(np.float64) * 2.0**power
    nominal = slope / scale.astype(np.float64)
    wanted = layer.outputs * (1 << (32 + shift)) - (1 << 31)
    middle = _middles(layer, channels, slope, wanted.astype(np.float64)) / nominal
    middle = np.clip(np.rint(middle), -(1 << 31), 1 << 31).astype(np.int64).astype(layer.value.dtype)
    least, greatest = (
        layer.accumulators.least[channels] * scale,
        layer.accumulators.greatest[channels] * scale,
    )
    placed = _Placed(np.zeros(len(channels), bool), middle.copy(), np.ones_like(middle))
    open_ = np.flatnonzero((nominal >= _LEAST_MULTIPLIER) & (nominal < (1 << 31) - 1))
    for step in _OFFSET_TRIES:
        offset, rows = middle[open_] + step, channels[open_]
        low, high = _multipliers(
            wanted, layer.reached[rows], layer.first[rows], scale[open_, None], offset[:, None]
        )
        fits = (least[open_] + offset >= -(1 << 31)) & (greatest[open_] + offset < 1 << 31)
        new = fits & (low <= high) & (low > 0) & (high < 1 << 31)
        placed.found[open_[new]], placed.offset[open_[new]] = True, offset[new]
        placed.multiplier[open_[new]] = (low + high)[new] // 2
        open_ = open_[~new]
        if not len(open_):
            break
    return placed


def _middles(
    layer: Layer, channels: Integers, slope: NDArray[np.float64], wanted: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Offset times multiplier in the middle of the room that the thresholds leave to a line of some slope."""
    reached, first = layer.reached[channels], layer.first[channels].astype(np.float64)
    lowest = np.where(reached, wanted - slope[:, None] * first, -np.inf).max(axis=1)
    highest = np.where(reached, wanted - slope[:, None] * (first - 1), np.inf).min(axis=1)
    middle: NDArray[np.float64] = (lowest + highest) / 2
    return middle


def _multipliers(
    wanted: Integers, reached: NDArray[np.bool_], first: Integers, scale: Integers, offset: Integers
) -> tuple[Integers, Integers]:
    """Least and greatest M with which M * (scale * a + offset) reaches `wanted` at the first accumulator a, not before."""
    at, before = scale * first + offset, scale * (first - 1) + offset
    low, high = np.full(at.shape, _LEAST, wanted.dtype), np.full(at.shape, _GREATEST, wanted.dtype)
    wanted = np.broadcast_to(wanted, at.shape)
    # M * at >= wanted and M * before <= wanted - 1, by the signs of the factors; a factor of 0 allows all or none.
    up, down = reached & (at > 0), reached & (at < 0)
    low[up] = -(-wanted[up] // at[up])
    high[down] = -wanted[down] // -at[down]
    up, down = reached & (before > 0), reached & (before < 0)
    high[up] = np.minimum(high[up], (wanted[up] - 1) // before[up])
    low[down] = np.maximum(low[down], -((wanted[down] - 1) // -before[down]))
    low[reached & (((at == 0) & (wanted > 0)) | ((before == 0) & (wanted < 1)))] = _GREATEST
    return low.max(axis=1), high.min(axis=1)
