"""Finds two float32 constants that stand for a division by a scale, with a proof for all floats.

QUANTIZE rounds x / scale to the nearest integer, ties away from zero; the quotient is a float32, and its own rounding decides
which integer floats close to a tie go to. A product with the nearest float of 1 / scale is rounded elsewhere. Two operations are
right: `y = fma(x, high, x * low)`, where high + low is 1 / scale to twice float32's precision.

Both functions grow with x. So they are equal for all floats when they reach each integer in range at the same float: the
least float that the reference takes there is found by bisection over the bits of floats, and both functions are compared at
it and at the float below it.
"""

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinycompile.quant.multiplier import Int64

Floats = NDArray[np.float32]

_INFINITY = 0x7F800000
_SIGN = 1 << 31
_LEAST_SCALE, _LARGEST_SCALE = 2.0**-24, 2.0**60
"""Between these no product with `low` overflows, and none that decides anything is denormal."""
_NEIGHBOURS = (0, 1, -1, 2, -2)
"""Units in the last place of `low` that are tried."""


@dataclass(frozen=True)
class FloatScale:
    """y = fma(x, high, x * low), or x * high alone where `low` is 0; both are values of float32."""

    high: float
    low: float

    def apply(self, values: Floats) -> Floats:
        """What the instructions compute of finite float32 values: the model of the kernels, for proofs and tests."""
        with np.errstate(over="ignore", under="ignore"):
            if self.low == 0.0:
                return values * np.float32(self.high)
            return fused_multiply_add(values, np.float32(self.high), values * np.float32(self.low))


@cache
def float_scale(scale: float, least: int, greatest: int) -> FloatScale | None:
    """Constants that give round(x / scale) limited to least..greatest for all floats; None when none are found.

    `scale` is a value of float32.
    """
    if not _LEAST_SCALE <= scale <= _LARGEST_SCALE:
        return None
    high = np.float32(1.0 / scale)
    low = np.float32(1.0 / scale - float(high))
    candidates = [FloatScale(float(high), 0.0)]
    candidates += [FloatScale(float(high), _stepped(float(low), step)) for step in _NEIGHBOURS if low]
    points = threshold_points(scale, least, greatest)
    wanted = divided(points, scale, least, greatest)
    return next((c for c in candidates if _is_monotone(c) and _matches(c, points, wanted)), None)


def is_exact(found: FloatScale, scale: float, least: int, greatest: int) -> bool:
    """True when the constants give what the division gives, for all floats."""
    points = threshold_points(scale, least, greatest)
    return _is_monotone(found) and _matches(found, points, divided(points, scale, least, greatest))


def divided(values: Floats, scale: float, least: int, greatest: int) -> Int64:
    """The reference: the float32 quotient, rounded with ties away from zero, limited; not a number gives the least."""
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        quotients = np.nan_to_num(values / np.float32(scale), nan=-np.inf)
    return _limited(quotients, least, greatest)


def threshold_points(scale: float, least: int, greatest: int) -> Floats:
    """The least float that reaches each of least + 1..greatest and the float below it, and both ends of the finite floats."""
    wanted = np.arange(least + 1, greatest + 1, dtype=np.int64)
    # Floats by their order: `below` never reaches the integer wanted, `at` always does.
    below, at = np.full(len(wanted), -_INFINITY - 1), np.full(len(wanted), _INFINITY)
    while (at - below > 1).any():
        middle = (at + below) // 2
        reached = divided(_float_at(middle), scale, least, greatest) >= wanted
        at, below = np.where(reached, middle, at), np.where(reached, below, middle)
    ends = np.array([-_INFINITY, _INFINITY - 1])
    return _float_at(np.concatenate([at, at - 1, ends]))


def fused_multiply_add(values: Floats, factor: np.float32, addends: Floats) -> Floats:
    """values * factor + addends, rounded once.

    The product is exact in float64; the sum is rounded to odd there, so that rounding it again to float32 is as rounding once.
    """
    product, addend = values.astype(np.float64) * np.float64(factor), addends.astype(np.float64)
    total = product + addend
    part = total - product
    rest = (product - (total - part)) + (addend - part)
    is_even = total.view(np.int64) % 2 == 0
    odd = np.nextafter(total, np.where(rest > 0, np.inf, -np.inf))
    result: Floats = np.where((rest != 0) & is_even, odd, total).astype(np.float32)
    return result


def _float_at(order: Any) -> Floats:
    """Floats by their order: 0 is 0.0, 1 the least float above it, -1 is -0.0."""
    bits = np.where(order >= 0, order, (-1 - order) | _SIGN).astype(np.uint32)
    return bits.view(np.float32)


def _limited(values: Floats, least: int, greatest: int) -> Int64:
    """Rounded to the nearest integer, ties away from zero, and limited."""
    limited = np.clip(values, least, greatest).astype(np.float64)
    result: Int64 = (np.sign(limited) * np.floor(np.abs(limited) + 0.5)).astype(np.int64)
    return result


def _stepped(value: float, steps: int) -> float:
    """So many units in the last place away from zero."""
    bits = np.array([value], np.float32).view(np.int32) + np.int32(steps)
    return float(bits.view(np.float32)[0])


def _is_monotone(found: FloatScale) -> bool:
    """From one float to the next x * high grows by more than x * low can fall."""
    return found.high > 0.0 and abs(found.low) <= found.high * 2.0**-22


def _matches(found: FloatScale, points: Floats, wanted: Int64) -> bool:
    least, greatest = int(wanted.min()), int(wanted.max())
    return bool((_limited(found.apply(points), least, greatest) == wanted).all())
