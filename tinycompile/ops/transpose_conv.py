"""TRANSPOSE_CONV: every input pixel adds its multiple of the filters to a window of the output.

Computed the other way round: output pixel y takes the input pixels i and taps k with y + pad = i * stride + k. Inputs are the
output's shape, OHWI weights, the image, and optionally a bias.
Source of the semantics: `TransposeConv` in tensorflow/lite/kernels/internal/reference/integer_ops/transpose_conv.h.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from tinycompile.ir import Array, Attributes, DType, Options
from tinycompile.ops._fused import clamp_holes
from tinycompile.ops._limits import constant_input, constant_integers, has_elements
from tinycompile.ops._linear import (
    activation_problem,
    bias_problem,
    bias_values,
    clamps,
    has_per_tensor_activations,
    has_symmetric_weights,
    multiplier_problem,
    multipliers_of,
    requantized,
    sums_in_64_bits,
    weight_quantization_problem,
    weights_without_zero_point,
)
from tinycompile.ops._template import TemplateCode, TemplateKernel
from tinycompile.ops._window import WindowAxis, WindowOptions, window_of
from tinycompile.ops.access import WHOLE, Access
from tinycompile.ops.base import Operation, Operator, TypeRule, register
from tinycompile.program import Constant, Parameter
from tinycompile.quant import REAL_RANGES, Activation, reduced_multiplier, wrap_int32


@dataclass(frozen=True)
class TransposeConvAttributes(Attributes):
    """Options of a transposed convolution."""

    window: WindowOptions = field(default_factory=WindowOptions)
    activation: Activation = Activation.NONE


def as_convolution(operation: Operation) -> Operation:
    """Image, weights and bias in the order in which a convolution has them."""
    inputs = (operation.optional(2), operation.optional(1), operation.optional(3))
    return Operation(operation.node, inputs, operation.outputs)


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
    window = _attributes(operation).window
    if shape is None or has_images(operation) or window.problem:
        return window.problem
    image, weights = operation.input(2), operation.input(1)
    fits = len(shape) == 4 and min(shape) > 0 and (shape[0], shape[3]) == (image.shape[0], weights.shape[0])
    if fits:
        rows, columns = _axes(operation, tuple(shape))
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
    return activation_problem(_attributes(operation).activation)


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
    kernels = (TemplateKernel(lambda operation: _code(operation)),)

    def parse(self, options: Options) -> TransposeConvAttributes:
        """Read TransposeConvOptions."""
        activation = Activation(options.get("fused_activation_function", "NONE"))
        return TransposeConvAttributes(WindowOptions.parse(options), activation)

    def infer(self, operation: Operation) -> tuple[tuple[int, ...], ...]:
        """The given shape."""
        return (tuple(int(extent) for extent in operation.input(0).values.reshape(-1)),)

    def evaluate(self, operation: Operation, inputs: Sequence[Array | None]) -> tuple[Array, ...]:
        """Every tap adds the image times its weights to a strided part of the padded output."""
        image, output = inputs[2], operation.output
        assert image is not None
        quantized = output.dtype is not DType.FLOAT32
        wide = image.astype(np.int64) - operation.input(2).zero_point if quantized else image
        weights = _filters(operation)
        rows, columns = _axes(operation, output.shape)
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
            low, high = clamps_of_float(_attributes(operation).activation)
            return (np.clip(total + _float_bias(operation), low, high).astype(np.float32),)
        convolution = as_convolution(operation)
        return (requantized(convolution, total + bias_values(convolution, output.shape[3])),)

    def access(self, operation: Operation, index: int) -> Access:
        """All of the image."""
        return WHOLE

    def macs(self, operation: Operation) -> int:
        """One for each input element and weight of its channel."""
        return _macs(operation)


def clamps_of_float(activation: Activation) -> tuple[float, float]:
    """Bounds of a fused activation on float32."""
    low, high = REAL_RANGES[activation]
    return -np.inf if low is None else low, np.inf if high is None else high


def _float_bias(operation: Operation) -> Array:
    bias = operation.optional(3)
    return bias.values.reshape(-1) if bias is not None else np.zeros(operation.output.shape[3], np.float32)


def _macs(operation: Operation) -> int:
    channels, rows, columns, _ = operation.input(1).shape
    return operation.input(2).elements * rows * columns * channels


def _code(operation: Operation) -> TemplateCode:
    image, output = operation.input(2), operation.output
    filters = Constant("weights", _filters(operation))
    rows, columns = _axes(operation, output.shape)
    parameters: dict[str, Parameter] = {
        "c_type": output.dtype.c_type,
        "weight_type": filters.c_type,
        "images": output.shape[0],
        "height": image.shape[1],
        "width": image.shape[2],
        "depth": image.shape[3],
        "out_height": output.shape[1],
        "out_width": output.shape[2],
        "out_channels": output.shape[3],
        "window_rows": rows.taps,
        "window_columns": columns.taps,
        "stride_rows": rows.stride,
        "stride_columns": columns.stride,
        "pad_top": rows.pad_before,
        "pad_left": columns.pad_before,
    }
    is_float, is_wide = output.dtype is DType.FLOAT32, sums_in_64_bits(as_convolution(operation))
    code = (_float_code if is_float else _wide_code if is_wide else _narrow_code)(operation)
    return replace(
        code,
        parameters={**parameters, **code.parameters},
        constants=(filters, *code.constants),
        cycles=4 * _macs(operation) + 40 * output.elements,
    )


_TEMPLATE = "transpose_conv/portable.c.j2"


def _narrow_code(operation: Operation) -> TemplateCode:
    """Sums of 32 bits."""
    convolution, output, channels = as_convolution(operation), operation.output, operation.output.shape[3]
    taps = -operation.input(2).zero_point * _filters(operation).astype(np.int64).sum(axis=3)
    multipliers, bias = multipliers_of(convolution, channels), bias_values(convolution, channels)
    rows = [(int(b), m.value, m.shift) for b, m in zip(bias, multipliers, strict=True)]
    return TemplateCode(
        _TEMPLATE,
        {"form": "narrow"},
        (2,),
        (
            Constant("tap_bias", wrap_int32(taps).astype(np.int32)),
            Constant("channels", np.array(rows, np.int32), "bias, multiplier, shift"),
        ),
        (output.zero_point, *clamps(output, _attributes(operation).activation)),
        runtime=("tc_dot.h", "tc_requantize.h"),
    )


def _wide_code(operation: Operation) -> TemplateCode:
    """Sums of 64 bits."""
    convolution, output, channels = as_convolution(operation), operation.output, operation.output.shape[3]
    factors = [(reduced_multiplier(m), m.shift) for m in multipliers_of(convolution, channels)]
    return TemplateCode(
        _TEMPLATE,
        {"form": "wide"},
        (2,),
        (
            Constant("bias", bias_values(convolution, channels), align=8),
            Constant("channels", np.array(factors, np.int32), "multiplier, shift"),
        ),
        clamps(output, _attributes(operation).activation),
        runtime=("tc_dot.h", "tc_requantize.h"),
    )


def _float_code(operation: Operation) -> TemplateCode:
    holes: dict[str, Parameter] = {"form": "float", **clamp_holes(operation)}
    return TemplateCode(_TEMPLATE, holes, (2,), (Constant("bias", _float_bias(operation)),))


def _filters(operation: Operation) -> Array:
    """The weights without their zero point."""
    is_float = operation.output.dtype is DType.FLOAT32
    return operation.input(1).values if is_float else weights_without_zero_point(as_convolution(operation))


def _axes(operation: Operation, shape: tuple[int, ...]) -> tuple[WindowAxis, WindowAxis]:
    """The window of the convolution that leads from the output back to the image."""
    taps = operation.input(1).shape[1:3]
    window = window_of(_attributes(operation).window, shape, (taps[0], taps[1]))
    return window.rows, window.columns


def _attributes(operation: Operation) -> TransposeConvAttributes:
    assert isinstance(operation.node.attributes, TransposeConvAttributes)
    return operation.node.attributes
