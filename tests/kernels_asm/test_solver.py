"""Requantization constants against TFLite's arithmetic: around every threshold, at the ends of the range, at random."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinycompile.quant import (
    Accumulators,
    Multiplier,
    Requantization,
    multiply_by_quantized_multiplier,
    quantize_multiplier,
    solve,
)
from tinycompile.quant.thresholds import is_exact, layer_of


def reference(accumulator: int, multiplier: Multiplier, zero_point: int, low: int, high: int) -> int:
    """What TFLite makes of an accumulator."""
    return max(low, min(high, int(multiply_by_quantized_multiplier(accumulator, multiplier)) + zero_point))


def thresholds(
    multiplier: Multiplier, zero_point: int, low: int, high: int, least: int, greatest: int
) -> list[int]:
    """First accumulators of all outputs, found by bisection of the reference."""
    found = []
    for output in range(reference(least, multiplier, zero_point, low, high) + 1, high + 1):
        below, at = least, greatest
        if reference(greatest, multiplier, zero_point, low, high) < output:
            break
        while at - below > 1:
            middle = (below + at) // 2
            below, at = (
                (below, middle)
                if reference(middle, multiplier, zero_point, low, high) >= output
                else (middle, at)
            )
        found.append(at)
    return found


def check_channel(
    found: Requantization, channel: int, multiplier: Multiplier, limits: tuple[int, int, int, int, int]
) -> None:
    """Compare the instructions with the reference at every threshold and beside it, and at both ends."""
    zero_point, low, high, least, greatest = limits
    points = {least, greatest}
    for threshold in thresholds(multiplier, zero_point, low, high, least, greatest):
        points |= {threshold - 1, threshold, threshold + 1}
    inside = sorted(point for point in points if least <= point <= greatest)
    names = ("scale", "offset", "multiplier", "constant", "shifts")
    one = replace(found, **{name: getattr(found, name)[channel : channel + 1] for name in names})
    computed = one.apply(np.array(inside, object)[:, None])[:, 0].tolist()
    assert computed == [reference(point, multiplier, zero_point, low, high) for point in inside]


def random_layer(seed: int, spread: float, taps: int) -> tuple[Accumulators, tuple[Multiplier, ...]]:
    """Channels with random ranges and factors that fill the output's range; factors differ by up to 2**spread."""
    rng = np.random.default_rng(seed)
    channels = int(rng.integers(1, 20))
    reach = rng.integers(1, 128 * 255 * taps, channels)
    bias = rng.integers(-(10**5), 10**5, channels)
    scales = np.array(
        [256 if r + abs(b) < 1 << 22 else 2 for r, b in zip(reach, bias, strict=True)], np.int64
    )
    factors = 200.0 / reach.max() * 2.0 ** -rng.uniform(0, spread, channels)
    multipliers = tuple(quantize_multiplier(float(min(f, 0.4))) for f in factors)
    return Accumulators(-reach + bias, reach + bias, scales), multipliers


CLAMPS = {
    "relu": (-128, -128, 127),
    "none": (3, -128, 127),
    "relu6": (-128, -128, 90),
    "shifted": (-20, -20, 127),
    "top": (127, -128, 127),
}


@pytest.mark.parametrize("clamps", CLAMPS.values(), ids=CLAMPS.keys())
@pytest.mark.parametrize("seed", range(12))
def test_every_threshold(seed: int, clamps: tuple[int, int, int]) -> None:
    """Layers of all kinds have constants, and these are exact at all 255 thresholds of every channel."""
    zero_point, low, high = clamps
    layer, multipliers = random_layer(seed, spread=float(seed % 4 * 3), taps=1 + 40 * (seed % 5))
    found = solve(layer, multipliers, zero_point, low, high)
    assert found is not None
    assert found.half_away == (found.half_away and low < zero_point)
    for channel, multiplier in enumerate(multipliers):
        limits = (zero_point, low, high, int(layer.least[channel]), int(layer.greatest[channel]))
        check_channel(found, channel, multiplier, limits)


