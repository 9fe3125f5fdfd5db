"""Finds, at compile time, one multiply-shift that gives every output of a quantized function of one sum, or proves there is none.

A quantized output is a staircase over an integer v: it rises by one where v passes a threshold. `(v + c) >> s` has its
thresholds at equal distances; it is exact when an offset c exists that puts each of them between the last v of one step and
the first of the next. All values of v are looked at, so the answer is a proof, not an estimate.
"""

from dataclasses import dataclass

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
    """The sum that gives `outputs[a - low, b - low]` for all pairs of operands; None when no shift from 24 to 8 does.

    `factors` lead from operand to output, `low` is the least operand.
    """
    first_operand = np.arange(low, low + outputs.shape[0], dtype=np.int64)[:, None]
    second_operand = np.arange(low, low + outputs.shape[1], dtype=np.int64)[None, :]
    flat = outputs.reshape(-1)
    for shift in range(24, 7, -1):
        first, second = (round(factor * 2.0**shift) for factor in factors)
        center = -(first * zero_points[0] + second * zero_points[1])
        values = (first_operand * first + second_operand * second + center).reshape(-1)
        partial = max(abs(first), abs(second)) * 256 + abs(center)
        for ties_away in (False, True):
            moved = values + (values >> 31) if ties_away else values
            offset = offset_of(moved, flat, shift)
            if offset is not None and partial + int(np.abs(values).max()) + abs(offset) < 1 << 31:
                return LinearSum(
                    first, second, center, offset, shift, ties_away, int(flat.min()), int(flat.max())
                )
    return None
