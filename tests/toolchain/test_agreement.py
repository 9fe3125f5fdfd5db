"""Integers agree on every byte, floats within the stated relative error of the tensor's largest magnitude."""

import numpy as np
import pytest

from tinycompile.toolchain.agreement import FLOAT_TOLERANCE, agrees, largest_error, relative_error

BASE = np.array([1000.0, -1.0, 0.0], np.float32)


def test_integers_agree_only_when_they_are_equal():
    values = np.array([100, -3], np.int8)
    assert agrees(values, values.copy())
    assert not agrees(values, values + np.int8(1))
    assert relative_error(values, values + np.int8(1)) == 0.0


@pytest.mark.parametrize(("difference", "expected"), [(0.005, True), (0.02, False)])
def test_the_error_counts_against_the_largest_magnitude(difference, expected):
    got = BASE + np.array([0, difference, 0], np.float32)
    assert agrees(BASE, got) is expected
    assert relative_error(BASE, got) == pytest.approx(difference / 1000, rel=1e-3)
    assert (relative_error(BASE, got) <= FLOAT_TOLERANCE) is expected


def test_what_is_not_finite_is_the_same_on_both_sides():
    special = np.array([np.inf, -np.inf, np.nan, 2.0], np.float32)
    assert agrees(special, special.copy())
    for index in range(3):
        other = special.copy()
        other[index] = 2.0
        assert not agrees(special, other)
        assert not agrees(other, special)


def test_a_tensor_of_zeros_has_no_magnitude():
    zeros = np.zeros(3, np.float32)
    assert agrees(zeros, zeros + np.float32(1e-6))
    assert not agrees(zeros, zeros + np.float32(1e-4))


def test_the_largest_error_of_several_outputs():
    pair = [BASE, np.array([7], np.int8)]
    assert largest_error(pair, [BASE * np.float32(1.25), pair[1]]) == pytest.approx(0.25)