@given(st.integers(0, 10**6), st.sampled_from(list(CLAMPS.values())), st.floats(0, 12), st.integers(1, 600))
def test_random_accumulators(seed: int, clamps: tuple[int, int, int], spread: float, taps: int) -> None:
    """Whatever is found agrees with TFLite on random accumulators in range."""
    zero_point, low, high = clamps
    layer, multipliers = random_layer(seed, spread, taps)
    found = solve(layer, multipliers, zero_point, low, high)
    if found is None:
        return
    rng = np.random.default_rng(seed)
    for channel, multiplier in enumerate(multipliers):
        values = rng.integers(layer.least[channel], layer.greatest[channel] + 1, 50)
        for value in values.tolist():
            limits = (zero_point, low, high, value, value)
            check_channel(found, channel, multiplier, limits)


def test_relu_takes_one_shift_and_no_sign() -> None:
    """A RELU layer needs two instructions: a common shift, and no correction of ties."""
    layer, multipliers = random_layer(1, 3.0, 64)
    found = solve(layer, multipliers, -128, -128, 127)
    assert found is not None and found.shift is not None and not found.half_away


def test_ties_below_the_zero_point_need_the_sign() -> None:
    """Without RELU ties go away from zero, which no line does; equal shifts still allow a common one."""
    layer = Accumulators(np.array([-(1 << 20)]), np.array([1 << 20]), np.array([256]))
    found = solve(layer, (quantize_multiplier(0.9 * 2**-13),), 0, -128, 127)
    assert found is not None and found.half_away and found.shift == 13


def test_constant_channels() -> None:
    """Factor 0, a range of one value, and saturated channels hold a constant, beside a live channel."""
    layer = Accumulators(
        np.array([-500, 7, 10**6, -30000]), np.array([500, 7, 10**6 + 9, 30000]), np.array([256] * 4)
    )
    multipliers = (quantize_multiplier(0.0), *(quantize_multiplier(2**-9),) * 3)
    for zero_point, low in ((-128, -128), (5, -128)):
        found = solve(layer, multipliers, zero_point, low, 127)
        assert found is not None
        for channel, multiplier in enumerate(multipliers):
            limits = (zero_point, low, 127, int(layer.least[channel]), int(layer.greatest[channel]))
            check_channel(found, channel, multiplier, limits)


def test_factors_of_one_and_more() -> None:
    """Factors that shift left are solved by the scale where nothing needs to be rounded, and refused otherwise."""
    layer = Accumulators(np.array([-300]), np.array([300]), np.array([256]))
    found = solve(layer, (quantize_multiplier(1.7),), -128, -128, 127)
    assert found is not None
    check_channel(found, 0, quantize_multiplier(1.7), (-128, -128, 127, -300, 300))


def test_fixed_scales() -> None:
    """A kernel may ask for the very scales that its packed weights have."""
    layer, multipliers = random_layer(5, 1.0, 30)
    for scale in (1, 256):
        fixed = Accumulators(
            layer.least // 40,
            layer.greatest // 40,
            np.full_like(layer.largest_scale, scale),
            fixed_scale=True,
        )
        found = solve(fixed, multipliers, -128, -128, 127)
        assert found is not None and set(found.scale.tolist()) == {scale}


@pytest.mark.parametrize("clamps", CLAMPS.values(), ids=CLAMPS.keys())
@pytest.mark.parametrize("seed", range(8))
def test_whole_offsets(seed: int, clamps: tuple[int, int, int]) -> None:
    """What is added to accumulators can be added before they are scaled."""
    zero_point, low, high = clamps
    layer, multipliers = random_layer(seed, spread=2.0, taps=60)
    least, greatest = np.maximum(layer.least, -(1 << 22)), np.minimum(layer.greatest, 1 << 22)
    scale = np.full_like(least, 256)
    whole = Accumulators(least, greatest, scale, fixed_scale=True, whole_offsets=True)
    found = solve(whole, multipliers, zero_point, low, high)
    assert (found is None) == (zero_point > low)  # rounding away from zero needs the scale 2
    if found is None:
        return
    assert not (found.offset % 256).any() and (found.scale == 256).all()
    for channel, multiplier in enumerate(multipliers):
        limits = (zero_point, low, high, int(least[channel]), int(greatest[channel]))
        check_channel(found, channel, multiplier, limits)


