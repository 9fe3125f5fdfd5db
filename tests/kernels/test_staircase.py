"""Linear sums that stand for TFLite's scaled ones: all pairs of operands, with every step in int32."""

import numpy as np
import pytest

from tinycompile.ops._staircase import linear_sum


def _outputs(factors: tuple[float, float], zero_points: tuple[int, int], center: int) -> np.ndarray:
    operand = np.arange(-128, 128, dtype=np.int64)
    total = (
        factors[0] * (operand - zero_points[0])[:, None] + factors[1] * (operand - zero_points[1])[None, :]
    )
    return np.clip(np.floor(total + 0.5).astype(np.int64) + center, -128, 127)


@pytest.mark.parametrize("seed", range(12))
def test_a_sum_that_is_found_gives_all_outputs(seed: int) -> None:
    """Factors up to 2.5, zero points anywhere; nothing leaves int32 on the way."""
    rng = np.random.default_rng(seed)
    factors = (float(rng.uniform(0.1, 2.5)), float(rng.uniform(0.1, 2.5)))
    zero_points = (int(rng.integers(-128, 128)), int(rng.integers(-128, 128)))
    outputs = _outputs(factors, zero_points, int(rng.integers(-128, 128)))
    found = linear_sum(factors, zero_points, -128, outputs)
    assert found is not None
    operand = np.arange(-128, 128, dtype=np.int64)
    start = found.center + (0 if found.ties_away else found.offset)
    partial = start + operand * found.first
    total = partial[:, None] + (operand * found.second)[None, :]
    for values in (np.array([start]), partial, total):
        assert values.min() >= -(1 << 31) and values.max() < 1 << 31
    if found.ties_away:
        total = total + (total >> 31) + found.offset
    assert (np.clip(total >> found.shift, found.low, found.high) == outputs).all()


def test_outputs_that_no_sum_gives() -> None:
    """A staircase that falls is nobody's sum with positive factors."""
    assert linear_sum((1.0, 1.0), (0, 0), -128, -_outputs((1.0, 1.0), (0, 0), 0)) is None
