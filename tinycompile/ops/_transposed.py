"""Transposed convolutions: options, operands, and the code of the kernels."""

from dataclasses import dataclass, field, replace

import numpy as np

from tinycompile.ir import Array, Attributes, DType
from tinycompile.ops._fused import clamp_holes
from tinycompile.ops._linear import (
    bias_values,
    clamps,
    multipliers_of,
    sums_in_64_bits,
    weights_without_zero_point,
)
from tinycompile.ops._template import TemplateCode
from tinycompile.ops._window import WindowAxis, WindowOptions, window_of
from tinycompile.ops.base import Operation
from tinycompile.program import Constant, Parameter
from tinycompile.quant import Activation, reduced_multiplier, wrap_int32

_TEMPLATE = "transpose_conv/portable.c.j2"


@dataclass(frozen=True)
class TransposeConvAttributes(Attributes):
    """Options of a transposed convolution."""

    window: WindowOptions = field(default_factory=WindowOptions)
    activation: Activation = Activation.NONE


def as_convolution(operation: Operation) -> Operation:
    """Image, weights and bias in the order in which a convolution has them."""
    inputs = (operation.optional(2), operation.optional(1), operation.optional(3))
    return Operation(operation.node, inputs, operation.outputs)


def float_bias(operation: Operation) -> Array:
    """The bias, zeros when it is absent."""
    bias = operation.optional(3)
    return bias.values.reshape(-1) if bias is not None else np.zeros(operation.output.shape[3], np.float32)


def macs_of(operation: Operation) -> int:
    """One for each input element and weight of its channel."""
    channels, rows, columns, _ = operation.input(1).shape
    return operation.input(2).elements * rows * columns * channels


def _holes(operation: Operation) -> dict[str, Parameter]:
    image, output = operation.input(2), operation.output
    rows, columns = transposed_axes(operation)
    return {
        "c_type": output.dtype.c_type,
        "images": output.shape[0],
        "pointers": -(-rows.taps // rows.stride),
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


def portable_code(operation: Operation) -> TemplateCode:
    """One output channel after the other."""
    output, filters = operation.output, Constant("weights", filters_of(operation))
    is_float, is_wide = output.dtype is DType.FLOAT32, sums_in_64_bits(as_convolution(operation))
    code = (_float_code if is_float else _wide_code if is_wide else _narrow_code)(operation)
    return replace(
        code,
        parameters={**_holes(operation), "weight_type": filters.c_type, **code.parameters},
        constants=(filters, *code.constants),
        cycles=4 * macs_of(operation) + 40 * output.elements,
    )


def dsp_code(operation: Operation) -> TemplateCode:
    """int8 with blocks of four output channels."""
    code, filters = _narrow_code(operation), filters_of(operation)
    taps, channels = code.constants
    return replace(
        code,
        template="transpose_conv/dsp.c.j2",
        parameters=_holes(operation),
        constants=(
            Constant("weights", _in_fours(filters.reshape(len(filters), -1, filters.shape[3]))),
            replace(taps, values=_in_fours(taps.values.reshape(len(filters), -1))),
            channels,
        ),
        runtime=("tc_dot_dsp.h", "tc_requantize.h"),
        cycles=2 * macs_of(operation) + 50 * operation.output.elements,
    )


def _in_fours(values: Array) -> Array:
    """[channels, taps, ...] with the values of four channels together for each tap; fewer than four at the end as they are."""
    blocks, tail = np.split(values, [len(values) // 4 * 4])
    together = blocks.reshape(-1, 4, *values.shape[1:]).swapaxes(1, 2)
    return np.concatenate([together.reshape(-1), tail.reshape(-1)])


def _narrow_code(operation: Operation) -> TemplateCode:
    """Sums of 32 bits."""
    convolution, output, channels = as_convolution(operation), operation.output, operation.output.shape[3]
    taps = -operation.input(2).zero_point * filters_of(operation).astype(np.int64).sum(axis=3)
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
        (output.zero_point, *clamps(output, attributes_of(operation).activation)),
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
        clamps(output, attributes_of(operation).activation),
        runtime=("tc_dot.h", "tc_requantize.h"),
    )


def _float_code(operation: Operation) -> TemplateCode:
    holes: dict[str, Parameter] = {"form": "float", **clamp_holes(operation)}
    return TemplateCode(_TEMPLATE, holes, (2,), (Constant("bias", float_bias(operation)),))


def filters_of(operation: Operation) -> Array:
    """The weights without their zero point."""
    is_float = operation.output.dtype is DType.FLOAT32
    return operation.input(1).values if is_float else weights_without_zero_point(as_convolution(operation))


def axes_of(operation: Operation, shape: tuple[int, ...]) -> tuple[WindowAxis, WindowAxis]:
    """The window of the convolution that leads from the output back to the image."""
    taps = operation.input(1).shape[1:3]
    window = window_of(attributes_of(operation).window, shape, (taps[0], taps[1]))
    return window.rows, window.columns


def transposed_axes(operation: Operation) -> tuple[WindowAxis, WindowAxis]:
    """The same of an operation whose output has its shape."""
    return axes_of(operation, operation.output.shape)


def attributes_of(operation: Operation) -> TransposeConvAttributes:
    """The options of a transposed convolution."""
    assert isinstance(operation.node.attributes, TransposeConvAttributes)
    return operation.node.attributes