def test_closed_forms_leave_scale_and_offset_alone() -> None:
    """`closed` gives scale 2 and no offset, and still proves every threshold."""
    layer, multipliers = random_layer(2, 6.0, 80)
    found = solve(layer, multipliers, -128, -128, 127, closed=True)
    assert found is not None
    assert set(found.scale.tolist()) == {2} and set(found.offset.tolist()) == {0}


@pytest.mark.parametrize("clamps", CLAMPS.values(), ids=CLAMPS.keys())
@pytest.mark.parametrize(("least", "enough"), [(4, 8), (24, 6)])
def test_sums_that_come_scaled(least: int, enough: int, clamps: tuple[int, int, int]) -> None:
    """Scales are the least one times powers of two, and every threshold is met with multipliers that had to be divided.

    A scale with a factor of three divides no multiplier evenly, so now and then a threshold lies in the way.
    """
    zero_point, low, high = clamps
    solved = 0
    for seed in range(8):
        layer, multipliers = random_layer(seed, spread=2.0, taps=20)
        scaled = replace(layer, largest_scale=np.full_like(layer.largest_scale, 8 * least), least_scale=least)
        found = solve(scaled, multipliers, zero_point, low, high)
        if found is None:
            continue
        solved += 1
        assert set(found.scale.tolist()) <= {least << k for k in range(4)}
        for channel, multiplier in enumerate(multipliers):
            limits = (zero_point, low, high, int(layer.least[channel]), int(layer.greatest[channel]))
            check_channel(found, channel, multiplier, limits)
    assert solved >= enough


@pytest.mark.parametrize("clamps", CLAMPS.values(), ids=CLAMPS.keys())
@pytest.mark.parametrize("seed", range(8))
def test_sums_that_come_times_four(seed: int, clamps: tuple[int, int, int]) -> None:
    """Constants are found for every layer as it is, no scale is below the least one, and every threshold is met."""
    zero_point, low, high = clamps
    layer, multipliers = random_layer(seed, spread=2.0, taps=20)
    scaled = replace(layer, largest_scale=np.maximum(layer.largest_scale, 4), least_scale=4)
    found = solve(scaled, multipliers, zero_point, low, high)
    assert found is not None and (found.scale >= 4).all()
    for channel, multiplier in enumerate(multipliers):
        limits = (zero_point, low, high, int(layer.least[channel]), int(layer.greatest[channel]))
        check_channel(found, channel, multiplier, limits)


@pytest.mark.parametrize("seed", range(12))
def test_large_scales_need_no_constant(seed: int) -> None:
    """RELU layers with int16 weights, unless a channel is constant."""
    layer, multipliers = random_layer(seed, spread=float(seed % 4 * 2), taps=60)
    layer = replace(layer, largest_scale=np.full_like(layer.least, 256))
    found = solve(layer, multipliers, -128, -128, 127)
    assert found is not None and found.shift is not None
    all_live = layer_of(layer, multipliers, -128, -128, 127).reached.any(axis=1).all()
    assert found.bias_alone == all_live and not (all_live and found.constant.any())
    for channel, multiplier in enumerate(multipliers):
        limits = (-128, -128, 127, int(layer.least[channel]), int(layer.greatest[channel]))
        check_channel(found, channel, multiplier, limits)


def test_a_bias_beside_the_line_is_refused() -> None:
    """The proof tells an offset that is wrong by one accumulator in one channel."""
    layer, multipliers = random_layer(1, 2.0, 60)
    found = solve(layer, multipliers, -128, -128, 127)
    assert found is not None and found.bias_alone
    proof = layer_of(layer, multipliers, -128, -128, 127)
    assert is_exact(found, proof)
    for channel, scale in enumerate(found.scale.tolist()):
        for wrong in (-scale, scale):
            offset = found.offset.copy()
            offset[channel] += wrong
            assert not is_exact(replace(found, offset=offset), proof)
