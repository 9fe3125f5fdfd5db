"""TRANSPOSE_CONV: every input pixel adds its multiple of the filters to a window of the output.

Computed the other way round: output pixel y takes the input pixels i and taps k with y + pad = i * stride + k. Inputs are the
output's shape, OHWI weights, the image, and optionally a bias.
Source of the semantics: `TransposeConv` in tensorflow/lite/kernels/internal/reference/integer_ops/transpose_conv.h.
"""

from collections.abc import Sequence

import numpy as np

from tinycompile.assembly.matrix_shape import Weights
from tinycompile.ir import Array, DType, Options
from tinycompile.ops._limits import constant_input, constant_integers, has_elements
from tinycompile.ops._linear import (
    activation_problem,
    bias_problem,
    bias_values,
    has_per_tensor_activations,
    has_symmetric_weights,
    multiplier_problem,
    multipliers_of,
    requantized,
    weight_quantization_problem,
)
from tinycompile.ops._template import DspTemplateKernel, TemplateKernel
from tinycompile.ops._transpose_conv_asm import TransposeConvAsm
from tinycompile.ops._transpose_phases import access_of
from tinycompile.ops._transposed import (
    TransposeConvAttributes,
    as_convolution,
    attributes_of,
    axes_of,
    dsp_code,
    filters_of,
    float_bias,
    macs_of,
    portable_code,
    transposed_axes,
)
from tinycompile.ops._window import WindowOptions
from tinycompile.ops.access import WHOLE, Access
from tinycompile.ops.base import Operation, Operator, TypeRule, register
from tinycompile.quant import REAL_RANGES, Activation


def has_images(operation: Operation) -> str | None:
    """Image, weights and output have 4 dimensions; image and weights have the same input channels."""
    image, weights, output = operation.optional(2), operation.optional(1), operation.output
    if image is None or weights is None:
        return "an operand is missing"
    found = f"{image.describe()} and {weights.describe()} to {output.describe()}"
    if not all(len(tensor.shape) == 4 and min(tensor.shape) > 0 for tensor in (image, weights, output)):
        return found
    return None if image.shape[3] == weights.shape[3] else found


def has_legal_size(operation: Operation) -> str | None:
    """A convolution of the given size with these weights, strides and padding would give the image."""
    shape = constant_integers(operation, 0)
    window = attributes_of(operation).window
    if shape is None or has_images(operation) or window.problem:
        return window.problem
    image, weights = operation.input(2), operation.input(1)
    fits = len(shape) == 4 and min(shape) > 0 and (shape[0], shape[3]) == (image.shape[0], weights.shape[0])
    if fits:
        rows, columns = axes_of(operation, tuple(shape))
        fits = (rows.out_extent, columns.out_extent) == image.shape[1:3]
    return None if fits else f"size {shape} from {image.describe()} with weights {weights.describe()}"


def has_constant_bias(operation: Operation) -> str | None:
    """The bias, where there is one, is constant and has an element for each output channel."""
    bias = operation.optional(3)
    if bias is None or has_images(operation):
        return None
    if not bias.is_constant:
        return f"{bias.name!r} is computed by the model"
    return bias_problem(as_convolution(operation), operation.input(1).shape[0])


def has_clamp_activation(operation: Operation) -> str | None:
    """The fused activation is NONE, RELU, RELU6 or RELU_N1_TO_1."""
    return activation_problem(attributes_of(operation).activation)


def has_quantization(operation: Operation) -> str | None:
    """Integers: image and output are quantized per tensor, weights symmetrically with one scale or one for each channel.

    uint8: weights have one scale, and any zero point.
    """
    if operation.output.dtype is DType.FLOAT32 or has_images(operation):
        return None
    convolution, channels = as_convolution(operation), operation.input(1).shape[0]
    problem = (
        has_per_tensor_activations(convolution)
        or has_symmetric_weights(convolution)
        or weight_quantization_problem(convolution, channels)
    )
    return problem or multiplier_problem(convolution, multipliers_of(convolution, channels))


