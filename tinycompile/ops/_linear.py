"""What convolutions and FULLY_CONNECTED share: limits, multipliers, clamps, folded biases, reference requantization."""

from functools import lru_cache

import numpy as np

from tinycompile.ir import Array, DType, Tensor
from tinycompile.ops._fused import activation_of
from tinycompile.ops._limits import QUANTIZED, quantization_problem
from tinycompile.ops.base import Operation, TypeRule
from tinycompile.quant import (
    REAL_RANGES,
    Activation,
    Multiplier,
    activation_range,
    quantize_multiplier,
    quantize_multipliers,
    requantize,
    requantize_wide,
    wrap_int32,
)

INT8_TYPES = tuple(
    TypeRule((DType.INT8, weights, DType.INT32), (DType.INT8,)) for weights in (DType.INT8, DType.INT4)
)
"""Activations, weights, bias -> activations. Weights of 4 bits are unpacked when the file is read."""

UINT8_TYPES = (TypeRule((DType.UINT8, DType.UINT8, DType.INT32), (DType.UINT8,)),)
INT16_TYPES = (TypeRule((DType.INT16, DType.INT8, DType.INT64), (DType.INT16,)),)
INT16_BIAS_32_TYPES = (TypeRule((DType.INT16, DType.INT8, DType.INT32), (DType.INT16,)),)

LARGEST_SHIFT = 30
"""Left shift of the largest multiplier that is taken: factors of 2**30 and more do not occur in sound models."""
LARGEST_WIDE_SHIFT = 7
"""The same for sums of 64 bits, which the reference scales by a multiplier of 16 bits."""


def has_constant_weights(operation: Operation) -> str | None:
    """Weights and bias are constants."""
    for index, role in ((1, "weights"), (2, "bias")):
        tensor = operation.optional(index)
        if tensor is not None and not tensor.is_constant:
            return f"{role} {tensor.name!r} are computed by the model"
    return None


def has_image_operands(operation: Operation) -> str | None:
    """Input, weights and output have 4 dimensions, none of them 0."""
    for role, tensor in (
        ("input", operation.inputs[0]),
        ("weights", operation.inputs[1]),
        ("output", operation.output),
    ):
        if tensor is None:
            return f"{role} is missing"
        if len(tensor.shape) != 4 or min(tensor.shape) < 1:
            return f"{role} is {tensor.describe()}"
    return None


def has_per_tensor_activations(operation: Operation) -> str | None:
    """Input and output are quantized per tensor: a scale of at least 1e-30, a zero point in -128..127."""
    for role, tensor in (("input", operation.inputs[0]), ("output", operation.output)):
        problem = "no tensor" if tensor is None else quantization_problem(tensor)
        if problem:
            return f"{role} has {problem}"
    return None


def requantizes(operation: Operation) -> bool:
    """True when sums are scaled from integers to integers."""
    source = operation.inputs[0]
    return source is not None and source.dtype in QUANTIZED


def weight_quantization_problem(operation: Operation, channels: int) -> str | None:
    """What is wrong with the scales of the weights: one for all channels, or one for each (not uint8), finite, not negative."""
    weights = operation.inputs[1]
    if weights is not None and weights.dtype is DType.FLOAT32:
        return None
    if weights is None or weights.quantization is None:
        return "weights have no quantization"
    scales = weights.quantization.scales
    if len(scales) not in ((1,) if weights.dtype is DType.UINT8 else (1, channels)):
        return f"weights have {len(scales)} scales for {channels} output channels"
    if not all(scale >= 0.0 and np.isfinite(scale) for scale in scales):
        return "weights have a scale that is negative or not finite"
    return None


def has_symmetric_weights(operation: Operation) -> str | None:
    """Weights are quantized symmetrically, with zero point 0 (uint8: any)."""
    weights = operation.inputs[1]
    if weights is not None and weights.dtype is DType.UINT8:
        return None
    found = weights.quantization if weights is not None else None
    other = [zero_point for zero_point in found.zero_points if zero_point != 0] if found else []
    return f"weights have zero point {other[0]}" if other else None


def activation_problem(activation: Activation) -> str | None:
    """Names a fused activation that is not a clamp."""
    return None if activation in REAL_RANGES else f"fused activation is {activation.value}"


def bias_problem(operation: Operation, channels: int) -> str | None:
    """What is wrong with the bias: it has one element for each output channel."""
    bias = operation.optional(2)
    if bias is not None and bias.elements != channels:
        return f"bias {bias.describe()} for {channels} output channels"
    return None


def multiplier_problem(operation: Operation, multipliers: tuple[Multiplier, ...]) -> str | None:
    """Names a factor that shifts accumulators out of their type."""
    largest = max(multiplier.shift for multiplier in multipliers)
    allowed = LARGEST_WIDE_SHIFT if sums_in_64_bits(operation) else LARGEST_SHIFT
    return f"an output scale makes accumulators grow by 2**{largest}" if largest > allowed else None


