"""UNIDIRECTIONAL_SEQUENCE_LSTM: a layer of LSTM cells over a sequence; hidden and cell state go on from call to call.

Inputs: 0 the sequence; 1 to 4 weights [cells, features] of the gates input, forget, cell, output; 5 to 8 weights [cells, cells]
on the hidden state; 12 to 15 biases; 18 and 19 the hidden and the cell state, variable tensors. The others belong to variants of
the cell that are not supported.
Source of the semantics: `EvalFloat` and `EvalInteger8x8_16` in tensorflow/lite/kernels/lstm_eval.cc. TensorFlow Lite Micro takes
logistic and tanh from tables and rounds the cell twice, so that its bytes differ by one at times; here are those of TFLite.
int16, which it alone takes, is as it has it.
"""

from collections.abc import Sequence
from dataclasses import replace
from math import log2

import numpy as np

from tinycompile.ir import Array, DType, Options
from tinycompile.ops._copy import literal
from tinycompile.ops._limits import has_elements, quantization_problem
from tinycompile.ops._lstm import (
    BIAS,
    CELL,
    GATES,
    HIDDEN,
    RECURRENT,
    LstmAttributes,
    added_multiplier,
    attributes_of,
    batch_of,
    cell_clip,
    cell_power,
    factors,
    float_step,
    integer_step,
    macs_of,
    multipliers,
    wide_step,
)
from tinycompile.ops._sigmoid_int16 import sigmoid_constant
from tinycompile.ops._template import DspTemplateKernel, TemplateCode, TemplateKernel
from tinycompile.ops.access import WHOLE, Access
from tinycompile.ops.base import Operation, Operator, TypeRule, register
from tinycompile.program import Constant, Parameter
from tinycompile.quant import Activation, reduced_multiplier, wrap_int32

VARIANTS = (9, 10, 11, 16, 17, 20, 21, 22, 23)
"""Inputs of peephole connections, projection and layer normalization."""
LARGEST_FACTORS = {DType.INT8: 2.0**30, DType.INT16: 2.0**7}


def is_plain(operation: Operation) -> str | None:
    """Cells have all four gates, the activation TANH, no negative clip, and neither peephole connections, projection, nor
    normalization.
    """
    attributes = attributes_of(operation)
    if attributes.activation is not Activation.TANH or not 0.0 <= attributes.cell_clip < np.inf:
        return f"the activation is {attributes.activation.value}, the clip {attributes.cell_clip:g}"
    given = [index for index in VARIANTS if operation.optional(index) is not None]
    if given or attributes.diagonal:
        return f"inputs {given} are given" if given else "recurrent weights are diagonal"
    needed = [index + shift for index in GATES for shift in (0, RECURRENT, BIAS)]
    absent = [index for index in (*sorted(needed), HIDDEN, CELL) if operation.optional(index) is None]
    return f"inputs {absent} are missing" if absent else None


def has_matching_shapes(operation: Operation) -> str | None:
    """The sequence has 3 dimensions; weights, biases and states have the shapes that follow from it."""
    if is_plain(operation):
        return None
    source = operation.input(0)
    if len(source.shape) != 3:
        return f"the sequence is {source.describe()}"
    batch, cells = batch_of(operation), next(iter(operation.input(GATES[0]).shape), 0)
    for index in GATES:
        wanted = {index: (cells, source.shape[2]), index + RECURRENT: (cells, cells), index + BIAS: (cells,)}
        for place, shape in wanted.items():
            if operation.input(place).shape != shape:
                return f"input {place} is {operation.input(place).describe()}, not {list(shape)}"
    for place in (HIDDEN, CELL):
        if operation.input(place).elements != batch * cells:
            return f"input {place} is {operation.input(place).describe()}, not [{batch}, {cells}]"
    return None


def has_constant_weights(operation: Operation) -> str | None:
    """Weights and biases are constants."""
    places = [index + shift for index in GATES for shift in (0, RECURRENT, BIAS)]
    tensors = [operation.optional(place) for place in places]
    computed = [tensor.name for tensor in tensors if tensor is not None and not tensor.is_constant]
    return f"{computed[0]!r} is computed by the model" if computed else None


