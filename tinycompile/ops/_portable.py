"""Forms of the portable kernels: element types, and what precedes and follows their sums of products.

One template computes a layer in each form; `templates/macros/portable.j2` writes what differs.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from tinycompile.ir import Array, DType
from tinycompile.ops._dynamic import channel_scales, scales_sum_first
from tinycompile.ops._fused import activation_of, clamp_holes
from tinycompile.ops._linear import bias_values, channel_constants, clamps, multipliers_of, sums_in_64_bits
from tinycompile.ops.base import Operation
from tinycompile.program import Constant, Parameter, Passing
from tinycompile.quant import reduced_multiplier

_NARROW_FUNCTIONS: Mapping[tuple[DType, str], dict[str, Parameter]] = {
    (DType.INT8, "int8"): {},
    (DType.INT16, "int8"): {"dot": "(int32_t)tc_dot_s16_s8"},
    (DType.UINT8, "int8"): {"dot": "tc_dot_u8_s8"},
    (DType.UINT8, "int16"): {
        "weight_type": "int16_t",
        "dot": "tc_dot_u8_s16",
        "sum_of_weights": "tc_sum_s16",
    },
}
"""Holes that differ, by the types of activations and packed weights."""


@dataclass(frozen=True, eq=False)
class PortableForm:
    """What a form adds to the code of a kernel; `inputs` come behind the activations."""

    holes: Mapping[str, Parameter]
    constants: tuple[Constant, ...]
    arguments: tuple[int, ...] = ()
    inputs: tuple[tuple[int, Passing], ...] = ()
    runtime: tuple[str, ...] = ("tc_dot.h", "tc_requantize.h")


def portable_form(operation: Operation, weights: Array, packed: Array, *, border: bool) -> PortableForm:
    """The form for the element types of a layer.

    `weights` are [channels, taps], `packed` the same as the kernel reads them; `border`: it sees what lies outside of the image.
    """
    if operation.output.dtype is DType.FLOAT32:
        return _dynamic(operation, weights, packed)
    if sums_in_64_bits(operation):
        return _wide(operation, packed)
    return _narrow(operation, weights, packed, border)


def _holes(operation: Operation, form: str, **others: Parameter) -> dict[str, Parameter]:
    """Holes that the templates and their macros read in every form; those that a form does not use are empty."""
    return {
        "form": form,
        "in_type": operation.input(0).dtype.c_type,
        "out_type": operation.output.dtype.c_type,
        "weight_type": "int8_t",
        "sum_type": "int32_t",
        "dot": "tc_dot_s8",
        "sum_of_weights": "tc_sum_s8",
        "has_zero_point": False,
        "asymmetric": False,
        "has_bias": False,
        "scales_sum_first": False,
        "low": "none",
        "high": "none",
        **others,
    }


def _narrow(operation: Operation, weights: Array, packed: Array, border: bool) -> PortableForm:
    """Sums of 32 bits."""
    source, output = operation.input(0), operation.output
    channels = output.shape[-1]
    folded = channel_constants(
        weights, bias_values(operation, channels), source.zero_point, multipliers_of(operation, channels)
    )
    types = _NARROW_FUNCTIONS[source.dtype, packed.dtype.name]
    return PortableForm(
        holes=_holes(operation, "narrow", has_zero_point=source.dtype is not DType.INT16, **types),
        constants=(Constant("weights", packed), Constant("channels", folded, "bias, multiplier, shift")),
        arguments=(
            *((source.zero_point,) if border and source.dtype is not DType.INT16 else ()),
            output.zero_point,
            *clamps(output, activation_of(operation)),
        ),
    )


def _wide(operation: Operation, packed: Array) -> PortableForm:
    """int16 activations with zero point 0, int8 weights, sums of 64 bits."""
    channels = operation.output.shape[-1]
    multipliers = multipliers_of(operation, channels)
    factors = [(reduced_multiplier(m), m.shift) for m in multipliers]
    return PortableForm(
        holes=_holes(operation, "wide", sum_type="int64_t", dot="tc_dot_s16_s8"),
        constants=(
            Constant("weights", packed),
            Constant("biases", bias_values(operation, channels), "bias of each channel", align=8),
            Constant("channels", np.array(factors, np.int32), "multiplier, shift"),
        ),
        arguments=clamps(operation.output, activation_of(operation)),
    )


def _dynamic(operation: Operation, weights: Array, packed: Array) -> PortableForm:
    """int8 activations that were quantized when the model ran: inputs 3 and 4 are factor and zero point of each image."""
    asymmetric, bias = operation.optional(4) is not None, operation.optional(2)
    scales = np.resize(np.array(channel_scales(operation), np.float32), operation.output.shape[-1])
    constants = [Constant("weights", packed), Constant("scales", scales, "scale of each channel")]
    if asymmetric:
        sums = weights.astype(np.int64).sum(axis=1).astype(np.int32)
        constants.append(Constant("weight_sums", sums, "sum of the weights of each channel"))
    if bias is not None:
        constants.append(Constant("biases", bias.values.reshape(-1), "bias of each channel"))
    return PortableForm(
        holes=_holes(
            operation,
            "dynamic",
            has_zero_point=asymmetric,
            asymmetric=asymmetric,
            has_bias=bias is not None,
            scales_sum_first=scales_sum_first(operation),
            **clamp_holes(operation),
        ),
        constants=tuple(constants),
        inputs=tuple((index, Passing.POINTER) for index in ((3, 4) if asymmetric else (3,))),
        runtime=("tc_dot.h", "tc_float.h"),
    )
