"""When an output counts as the oracle's: integers on every byte, floats within a stated relative error."""

from collections.abc import Sequence

import numpy as np

from tinycompile.toolchain.generated import Array

FLOAT_TOLERANCE = 1e-5
"""Largest difference of a float tensor's elements over its largest magnitude: what exponentials and reordered sums may cost."""


def is_equal(expected: Array, got: Array) -> bool:
    """Every byte is the same."""
    return expected.tobytes() == got.tobytes()


def agrees(expected: Array, got: Array) -> bool:
    """Integers are equal, floats within the tolerance."""
    return is_equal(expected, got) or (
        expected.dtype.kind == "f" and relative_error(expected, got) <= FLOAT_TOLERANCE
    )


def relative_error(expected: Array, got: Array) -> float:
    """Largest difference over the largest finite magnitude of the expected tensor; infinite where only one side is finite."""
    if expected.dtype.kind != "f" or not expected.size:
        return 0.0
    a, b = expected.astype(np.float64), got.reshape(expected.shape).astype(np.float64)
    same = (a == b) | (np.isnan(a) & np.isnan(b))
    if not (np.isfinite(a) & np.isfinite(b) | same).all():
        return float("inf")
    finite = np.isfinite(a)
    magnitude = float(np.abs(a[finite]).max(initial=0.0)) or 1.0
    return float(np.abs(a[~same] - b[~same]).max(initial=0.0)) / magnitude


def largest_error(expected: Sequence[Array], got: Sequence[Array]) -> float:
    """The largest relative error of the float tensors among these."""
    return max((relative_error(a, b) for a, b in zip(expected, got, strict=True)), default=0.0)