def has_quantization(operation: Operation) -> str | None:
    """Integers: every tensor has one scale, weights have zero point 0; the scale of the cell state is a power of two from 2**-15
    to 2**-9; no accumulator grows by 2**30 or more, for int16 by 2**7.
    """
    if operation.output.dtype is DType.FLOAT32 or is_plain(operation):
        return None
    weights = [index + shift for index in GATES for shift in (0, RECURRENT)]
    for place in (0, HIDDEN, CELL, *weights):
        problem = quantization_problem(operation.input(place))
        if problem is None and place in weights and operation.input(place).zero_point:
            problem = f"zero point {operation.input(place).zero_point}"
        if problem:
            return f"input {place} has {problem}"
    if (
        not -15 <= log2(operation.input(CELL).scale) <= -9
        or not log2(operation.input(CELL).scale).is_integer()
    ):
        return f"the cell state has scale {operation.input(CELL).scale:g}"
    largest, allowed = max(factors(operation)), LARGEST_FACTORS[operation.output.dtype]
    return None if largest < allowed else f"one grows by {largest:g}"


@register
class UnidirectionalSequenceLstm(Operator):
    """UNIDIRECTIONAL_SEQUENCE_LSTM of plain cells."""

    kind = "UNIDIRECTIONAL_SEQUENCE_LSTM"
    types = tuple(
        TypeRule((act, *[weight] * 8, *[cell] * 3, *[bias] * 4, weight, bias, act, cell, *[cell] * 4), (act,))
        for act, weight, cell, bias in (
            (DType.INT8, DType.INT8, DType.INT16, DType.INT32),
            (DType.INT16, DType.INT8, DType.INT16, DType.INT64),
            (DType.FLOAT32, DType.FLOAT32, DType.FLOAT32, DType.FLOAT32),
        )
    )
    limits = (has_elements, is_plain, has_matching_shapes, has_constant_weights, has_quantization)
    max_inputs = 24
    updates = (HIDDEN, CELL)
    kernels = (
        DspTemplateKernel(lambda operation: _code(operation, dsp=True)),
        TemplateKernel(lambda operation: _code(operation, dsp=False)),
    )

    def parse(self, options: Options) -> LstmAttributes:
        """Read UnidirectionalSequenceLSTMOptions."""
        return LstmAttributes(
            Activation(options.get("fused_activation_function", "NONE")),
            float(options.get("cell_clip", 0.0)),
            bool(options.get("time_major", False)),
            bool(options.get("diagonal_recurrent_tensors", False)),
        )

    def infer(self, operation: Operation) -> tuple[tuple[int, ...], ...]:
        """The hidden state at each step."""
        return ((*operation.input(0).shape[:2], operation.input(GATES[0]).shape[0]),)

    def evaluate(self, operation: Operation, inputs: Sequence[Array | None]) -> tuple[Array, ...]:
        """Step by step, all sequences of the batch together."""
        sequence, hidden, cell = inputs[0], inputs[HIDDEN], inputs[CELL]
        assert sequence is not None and hidden is not None and cell is not None
        batch, time_major = batch_of(operation), attributes_of(operation).time_major
        steps = {DType.FLOAT32: float_step, DType.INT8: integer_step, DType.INT16: wide_step}
        step = steps[operation.output.dtype]
        h, c = hidden.reshape(batch, -1), cell.reshape(batch, -1)
        outputs = []
        for x in sequence if time_major else sequence.swapaxes(0, 1):
            h, c = step(operation, x, h, c)
            outputs.append(h)
        output = np.stack(outputs, axis=0 if time_major else 1)
        return output, h.reshape(hidden.shape), c.reshape(cell.shape)

    def access(self, operation: Operation, index: int) -> Access:
        """A step depends on all of its features."""
        return WHOLE

    def macs(self, operation: Operation) -> int:
        """One for each weight in each step of each sequence."""
        return macs_of(operation)


