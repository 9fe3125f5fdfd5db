"""Requantization in four instructions against the general sequence, on every accumulator around a threshold."""

from collections.abc import Iterator

import numpy as np
import pytest

from tinycompile.ops._dsp import Channels, Scaling, pair_order, scaling_of
from tinycompile.quant import quantize_multiplier, requantize


def _channels(seed: int, low: int, factor: float) -> Channels:
    rng = np.random.default_rng(seed)
    return Channels(
        weights=rng.integers(-127, 128, (12, 40)),
        bias=rng.integers(-20000, 20000, 12),
        in_zero_point=int(rng.integers(-128, 128)),
        multipliers=tuple(quantize_multiplier(float(x)) for x in factor * rng.uniform(0.3, 3.0, 12)),
        out_zero_point=low if low > -128 else int(rng.integers(-128, 128)),
        low=low,
        high=127,
    )


def _fast(scaling: Scaling, dots: np.ndarray) -> np.ndarray:
    """What tc_scale_exact and tc_scale_floor compute, written with numpy: dots [n, channels]."""
    bias, multiplier, offset, shift = scaling.channels.astype(np.int64).T
    doubled = bias + 2 * dots
    above = offset + (doubled >> 31) if scaling.mode == "exact" else offset
    result = (above + ((doubled * multiplier + (1 << 31)) >> 32)) >> shift
    return np.clip(result, scaling.low, scaling.high)


def _dots_near_thresholds(channels: Channels) -> Iterator[np.ndarray]:
    """Dot products beside every place where an output may change, and at the ends of the range."""
    least, greatest = channels.accumulator_range()
    folded = channels.bias - channels.in_zero_point * channels.weights.sum(axis=1)
    real = np.array([multiplier.real for multiplier in channels.multipliers])
    for value in np.arange(-129.0, 129.0, 0.5):
        centre = ((value - channels.out_zero_point) / real).astype(np.int64)
        for delta in range(-3, 4):
            yield np.clip(centre + delta, least, greatest) - folded
    yield least - folded
    yield greatest - folded


@pytest.mark.parametrize("low", [-128, -5])
@pytest.mark.parametrize("factor", [0.3, 0.01, 1e-3, 1e-5])
@pytest.mark.parametrize("seed", range(5))
def test_fast_scaling_is_exact(seed: int, factor: float, low: int) -> None:
    channels = _channels(seed, low, factor)
    scaling = scaling_of(channels)
    if factor < 0.1:
        assert scaling.mode == ("floor" if low == channels.out_zero_point else "exact")
    if scaling.mode == "general":
        return
    folded = channels.bias - channels.in_zero_point * channels.weights.sum(axis=1)
    for dots in _dots_near_thresholds(channels):
        expected = np.clip(
            requantize(dots + folded, channels.multipliers) + channels.out_zero_point,
            channels.low,
            channels.high,
        )
        np.testing.assert_array_equal(_fast(scaling, dots), expected)


def test_factors_of_one_and_more_take_the_general_sequence() -> None:
    assert scaling_of(_channels(0, -128, 2.0)).mode == "general"


@pytest.mark.parametrize("run", range(1, 40))
def test_pairs_name_every_tap_once(run: int) -> None:
    taps = [tap for pair in pair_order(run) for tap in pair if tap is not None]
    assert sorted(taps) == list(range(run))
    assert len(pair_order(run)) == (run + 1) // 2
