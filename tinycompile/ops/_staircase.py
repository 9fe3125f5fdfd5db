"""Finds, at compile time, one multiply-shift that gives every output of a quantized function of one sum, or proves there is none.

A quantized output is a staircase over an integer v: it rises by one where v passes a threshold. `(v + c) >> s` has its
thresholds at equal distances; it is exact when an offset c exists that puts each of them between the last v of one step and
the first of the next. All values of v are looked at, so the answer is a proof, not an estimate.
"""

from dataclasses import dataclass
from itertools import product

import numpy as np

from tinycompile.quant import Int64


def offset_of(values: Int64, outputs: Int64, shift: int) -> int | None:
    """An offset c with `(values + c) >> shift == outputs` wherever an output is neither the least nor the greatest one.

    The outputs at the ends may be clamped: there `(values + c) >> shift` is only at most, or at least, the output.
    """
    order = np.argsort(outputs, kind="stable")
    sorted_values, sorted_outputs = values[order], outputs[order]
    steps = np.flatnonzero(np.diff(sorted_outputs)) + 1
    if steps.size == 0:
        return None
    below = np.maximum.accumulate(sorted_values)[steps - 1]
    above = np.minimum.accumulate(sorted_values[::-1])[::-1][steps]
    levels = sorted_outputs[steps] << shift
    floors = (sorted_outputs[steps - 1] + 1) << shift
    least, greatest = int((levels - above).max()), int((floors - below - 1).min())
    return (least + greatest) // 2 if least <= greatest else None


@dataclass(frozen=True)
class LinearSum:
    """t = a * first + b * second + center; output = (t + offset) >> shift, clamped to low..high.

    With `ties_away` a negative t is less one before the offset is added: ties round away from zero, as TFLite's do.
    """

    first: int
    second: int
    center: int
    offset: int
    shift: int
    ties_away: bool
    low: int
    high: int


def linear_sum(
    factors: tuple[float, float], zero_points: tuple[int, int], low: int, outputs: Int64
) -> LinearSum | None:
    """The sum that gives `outputs[a - low, b - low]` for all pairs of operands; None when none is found.

    `factors` lead from operand to output, `low` is the least operand. All shifts are tried with the nearest factors, then the
    largest ones with factors beside them.
    """
    problem = _Problem(zero_points, low, outputs)
    for shift in _SHIFTS:
        found = problem.sum_of(*_nearest(factors, shift), shift)
        if found is not None:
            return found
    fitting = [shift for shift in _SHIFTS if problem.fits(*_nearest(factors, shift))]
    for shift in fitting[:_SHIFTS_TRIED_AROUND]:
        first, second = _nearest(factors, shift)
        for first_step, second_step in product(_AROUND, _AROUND):
            found = problem.sum_of(first + first_step, second + second_step, shift)
            if found is not None:
                return found
    return None


_SHIFTS = range(24, 7, -1)
_SHIFTS_TRIED_AROUND = 2
_AROUND = (0, 1, -1, 2, -2, 3, -3, 4, -4)


def _nearest(factors: tuple[float, float], shift: int) -> tuple[int, int]:
    first, second = (round(factor * 2.0**shift) for factor in factors)
    return first, second


class _Problem:
    """The outputs of all pairs of operands, and how to reach them with given factors."""

    def __init__(self, zero_points: tuple[int, int], low: int, outputs: Int64) -> None:
        self.zero_points = zero_points
        self.flat = outputs.reshape(-1)
        self.first = np.arange(low, low + outputs.shape[0], dtype=np.int64)[:, None]
        self.second = np.arange(low, low + outputs.shape[1], dtype=np.int64)[None, :]

    def center(self, first: int, second: int) -> int:
        """What takes the zero points off."""
        return -(first * self.zero_points[0] + second * self.zero_points[1])

    def fits(self, first: int, second: int, offset: int = 0) -> bool:
        """True when the sum stays in int32 after every step, whether the offset comes first or last."""
        center = self.center(first, second)
        partial = center + self.first * first
        sums = [
            np.array([center]),
            self.first * first,
            self.second * second,
            partial,
            partial + self.second * second,
        ]
        return all(int(np.abs(values).max()) + abs(offset) + 1 < 1 << 31 for values in sums)

    def sum_of(self, first: int, second: int, shift: int) -> LinearSum | None:
        """The sum with these factors, if an offset makes it right."""
        if not self.fits(first, second):
            return None
        center = self.center(first, second)
        values = (self.first * first + self.second * second + center).reshape(-1)
        for ties_away in (False, True):
            offset = offset_of(values + (values >> 31) if ties_away else values, self.flat, shift)
            if offset is not None and self.fits(first, second, offset):
                least, greatest = int(self.flat.min()), int(self.flat.max())
                return LinearSum(first, second, center, offset, shift, ties_away, least, greatest)
        return None