def _code(operation: Operation, *, dsp: bool) -> TemplateCode:
    attributes = attributes_of(operation)
    parameters: dict[str, Parameter] = {
        "batch": batch_of(operation),
        "steps": operation.input(0).shape[0 if attributes.time_major else 1],
        "features": operation.input(0).shape[2],
        "cells": operation.output.shape[2],
        "time_major": attributes.time_major,
        "dsp": dsp,
    }
    is_float, is_wide = (operation.output.dtype is dtype for dtype in (DType.FLOAT32, DType.INT16))
    code = (
        _float_code(operation)
        if is_float
        else _wide_code(operation)
        if is_wide
        else _integer_code(operation, dsp)
    )
    weights = (
        Constant("input_weights", _interleaved(operation, 0)),
        Constant("recurrent_weights", _interleaved(operation, RECURRENT)),
    )
    steps = operation.output.elements * (150 if is_float else 600)
    return replace(
        code,
        parameters={**parameters, **code.parameters},
        constants=(*weights, *code.constants),
        cycles=(2 if dsp else 5) * macs_of(operation) + steps,
    )


def _float_code(operation: Operation) -> TemplateCode:
    clip = attributes_of(operation).cell_clip
    return TemplateCode(
        "unidirectional_sequence_lstm/float.c.j2",
        {"clip": literal(DType.FLOAT32, clip) if clip > 0.0 else "none"},
        constants=(Constant("biases", _interleaved(operation, BIAS)),),
        runtime=("tc_math.h",),
    )


def _integer_code(operation: Operation, dsp: bool) -> TemplateCode:
    by_gate, hidden = multipliers(operation)
    pairs = np.array([(m.value, m.shift) for pair in by_gate for m in pair], np.int32)
    clip = cell_clip(operation)
    low, high = (-clip, clip) if clip else DType.INT16.limits
    return TemplateCode(
        "unidirectional_sequence_lstm/integer.c.j2",
        {"cell_power": cell_power(operation), "low": low, "high": high},
        constants=(
            Constant("biases", _folded_biases(operation), "for features and for the hidden state"),
            Constant("multipliers", pairs.reshape(4, 4), is_weight=False),
        ),
        arguments=(hidden.value, hidden.shift, operation.input(HIDDEN).zero_point),
        runtime=("tc_dot_dsp.h" if dsp else "tc_dot.h", "tc_fixed_point_16.h", "tc_requantize.h"),
    )


def _wide_code(operation: Operation) -> TemplateCode:
    by_gate, hidden = multipliers(operation)
    pairs = np.array([(reduced_multiplier(m), m.shift) for pair in by_gate for m in pair], np.int32)
    added, clip = added_multiplier(operation), cell_clip(operation)
    low, high = (-clip, clip) if clip else DType.INT16.limits
    return TemplateCode(
        "unidirectional_sequence_lstm/int16.c.j2",
        {"cell_power": cell_power(operation), "low": low, "high": high},
        constants=(
            Constant("biases", _interleaved(operation, BIAS), align=8),
            Constant("multipliers", pairs.reshape(4, 4), is_weight=False),
            sigmoid_constant(),
        ),
        arguments=(added.value, added.shift, hidden.value, hidden.shift),
        runtime=("tc_dot.h", "tc_requantize.h", "tc_sigmoid_16.h"),
    )


def _interleaved(operation: Operation, shift: int) -> Array:
    """Weights or biases of all gates, those of one cell together: [cells, 4, ...]."""
    return np.stack([operation.input(index + shift).values for index in GATES], axis=1)


def _folded_biases(operation: Operation) -> Array:
    """Biases with the zero points of features and hidden state folded in: int32 [cells, 2, 4]."""
    sums = [_interleaved(operation, shift).astype(np.int64).sum(axis=2) for shift in (0, RECURRENT)]
    first = _interleaved(operation, BIAS) - operation.input(0).zero_point * sums[0]
    second = -operation.input(HIDDEN).zero_point * sums[1]
    folded: Array = wrap_int32(np.stack([first, second], axis=1)).astype(np.int32)
    return folded
