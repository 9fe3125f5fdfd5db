"""The arithmetic of LSTM cells: the layout of the operands, the factors between their scales, and one step in numpy."""

from dataclasses import dataclass
from math import log2

import numpy as np

from tinycompile.ir import Array, Attributes, DType, Tensor
from tinycompile.ops._sigmoid_int16 import InputScaling, by_table
from tinycompile.ops.base import Operation
from tinycompile.quant import (
    Activation,
    Multiplier,
    logistic,
    multiply_by_quantized_multiplier,
    quantize_multiplier,
    requantize_wide,
    rounding_divide_by_power_of_two,
    tanh,
    wrap_int32,
)

GATES = (2, 1, 4, 3)
"""Weights of the gates forget, input, output, cell; those on the hidden state are 4 further on, biases 11."""
RECURRENT, BIAS = 4, 11
HIDDEN, CELL = 18, 19
CELL_GATE = 3
GATE_BITS, INTEGER_BITS = 16, 3
"""A gate is summed up as int16 with 3 integer bits."""
GATE_SCALING = InputScaling(3, 0)


@dataclass(frozen=True)
class LstmAttributes(Attributes):
    """Options of the cells. `cell_clip` 0: no clip. `time_major`: the first dimension is time, the second the batch."""

    activation: Activation = Activation.TANH
    cell_clip: float = 0.0
    time_major: bool = False
    diagonal: bool = False


def attributes_of(operation: Operation) -> LstmAttributes:
    """The options of the cells."""
    assert isinstance(operation.node.attributes, LstmAttributes)
    return operation.node.attributes


def macs_of(operation: Operation) -> int:
    """One for each weight in each step of each sequence."""
    first, second, features = operation.input(0).shape
    cells = operation.output.shape[2]
    return first * second * 4 * cells * (features + cells)


def batch_of(operation: Operation) -> int:
    """Number of sequences."""
    return operation.input(0).shape[1 if attributes_of(operation).time_major else 0]


def cell_power(operation: Operation) -> int:
    """The cell state's scale is 2**power."""
    return int(log2(operation.input(CELL).scale))


def cell_clip(operation: Operation) -> int:
    """Greatest absolute value of a cell, 0 when there is no clip."""
    return int(min(attributes_of(operation).cell_clip / operation.input(CELL).scale, 32767.0))


def factors(operation: Operation) -> list[float]:
    """For each gate those of the products with features and with the hidden state, then that of the new hidden state.

    float32, as in the reference; the last one is a double for int16.
    """

    def factor(values: Tensor, weights: Tensor) -> float:
        product = np.float32(values.scale) * np.float32(weights.scale)
        return float(product * np.float32(2.0 ** (GATE_BITS - 1 - INTEGER_BITS)))

    source, hidden = operation.input(0), operation.input(HIDDEN)
    found = []
    for index in GATES:
        found += [factor(source, operation.input(index)), factor(hidden, operation.input(index + RECURRENT))]
    last = 2.0**-30 / hidden.scale
    return [*found, last if hidden.dtype is DType.INT16 else float(np.float32(last))]


def multipliers(operation: Operation) -> tuple[list[tuple[Multiplier, Multiplier]], Multiplier]:
    """The factors as multipliers: a pair for each gate, and the last one."""
    *gates, hidden = map(quantize_multiplier, factors(operation))
    return list(zip(gates[::2], gates[1::2], strict=True)), hidden


def float_step(operation: Operation, x: Array, h: Array, c: Array) -> tuple[Array, Array]:
    """Hidden and cell state after the vectors `x`, one for each sequence, from those before."""
    gates = []
    for number, index in enumerate(GATES):
        total = x @ operation.input(index).values.T + h @ operation.input(index + RECURRENT).values.T
        total = total + operation.input(index + BIAS).values
        gates.append(np.tanh(total) if number == CELL_GATE else _logistic(total))
    forget, new, output, candidate = gates
    value, clip = forget * c + new * candidate, attributes_of(operation).cell_clip
    value = np.clip(value, -clip, clip) if clip > 0.0 else value
    return (output * np.tanh(value)).astype(np.float32), value.astype(np.float32)


