"""LOGISTIC and TANH of int16: a table of the sigmoid with interpolation; tanh(x) is 2 sigmoid(2x) - 1.

Source of the semantics: `Logistic` and `Tanh` for int16 in tensorflow/lite/kernels/internal/reference/integer_ops/logistic.h and
tanh.h, `SigmoidPrepare` and `TanhPrepare` in tensorflow/lite/kernels/activations.cc.
"""

from dataclasses import dataclass
from math import frexp

import numpy as np

from tinycompile.board import Board
from tinycompile.ir import Array, DType
from tinycompile.ops._elementwise import Body, ElementwiseKernel
from tinycompile.ops._limits import has_per_tensor_quantization
from tinycompile.ops.base import Operation
from tinycompile.program import Constant

STEPS_PER_UNIT = 24
"""Entries of the table for an input of 1."""
ENTRIES = 256
OUTPUT_SCALE = 2.0**-15


@dataclass(frozen=True)
class InputScaling:
    """Inputs times `multiplier`, shifted right with rounding, count 1 / (24 * 512); tanh takes them for 1 / (24 * 256)."""

    multiplier: int
    shift: int


def has_sigmoid_scales(operation: Operation) -> str | None:
    """An int16 output has scale 1/32768; an int16 input has a scale of at least 2**-28 and less than 2."""
    if operation.output.dtype is not DType.INT16 or has_per_tensor_quantization(operation):
        return None
    source, output = operation.input(0), operation.output
    if output.scale != OUTPUT_SCALE:
        return f"the output has scale {output.scale:g}"
    return None if 2.0**-28 <= source.scale < 2.0 else f"the input has scale {source.scale:g}"


def input_scaling(operation: Operation) -> InputScaling:
    """Exact for powers of two from 2**-12 up that the reference knows, else a multiplier of 15 bits."""
    scale, greatest = operation.input(0).scale, 1 if operation.node.kind == "TANH" else 0
    fraction, exponent = frexp(scale)
    power = exponent - 1 + 12
    if fraction == 0.5 and 0 <= power <= greatest:
        return InputScaling(3 << power, 0)
    multiplier, shift = scale * 4096.0 * 3.0, 0
    while multiplier <= 32767.0 / 2.0 and shift <= 30:
        multiplier, shift = multiplier * 2.0, shift + 1
    return InputScaling(int(multiplier), shift)


def sigmoid_table() -> Array:
    """65536 times the sigmoid of i / 24, as uint16.

    Between two values a line runs below the curve: each value is raised by half of what is missing in the middle, and rounded.
    The last value is the greatest there is.
    """
    index = np.arange(ENTRIES, dtype=np.float64)
    here, middle, there = (65536.0 * _sigmoid((index + shift) / STEPS_PER_UNIT) for shift in (0.0, 0.5, 1.0))
    raised = here + (middle - (here + there) / 2.0) / 2.0
    table: Array = np.floor(raised + 0.5).astype(np.uint16)
    table[-1] = 0xFFFF
    return table


def sigmoid_constant() -> Constant:
    """The table as kernels take it."""
    return Constant("sigmoid", sigmoid_table(), "sigmoid of i / 24, 16 fractional bits", is_weight=False)


def _sigmoid(values: Array) -> Array:
    result: Array = 1.0 / (1.0 + np.exp(-values))
    return result


def sigmoid_int16(operation: Operation, values: Array) -> Array:
    """Outputs of an array of int16."""
    return by_table(values, input_scaling(operation), is_tanh=operation.node.kind == "TANH").astype(np.int16)


def by_table(values: Array, scaling: InputScaling, *, is_tanh: bool) -> Array:
    """The sigmoid or the hyperbolic tangent of integers, in steps of 2**-15."""
    bits = 8 if is_tanh else 9
    half = (1 << scaling.shift) >> 1
    scaled = (values.astype(np.int64) * scaling.multiplier + half) >> scaling.shift
    magnitude = np.abs(scaled)
    index = np.minimum(magnitude >> bits, ENTRIES - 2)
    table = sigmoid_table().astype(np.int64)
    rest = magnitude & ((1 << bits) - 1)
    between = (table[index] << bits) + rest * (table[index + 1] - table[index])
    result = np.where(magnitude >> bits >= ENTRIES - 1, (0xFFFF << 8) if is_tanh else (0x7FFF << 10), between)
    if is_tanh:
        centered = result - (1 << 23)
        return np.where(scaled >= 0, centered + (1 << 7), -centered + (1 << 7) - 1) >> 8
    return np.where(scaled >= 0, result + (1 << 9), (1 << 25) - result + (1 << 9) - 1) >> 10


class SigmoidInt16Kernel(ElementwiseKernel):
    """int16: the table and a multiplication."""

    name = "interpolated"

    def __init__(self) -> None:
        super().__init__(_body)

    def supports(self, operation: Operation, board: Board) -> bool:
        """int16 inputs."""
        return operation.input(0).dtype is DType.INT16


def _body(operation: Operation, board: Board) -> Body:
    scaling = input_scaling(operation)
    return Body(
        template="unary/sigmoid_int16.c.j2",
        parameters={"kind": operation.node.kind},
        constants=(sigmoid_constant(),),
        arguments=(scaling.multiplier, scaling.shift),
        runtime=("tc_sigmoid_16.h",),
        cycles=25,
    )
