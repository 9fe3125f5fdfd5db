"""Fixed-point arithmetic against exact rational arithmetic."""

from fractions import Fraction
from math import floor

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinycompile.quant import (
    Activation,
    Multiplier,
    activation_range,
    multiply_by_quantized_multiplier,
    quantize_multiplier,
    quantize_multipliers,
    requantize,
)

int32 = st.integers(-(2**31), 2**31 - 1)
multipliers = st.builds(Multiplier, st.integers(2**30, 2**31 - 1), st.integers(-31, 8))


def exact(accumulator: int, multiplier: Multiplier) -> int:
    """The two roundings as the reference defines them: half up, then half away from zero, on fractions."""
    left, right = max(multiplier.shift, 0), max(-multiplier.shift, 0)
    wrapped = (accumulator * 2**left + 2**31) % 2**32 - 2**31
    high = floor(Fraction(wrapped * multiplier.value, 2**31) + Fraction(1, 2))
    quotient = Fraction(high, 2**right)
    magnitude = floor(abs(quotient) + Fraction(1, 2))
    return magnitude if quotient >= 0 else -magnitude


@given(int32, multipliers)
def test_multiply_equals_exact_rationals(accumulator: int, multiplier: Multiplier) -> None:
    assert multiply_by_quantized_multiplier(accumulator, multiplier) == exact(accumulator, multiplier)


@given(st.lists(st.floats(0, 1e6) | st.builds(lambda e: (1 - 2**-50) * 2.0**e, st.integers(-40, 20))))
def test_many_factors_become_what_each_becomes(reals: list[float]) -> None:
    assert quantize_multipliers(np.array(reals)) == tuple(map(quantize_multiplier, reals))


@given(st.lists(st.tuples(int32, multipliers), min_size=1, max_size=9))
def test_arrays_equal_scalars(pairs: list[tuple[int, Multiplier]]) -> None:
    accumulators = np.array([[a for a, _ in pairs]], np.int64)
    found = requantize(accumulators, tuple(m for _, m in pairs))
    assert found.tolist() == [[exact(a, m) for a, m in pairs]]


@given(st.floats(2.0**-31, 2.0**20))
def test_quantized_multiplier_is_within_half_a_unit(real: float) -> None:
    multiplier = quantize_multiplier(real)
    assert 2**30 <= multiplier.value < 2**31
    unit = Fraction(2) ** (multiplier.shift - 31)
    assert abs(multiplier.value * unit - Fraction(real)) <= unit / 2


@pytest.mark.parametrize(
    ("real", "expected"), [(0.0, (0, 0)), (1.0, (2**30, 1)), (0.5, (2**30, 0)), (2.0**-33, (0, 0))]
)
def test_quantized_multiplier_of_powers(real: float, expected: tuple[int, int]) -> None:
    multiplier = quantize_multiplier(real)
    assert (multiplier.value, multiplier.shift) == expected


def test_a_value_that_rounds_up_to_one_moves_to_the_next_power() -> None:
    assert quantize_multiplier(1.0 - 2.0**-40) == Multiplier(2**30, 1)


@pytest.mark.parametrize(
    ("activation", "expected"),
    [
        (Activation.NONE, (-128, 127)),
        (Activation.RELU, (-28, 127)),
        (Activation.RELU6, (-28, 32)),
        (Activation.RELU_N1_TO_1, (-38, -18)),
    ],
)
def test_activation_range(activation: Activation, expected: tuple[int, int]) -> None:
    # scale 0.1, zero point -28: real 0 is -28, 1 is 10 steps, 6 is 60 steps
    assert activation_range(activation, 0.1, -28, (-128, 127)) == expected