def _logistic(values: Array) -> Array:
    exponentials = np.exp(-np.abs(values))
    result: Array = np.where(values < 0, exponentials, 1.0) / (1.0 + exponentials)
    return result


def integer_step(operation: Operation, x: Array, h: Array, c: Array) -> tuple[Array, Array]:
    """The same in integers."""
    gates = []
    operands = ((x, 0, 0), (h, RECURRENT, HIDDEN))
    by_gate, of_hidden = multipliers(operation)
    for number, (index, pair) in enumerate(zip(GATES, by_gate, strict=True)):
        total = np.zeros((1, 1), np.int64)
        for (values, shift, place), factor in zip(operands, pair, strict=True):
            real = values.astype(np.int64) - operation.input(place).zero_point
            product = real @ operation.input(index + shift).values.astype(np.int64).T
            product = product + (operation.input(index + BIAS).values if shift == 0 else 0)
            scaled = multiply_by_quantized_multiplier(wrap_int32(product), factor)
            total = np.clip(total + scaled, *DType.INT16.limits)
        gates.append((tanh if number == CELL_GATE else logistic)(total, INTEGER_BITS, GATE_BITS))
    forget, new, output, candidate = gates
    power, clip = cell_power(operation), cell_clip(operation)
    added = rounding_divide_by_power_of_two(new * candidate, 30 + power).astype(np.int16).astype(np.int64)
    value = np.clip(rounding_divide_by_power_of_two(forget * c, 15) + added, *DType.INT16.limits)
    value = np.clip(value, -clip, clip) if clip else value
    level = output * tanh(value, 15 + power, GATE_BITS)
    scaled = multiply_by_quantized_multiplier(level, of_hidden)
    hidden = np.clip(scaled + operation.input(HIDDEN).zero_point, *DType.INT8.limits)
    return hidden.astype(np.int8), value.astype(np.int16)


def wide_step(operation: Operation, x: Array, h: Array, c: Array) -> tuple[Array, Array]:
    """The same for int16: sums of 64 bits, functions by table, products of gates and cells rounded twice."""
    gates = []
    by_gate, of_hidden = multipliers(operation)
    limits = DType.INT16.limits
    for number, (index, pair) in enumerate(zip(GATES, by_gate, strict=True)):
        total = np.zeros((1, 1), np.int64)
        for values, shift, factor in ((x, 0, pair[0]), (h, RECURRENT, pair[1])):
            product = values.astype(np.int64) @ operation.input(index + shift).values.astype(np.int64).T
            product = product + (operation.input(index + BIAS).values if shift == 0 else 0)
            total = np.clip(total + np.clip(requantize_wide(product, (factor,)), *limits), *limits)
        gates.append(by_table(total, GATE_SCALING, is_tanh=number == CELL_GATE))
    forget, new, output, candidate = gates
    kept = np.clip(multiply_by_quantized_multiplier(forget * c, quantize_multiplier(2.0**-15)), *limits)
    added = multiply_by_quantized_multiplier(new * candidate, added_multiplier(operation))
    value, clip = np.clip(kept + np.clip(added, *limits), *limits), cell_clip(operation)
    value = np.clip(value, -clip, clip) if clip else value
    left = 12 + cell_power(operation)
    scaling = InputScaling(3 << left, 0) if left >= 0 else InputScaling(3, -left)
    level = by_table(value, scaling, is_tanh=True) * output
    hidden = np.clip(multiply_by_quantized_multiplier(level, of_hidden), *limits)
    return hidden.astype(np.int16), value.astype(np.int16)


def added_multiplier(operation: Operation) -> Multiplier:
    """From the product of two Q0 numbers to the cell state."""
    return quantize_multiplier(2.0**-30 / operation.input(CELL).scale)