def sums_in_64_bits(operation: Operation) -> bool:
    """True for int16 activations, unless the bias has 32 bits. Without a bias a matrix and a transposed convolution have 32.

    TensorFlow Lite Micro differs from TFLite without a bias: its sums have 64 bits.
    """
    if operation.output.dtype is not DType.INT16:
        return False
    bias = operation.optional(2)
    if bias is not None:
        return bias.dtype is DType.INT64
    return operation.node.kind not in ("FULLY_CONNECTED", "TRANSPOSE_CONV")


def convolution_multipliers(operation: Operation, channels: int) -> tuple[Multiplier, ...]:
    """Factor from accumulator to output for each channel; the scales are multiplied in double (TFLite's convolutions).

    Source: `PopulateConvolutionQuantizationParams` in tensorflow/lite/kernels/kernel_util.cc.
    """
    source, weights = operation.input(0), operation.input(1)
    assert weights.quantization is not None
    multipliers = _multipliers(source.scale, weights.quantization.scales, operation.output.scale)
    return multipliers if len(multipliers) == channels else multipliers * channels


@lru_cache(maxsize=128)
def _multipliers(source: float, weights: tuple[float, ...], output: float) -> tuple[Multiplier, ...]:
    """Remembered, as the kernels of an operation all ask for them."""
    return quantize_multipliers(source * np.array(weights) / output)


def matrix_multipliers(operation: Operation, units: int) -> tuple[Multiplier, ...]:
    """Factor from accumulator to output for each unit of a FULLY_CONNECTED.

    With one scale for all weights TFLite multiplies the two scales in float32 (`GetQuantizedConvolutionMultipler` in
    tensorflow/lite/kernels/kernel_util.cc); with one for each unit it does as for convolutions.
    """
    source, weights = operation.input(0), operation.input(1)
    assert weights.quantization is not None
    if weights.quantization.per_channel:
        return convolution_multipliers(operation, units)
    product = float(np.float32(source.scale) * np.float32(weights.quantization.scales[0]))
    return (quantize_multiplier(product / operation.output.scale),) * units


def multipliers_of(operation: Operation, channels: int) -> tuple[Multiplier, ...]:
    """Factor from accumulator to output for each channel of a convolution or of FULLY_CONNECTED; uint8 counts as the latter."""
    is_legacy = operation.input(0).dtype is DType.UINT8 or operation.node.kind == "FULLY_CONNECTED"
    return (matrix_multipliers if is_legacy else convolution_multipliers)(operation, channels)


def clamps(output: Tensor, activation: Activation) -> tuple[int, int]:
    """Least and greatest output of a fused activation."""
    return activation_range(activation, output.scale, output.zero_point, output.dtype.limits)


def bias_values(operation: Operation, channels: int) -> Array:
    """The bias as int64, zeros when it is absent."""
    bias = operation.optional(2)
    return bias.values.reshape(-1).astype(np.int64) if bias is not None else np.zeros(channels, np.int64)


def weights_without_zero_point(operation: Operation) -> Array:
    """Weights minus their zero point: int8, or int16 where a difference needs it."""
    weights = operation.input(1)
    values = weights.values.astype(np.int16) - np.int16(weights.zero_point)
    fits = values.min() >= -128 and values.max() <= 127
    return values.astype(np.int8) if fits else values


def folded_bias(weights: Array, bias: Array, zero_point: int) -> Array:
    """Bias that makes sum(w * x) + folded equal sum(w * (x - zero_point)) + bias, modulo 2**32.

    `weights` is [channels, taps], bias [channels]; the result is int32.
    """
    folded: Array = wrap_int32(bias - zero_point * weights.astype(np.int64).sum(axis=1)).astype(np.int32)
    return folded


def requantized(operation: Operation, accumulators: Array) -> Array:
    """Scale int64 accumulators [..., channels] and clamp them to the output's type.

    Accumulators of 32 bits wrap and are rounded twice, those of 64 bits once.
    """
    output, multipliers = operation.output, multipliers_of(operation, accumulators.shape[-1])
    scaled = (
        requantize_wide(accumulators, multipliers)
        if sums_in_64_bits(operation)
        else requantize(wrap_int32(accumulators), multipliers)
    )
    low, high = clamps(output, activation_of(operation))
    return np.clip(scaled + output.zero_point, low, high).astype(output.dtype.numpy)


def channel_constants(
    weights: Array, bias: Array, zero_point: int, multipliers: tuple[Multiplier, ...]
) -> Array:
    """Bias with the input's zero point folded in, multiplier and shift of each channel: int32 [channels, 3].

    `weights` is [channels, taps].
    """
    values = np.array([m.value for m in multipliers], np.int32)
    shifts = np.array([m.shift for m in multipliers], np.int32)
    return np.stack([folded_bias(weights, bias, zero_point), values, shifts], axis=1)
