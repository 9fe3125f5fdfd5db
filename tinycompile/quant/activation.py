"""Fused activations as clamps of the quantized output (TFLite `CalculateActivationRangeQuantized`)."""

from enum import Enum

import numpy as np

from tinycompile.quant.multiplier import round_half_away


class Activation(Enum):
    """A fused activation function; the value is the name in the .tflite schema."""

    NONE = "NONE"
    RELU = "RELU"
    RELU_N1_TO_1 = "RELU_N1_TO_1"
    RELU6 = "RELU6"
    TANH = "TANH"
    SIGN_BIT = "SIGN_BIT"


REAL_RANGES: dict[Activation, tuple[float | None, float | None]] = {
    Activation.NONE: (None, None),
    Activation.RELU: (0.0, None),
    Activation.RELU6: (0.0, 6.0),
    Activation.RELU_N1_TO_1: (-1.0, 1.0),
}
"""Least and greatest real output of the activations that are a clamp; None leaves that side open."""


def activation_range(
    activation: Activation, scale: float, zero_point: int, limits: tuple[int, int]
) -> tuple[int, int]:
    """Clamp bounds in the output's integer type.

    `limits` are the least and greatest value of the type. The quotient is computed in float32, as TFLite does.
    """
    low, high = REAL_RANGES[activation]

    def quantize(real: float) -> int:
        return zero_point + round_half_away(float(np.float32(real) / np.float32(scale)))

    least = limits[0] if low is None else max(limits[0], quantize(low))
    greatest = limits[1] if high is None else min(limits[1], quantize(high))
    return least, greatest
