"""Fused activations of elementwise operators and pooling: a clamp of the output.

Source of the semantics: `CalculateActivationRange...` in tensorflow/lite/kernels/kernel_util.
"""

from dataclasses import dataclass

import numpy as np

from tinycompile.ir import Array, Attributes, DType, Options
from tinycompile.ops._copy import literal
from tinycompile.ops._limits import QUANTIZED
from tinycompile.ops.base import Operation
from tinycompile.program import Parameter
from tinycompile.quant import REAL_RANGES, Activation, activation_range


@dataclass(frozen=True)
class FusedAttributes(Attributes):
    """Options of an operator that only has a fused activation."""

    activation: Activation = Activation.NONE

    @classmethod
    def parse(cls, options: Options) -> "FusedAttributes":
        """Read the field that these tables have in common."""
        return cls(Activation(options.get("fused_activation_function", "NONE")))


def has_clamp_activation(operation: Operation) -> str | None:
    """The fused activation is NONE, RELU, RELU6 or RELU_N1_TO_1."""
    activation = activation_of(operation)
    return None if activation in REAL_RANGES else f"fused activation is {activation.value}"


def activation_of(operation: Operation) -> Activation:
    """The fused activation, NONE for attributes without one."""
    found: Activation = getattr(operation.node.attributes, "activation", Activation.NONE)
    return found


def clamp_bounds(operation: Operation) -> tuple[int, int] | tuple[float, float]:
    """Least and greatest output."""
    output, activation = operation.output, activation_of(operation)
    if output.dtype in QUANTIZED:
        return activation_range(activation, output.scale, output.zero_point, output.dtype.limits)
    low, high = REAL_RANGES[activation]
    if output.dtype is DType.FLOAT32:
        return -np.inf if low is None else low, np.inf if high is None else high
    least, greatest = output.dtype.limits
    return least if low is None else int(low), greatest if high is None else int(high)


def clamped(operation: Operation, values: Array) -> Array:
    """Values limited to the bounds, in the output's type."""
    low, high = clamp_bounds(operation)
    return np.clip(values, low, high).astype(operation.output.dtype.numpy)


def clamp_holes(operation: Operation) -> dict[str, Parameter]:
    """Holes `low` and `high` of a template for plain types: C literals, "none" where a side is open."""
    output = operation.output
    low, high = REAL_RANGES[activation_of(operation)]
    return {
        "low": "none"
        if low is None
        else literal(output.dtype, low if output.dtype is DType.FLOAT32 else int(low)),
        "high": "none"
        if high is None
        else literal(output.dtype, high if output.dtype is DType.FLOAT32 else int(high)),
    }