@register
class TransposeConv(Operator):
    """TRANSPOSE_CONV."""

    kind = "TRANSPOSE_CONV"
    types = (
        TypeRule((DType.INT32, DType.INT8, DType.INT8, DType.INT32), (DType.INT8,)),
        TypeRule((DType.INT32, DType.INT8, DType.INT16, DType.INT64), (DType.INT16,)),
        TypeRule((DType.INT32, DType.INT8, DType.INT16, DType.INT32), (DType.INT16,)),
        TypeRule((DType.INT32, DType.UINT8, DType.UINT8, DType.INT32), (DType.UINT8,)),
        TypeRule((DType.INT32, DType.FLOAT32, DType.FLOAT32, DType.FLOAT32), (DType.FLOAT32,)),
    )
    limits = (
        has_elements,
        constant_input(0, "output shape"),
        constant_input(1, "weights tensor"),
        has_images,
        has_legal_size,
        has_constant_bias,
        has_clamp_activation,
        has_quantization,
    )
    min_inputs = 3
    max_inputs = 4
    kernels = (
        TransposeConvAsm(),
        TransposeConvAsm(Weights.PACKED),
        TransposeConvAsm(Weights.CHAINED),
        DspTemplateKernel(dsp_code, by_row=True),
        TemplateKernel(portable_code, by_row=True),
    )

    def parse(self, options: Options) -> TransposeConvAttributes:
        """Read TransposeConvOptions."""
        activation = Activation(options.get("fused_activation_function", "NONE"))
        return TransposeConvAttributes(WindowOptions.parse(options), activation)

    def infer(self, operation: Operation) -> tuple[tuple[int, ...], ...]:
        """The given shape."""
        return (tuple(int(extent) for extent in operation.input(0).values.reshape(-1)),)

    def evaluate(self, operation: Operation, inputs: Sequence[Array | None]) -> tuple[Array, ...]:
        """Every tap adds the image times its weights to a strided part of the padded output; float64 holds integers exactly."""
        image, output = inputs[2], operation.output
        assert image is not None
        quantized = output.dtype is not DType.FLOAT32
        wide = image.astype(np.float64) - operation.input(2).zero_point if quantized else image
        weights = filters_of(operation)
        rows, columns = transposed_axes(operation)
        height, width = image.shape[1:3]
        padded = np.zeros(
            (
                output.shape[0],
                height * rows.stride + rows.taps,
                width * columns.stride + columns.taps,
                output.shape[3],
            ),
            wide.dtype,
        )
        for i in range(rows.taps):
            for j in range(columns.taps):
                taken = slice(i, i + height * rows.stride, rows.stride)
                beside = slice(j, j + width * columns.stride, columns.stride)
                padded[:, taken, beside] += wide @ weights[:, i, j, :].astype(wide.dtype).T
        bottom = max(0, rows.pad_before + output.shape[1] - padded.shape[1])
        right = max(0, columns.pad_before + output.shape[2] - padded.shape[2])
        padded = np.pad(padded, ((0, 0), (0, bottom), (0, right), (0, 0)))
        total = padded[:, rows.pad_before :, columns.pad_before :][:, : output.shape[1], : output.shape[2]]
        if not quantized:
            low, high = clamps_of_float(attributes_of(operation).activation)
            return (np.clip(total + float_bias(operation), low, high).astype(np.float32),)
        convolution = as_convolution(operation)
        return (requantized(convolution, total.astype(np.int64) + bias_values(convolution, output.shape[3])),)

    def access(self, operation: Operation, index: int) -> Access:
        """The pixels that the taps of a row come from."""
        return access_of(transposed_axes(operation)[0]) if index == 2 else WHOLE

    def filter_pointers(self, operation: Operation, pointers: int, out_row: int) -> tuple[int | None, ...]:
        """From the last pointer on backwards, those taps that a row of the phase of `out_row` takes."""
        rows, _ = transposed_axes(operation)
        phase = (out_row + rows.pad_before) % rows.stride
        return tuple(
            pointers - 1 - tap // rows.stride if tap % rows.stride == phase else None
            for tap in range(rows.taps)
        )

    def macs(self, operation: Operation) -> int:
        """One for each input element and weight of its channel."""
        return macs_of(operation)


def clamps_of_float(activation: Activation) -> tuple[float, float]:
    """Bounds of a fused activation on float32."""
    low, high = REAL_RANGES[activation]
    return -np.inf if low is None else low, np.inf if high is None else high
