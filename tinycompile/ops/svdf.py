"""SVDF: a filter over time as a product of a filter over features and one over the last calls (singular value decomposition).

Every call appends one value per filter to the state, [batch, filters * memory], whose oldest leaves. Inputs are the features, the
weights of features and time, an optional bias, and the state, a variable tensor. The integer kernels apply no fused activation:
tflite-runtime asks for RELU there, and computes the same as without. Source of the semantics: `EvalIntegerSVDF` and
`EvalFloatSVDF` in tensorflow/lite/kernels/internal/reference/svdf.h, and svdf_common.cc of TFLM for a state of int8.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from tinycompile.ir import Array, Attributes, DType, Options
from tinycompile.ops._fused import clamp_holes, clamped, has_clamp_activation
from tinycompile.ops._limits import constant_input, has_elements, quantization_problem
from tinycompile.ops._template import DspTemplateKernel, TemplateCode, TemplateKernel
from tinycompile.ops.access import WHOLE, Access
from tinycompile.ops.base import Operation, Operator, TypeRule, register
from tinycompile.program import Constant, Parameter
from tinycompile.quant import (
    Activation,
    Multiplier,
    multiply_by_quantized_multiplier,
    quantize_multiplier,
    wrap_int32,
)

STATE = 4
"""The input that is the state."""

LARGEST_FACTOR = 2.0**30


@dataclass(frozen=True)
class SvdfAttributes(Attributes):
    """`rank` filters are added up for each unit of the output."""

    rank: int = 0
    activation: Activation = Activation.NONE


def has_matching_shapes(operation: Operation) -> str | None:
    """Features are [batch, F], their weights [units * rank, F], those of time [units * rank, memory], the bias [units]; the
    state is [batch, units * rank * memory].
    """
    given = [operation.optional(index) for index in (0, 1, 2, STATE)]
    if any(tensor is None or len(tensor.shape) != 2 for tensor in given):
        return "an input is missing or has no 2 dimensions"
    (batch, features), (filters, width), (rows, memory), state = (t.shape for t in given if t is not None)
    rank, bias = _attributes(operation).rank, operation.optional(3)
    found = ", ".join(tensor.describe() for tensor in operation.inputs if tensor is not None)
    if rank < 1 or filters % rank or memory < 1:
        return f"rank {rank} with {found}"
    fits = (width, rows, state) == (features, filters, (batch, filters * memory))
    return None if fits and (bias is None or bias.shape == (filters // rank,)) else found


def has_constant_bias(operation: Operation) -> str | None:
    """The bias, where there is one, is a constant."""
    bias = operation.optional(3)
    return f"{bias.name!r} is computed by the model" if bias is not None and not bias.is_constant else None


def has_float_activation(operation: Operation) -> str | None:
    """float32: the fused activation is NONE, RELU, RELU6 or RELU_N1_TO_1."""
    return has_clamp_activation(operation) if operation.output.dtype is DType.FLOAT32 else None


def has_quantization(operation: Operation) -> str | None:
    """Quantized tensors have one scale each, weights and a state of int16 zero point 0; no accumulator grows by 2**30 or more."""
    if operation.output.dtype is DType.FLOAT32 or has_matching_shapes(operation):
        return None
    tensors = [(f"input {index}", operation.input(index)) for index in (0, 1, 2, STATE)]
    for role, tensor in (*tensors, ("the output", operation.output)):
        problem = quantization_problem(tensor)
        if problem:
            return f"{role} has {problem}"
    for role, tensor in tensors[1:3]:
        if tensor.zero_point:
            return f"{role} has zero point {tensor.zero_point}"
    largest = max(_factors(operation))
    return None if largest < LARGEST_FACTOR else f"one grows by {largest:g}"


@register
class Svdf(Operator):
    """SVDF."""

    kind = "SVDF"
    types = (
        TypeRule((DType.INT8, DType.INT8, DType.INT16, DType.INT32, DType.INT16), (DType.INT8,)),
        TypeRule((DType.INT8, DType.INT8, DType.INT8, DType.INT32, DType.INT8), (DType.INT8,)),
        TypeRule((DType.FLOAT32,), (DType.FLOAT32,)),
    )
    limits = (
        has_elements,
        constant_input(1, "weights of the features"),
        constant_input(2, "weights of time"),
        has_matching_shapes,
        has_constant_bias,
        has_float_activation,
        has_quantization,
    )
    min_inputs = 3
    max_inputs = 5
    updates = (STATE,)
    kernels = (
        DspTemplateKernel(lambda operation: _code(operation, dsp=True)),
        TemplateKernel(lambda operation: _code(operation, dsp=False)),
    )

    def parse(self, options: Options) -> SvdfAttributes:
        """Read SVDFOptions."""
        activation = Activation(options.get("fused_activation_function", "NONE"))
        return SvdfAttributes(int(options.get("rank", 0)), activation)

    def infer(self, operation: Operation) -> tuple[tuple[int, ...], ...]:
        """[batch, units]."""
        filters = operation.input(1).shape[0]
        return ((operation.input(0).shape[0], filters // _attributes(operation).rank),)

    def evaluate(self, operation: Operation, inputs: Sequence[Array | None]) -> tuple[Array, ...]:
        """Append to the state, weigh it, add up."""
        features, old = inputs[0], inputs[STATE]
        assert features is not None and old is not None
        weights, time = operation.input(1).values, operation.input(2).values
        batch, (filters, memory) = len(features), time.shape
        line = np.roll(old.reshape(batch, filters, memory), -1, axis=2)
        if operation.output.dtype is DType.FLOAT32:
            line[:, :, -1] = features @ weights.T
            return clamped(operation, self._sums(operation, line * time)), line.reshape(old.shape)
        first, second = _multipliers(operation)
        sums = (features.astype(np.int64) - operation.input(0).zero_point) @ weights.astype(np.int64).T
        state, output = operation.input(STATE), operation.output
        newest = np.clip(multiply_by_quantized_multiplier(wrap_int32(sums), first), *state.dtype.limits)
        line[:, :, -1] = (newest + state.zero_point).astype(state.dtype.numpy)
        weighed = (line.astype(np.int64) - state.zero_point) * time
        scaled = multiply_by_quantized_multiplier(wrap_int32(self._sums(operation, weighed)), second)
        result = np.clip(scaled + output.zero_point, *output.dtype.limits).astype(output.dtype.numpy)
        return result, line.reshape(old.shape)

    def _sums(self, operation: Operation, weighed: Array) -> Array:
        """Over memory and rank, with the bias."""
        batch, units = operation.output.shape
        sums: Array = weighed.reshape(batch, units, -1).sum(axis=2, dtype=weighed.dtype)
        bias = operation.optional(3)
        return sums if bias is None else sums + bias.values.astype(weighed.dtype)

    def access(self, operation: Operation, index: int) -> Access:
        """Every unit depends on all features."""
        return WHOLE

    def macs(self, operation: Operation) -> int:
        """One for each weight and batch."""
        return operation.input(0).shape[0] * (operation.input(1).elements + operation.input(2).elements)


def _attributes(operation: Operation) -> SvdfAttributes:
    assert isinstance(operation.node.attributes, SvdfAttributes)
    return operation.node.attributes


def _factors(operation: Operation) -> tuple[float, float]:
    """From features to the state and from the state to the output; scales are multiplied in float32, as the reference does."""
    features, weights, time, state = (np.float32(operation.input(index).scale) for index in (0, 1, 2, STATE))
    return float(features * weights / state), float(state * time / np.float32(operation.output.scale))


def _multipliers(operation: Operation) -> tuple[Multiplier, Multiplier]:
    first, second = _factors(operation)
    return quantize_multiplier(first), quantize_multiplier(second)


def _code(operation: Operation, *, dsp: bool) -> TemplateCode:
    batch, features = operation.input(0).shape
    filters, memory = operation.input(2).shape
    parameters: dict[str, Parameter] = {
        "batch": batch,
        "features": features,
        "units": filters // _attributes(operation).rank,
        "rank": _attributes(operation).rank,
        "memory": memory,
    }
    weights = (
        Constant("feature_weights", operation.input(1).values),
        Constant("time_weights", operation.input(2).values),
    )
    is_float = operation.output.dtype is DType.FLOAT32
    code = _float_code(operation) if is_float else _integer_code(operation, dsp)
    return replace(
        code,
        parameters={**parameters, **code.parameters},
        constants=(*weights, *code.constants),
        cycles=batch * filters * ((2 if dsp else 5) * (features + memory) + 40),
    )


def _float_code(operation: Operation) -> TemplateCode:
    bias = Constant("bias", _bias(operation).astype(np.float32))
    return TemplateCode("svdf/float.c.j2", clamp_holes(operation), constants=(bias,))


def _integer_code(operation: Operation, dsp: bool) -> TemplateCode:
    first, second = _multipliers(operation)
    state = operation.input(STATE)
    return TemplateCode(
        "svdf/integer.c.j2",
        {
            "state_type": state.dtype.c_type,
            "state_bytes": state.dtype.element_bytes,
            "low": state.dtype.limits[0],
            "high": state.dtype.limits[1],
            "dsp": dsp,
        },
        constants=_folded_biases(operation),
        arguments=(
            first.value,
            first.shift,
            state.zero_point,
            second.value,
            second.shift,
            operation.output.zero_point,
        ),
        runtime=("tc_dot.h", *(("tc_dot_dsp.h",) if dsp else ()), "tc_requantize.h", "tc_shift_down.h"),
    )


def _bias(operation: Operation) -> Array:
    bias = operation.optional(3)
    return bias.values if bias is not None else np.zeros(operation.output.shape[1], np.int64)


def _folded_biases(operation: Operation) -> tuple[Constant, Constant]:
    """What the zero points of features and state add to each filter and, with the bias, to each unit."""
    sums = operation.input(1).values.astype(np.int64).sum(axis=1)
    filters = wrap_int32(-operation.input(0).zero_point * sums).astype(np.int32)
    time = operation.input(2).values.astype(np.int64).sum(axis=1).reshape(operation.output.shape[1], -1)
    units = _bias(operation).astype(np.int64) - operation.input(STATE).zero_point * time.sum(axis=1)
    return Constant("filter_bias", filters), Constant("unit_bias", wrap_int32(units).astype(np.int32))
