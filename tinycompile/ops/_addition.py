"""What ADD and SUB share: both are a scaled sum, in SUB the second operand counts negative.

Quantized: each operand, shifted left by 20 bits (int16: 15), is scaled to twice the larger input scale, the sum to the output.
Source of the semantics: `PrepareGeneralSubOp` in tensorflow/lite/kernels/sub.cc, the same in add.cc, and `AddFunc` in
reference/integer_ops/add.h.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from tinycompile.ir import Array, DType, Options
from tinycompile.ops._channel_sums import ChannelSumKernel
from tinycompile.ops._elementwise import Body, Elementwise, elementwise_kernels, has_broadcast_shapes
from tinycompile.ops._fused import FusedAttributes, clamp_bounds, clamp_holes, clamped, has_clamp_activation
from tinycompile.ops._lane_sums import LaneSum, LaneSumKernel, lane_sum
from tinycompile.ops._limits import QUANTIZED, has_elements, has_per_tensor_quantization
from tinycompile.ops._staircase import LinearSum, linear_sum
from tinycompile.ops.base import Operation, TypeRule
from tinycompile.program import Parameter
from tinycompile.quant import Int64, Multiplier, multiply_by_quantized_multiplier, quantize_multiplier

SUM_TYPES = tuple(
    TypeRule((dtype,), (dtype,))
    for dtype in (DType.INT8, DType.UINT8, DType.INT16, DType.INT32, DType.INT64, DType.FLOAT32)
)


def has_small_output_factor(operation: Operation) -> str | None:
    """Twice the larger input scale is less than 2**20 (int16: 2**15) times the output scale."""
    if operation.output.dtype not in QUANTIZED or has_per_tensor_quantization(operation):
        return None
    factor = _output_factor(operation)
    return f"it is {factor:g} times that" if factor >= 1.0 else None


@dataclass(frozen=True)
class ScaledSum:
    """The fixed-point steps of a quantized sum; hashable, so that what follows from it is computed once."""

    dtype: DType
    left_shift: int
    zero_points: tuple[int, int]
    multipliers: tuple[Multiplier, Multiplier]
    output: Multiplier
    output_zero_point: int
    bounds: tuple[int, int]
    factors: tuple[float, float]

    def apply(self, first: Int64, second: Int64) -> Int64:
        """The reference computation."""
        scaled = [
            multiply_by_quantized_multiplier((operand - zero_point) << self.left_shift, multiplier)
            for operand, zero_point, multiplier in zip(
                (first, second), self.zero_points, self.multipliers, strict=True
            )
        ]
        total = multiply_by_quantized_multiplier(scaled[0] + scaled[1], self.output)
        result: Int64 = np.clip(total + self.output_zero_point, *self.bounds)
        return result


class Addition(Elementwise):
    """Base of ADD and SUB."""

    types = SUM_TYPES
    limits = (
        has_elements,
        has_broadcast_shapes,
        has_clamp_activation,
        has_per_tensor_quantization,
        has_small_output_factor,
    )
    min_inputs = 2
    kernels = (
        *elementwise_kernels(lambda operation, board: _body(operation)),
        LaneSumKernel(lambda operation: lanes_of(operation)),
        ChannelSumKernel(lambda operation: lanes_of(operation)),
    )

    def parse(self, options: Options) -> FusedAttributes:
        """Read the fused activation."""
        return FusedAttributes.parse(options)

    def evaluate(self, operation: Operation, inputs: Sequence[Array | None]) -> tuple[Array, ...]:
        """The scaled sum, or the plain one."""
        first, second = inputs[0], inputs[1]
        assert first is not None and second is not None
        if operation.output.dtype in QUANTIZED:
            total = scaled_sum(operation).apply(first.astype(np.int64), second.astype(np.int64))
            return (total.astype(operation.output.dtype.numpy),)
        return (clamped(operation, first + second if sign_of(operation) > 0 else first - second),)


def sign_of(operation: Operation) -> int:
    """1 for ADD, -1 for SUB."""
    return -1 if operation.node.kind == "SUB" else 1


def scaled_sum(operation: Operation) -> ScaledSum:
    """The steps that follow from the scales; SUB negates the second multiplier."""
    first, second, output = operation.input(0), operation.input(1), operation.output
    twice = 2.0 * max(first.scale, second.scale)
    scaled = [quantize_multiplier(tensor.scale / twice) for tensor in (first, second)]
    sign = sign_of(operation)
    low, high = clamp_bounds(operation)
    return ScaledSum(
        dtype=output.dtype,
        left_shift=_left_shift(operation),
        zero_points=(first.zero_point, second.zero_point),
        multipliers=(scaled[0], Multiplier(sign * scaled[1].value, scaled[1].shift)),
        output=quantize_multiplier(_output_factor(operation)),
        output_zero_point=output.zero_point,
        bounds=(int(low), int(high)),
        factors=(first.scale / output.scale, sign * second.scale / output.scale),
    )


def _left_shift(operation: Operation) -> int:
    return 15 if operation.output.dtype is DType.INT16 else 20


def _output_factor(operation: Operation) -> float:
    twice = 2.0 * max(operation.input(0).scale, operation.input(1).scale)
    return twice / (2.0 ** _left_shift(operation) * operation.output.scale)


def _body(operation: Operation) -> Body:
    """A plain sum, a linear one that is proved to give the same bytes, or the fixed-point steps themselves."""
    dtype = operation.output.dtype
    types: dict[str, Parameter] = {"kind": operation.node.kind, "c_type": dtype.c_type}
    if dtype not in QUANTIZED:
        operator = "+" if sign_of(operation) > 0 else "-"
        return Body("add/plain.c.j2", {**types, "operator": operator, **clamp_holes(operation)}, cycles=6)
    steps = scaled_sum(operation)
    linear = _linear(steps)
    if linear is not None:
        saturates = (linear.low, linear.high) == (-128, 127)
        holes: dict[str, Parameter] = {
            **types,
            "shift": linear.shift,
            "ties_away": linear.ties_away,
            "saturates": saturates,
        }
        offsets = (linear.center, linear.offset) if linear.ties_away else (linear.center + linear.offset,)
        bounds = () if saturates else (linear.low, linear.high)
        arguments = (linear.first, linear.second, *offsets, *bounds)
        return Body(
            "add/linear.c.j2", holes, (), arguments, ("tc_dsp.h", "tc_requantize.h"), 7, in_blocks=True
        )
    arguments = (
        *(-zero_point for zero_point in steps.zero_points),
        *(n for multiplier in steps.multipliers for n in (multiplier.value, multiplier.shift)),
        *(steps.output.value, steps.output.shift, steps.output_zero_point, *steps.bounds),
    )
    return Body(
        "add/scaled.c.j2", {**types, "left_shift": steps.left_shift}, (), arguments, ("tc_requantize.h",), 40
    )


@cache
def _linear(steps: ScaledSum) -> LinearSum | None:
    if steps.dtype is DType.INT16:
        return None
    return linear_sum(steps.factors, steps.zero_points, steps.dtype.limits[0], _outputs(steps))


def lanes_of(operation: Operation) -> LaneSum | None:
    """The sum of products that gives the same bytes, for int8."""
    return _lanes(scaled_sum(operation)) if operation.output.dtype is DType.INT8 else None


@cache
def _lanes(steps: ScaledSum) -> LaneSum | None:
    return lane_sum(steps.factors, _outputs(steps), steps.bounds)


def _outputs(steps: ScaledSum) -> Int64:
    """Outputs of all pairs of bytes."""
    low, high = steps.dtype.limits
    operand = np.arange(low, high + 1, dtype=np.int64)
    return steps.apply(operand[:, None], operand[None, :])
