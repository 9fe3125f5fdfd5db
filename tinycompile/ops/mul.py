"""MUL: the product of two tensors.

Quantized: the product of the operands without their zero points, scaled to the output; the factor is a float32 computation.
Source of the semantics: `Prepare` in tensorflow/lite/kernels/mul.cc and `MulElementwise` in reference/integer_ops/mul.h.
"""

from collections.abc import Sequence

import numpy as np

from tinycompile.ir import Array, DType, Options
from tinycompile.ops._elementwise import Body, Elementwise, elementwise_kernels, has_broadcast_shapes
from tinycompile.ops._fused import FusedAttributes, clamp_bounds, clamp_holes, clamped, has_clamp_activation
from tinycompile.ops._lane_products import (
    ChannelProductKernel,
    LaneProductKernel,
    ScaledProduct,
    scaled_product,
)
from tinycompile.ops._limits import QUANTIZED, has_elements, has_per_tensor_quantization
from tinycompile.ops.base import Operation, TypeRule, register
from tinycompile.program import Parameter
from tinycompile.quant import multiply_by_quantized_multiplier, quantize_multiplier


def has_bounded_factor(operation: Operation) -> str | None:
    """The product of the input scales is less than 2**14 times the output scale."""
    if operation.output.dtype not in QUANTIZED or has_per_tensor_quantization(operation):
        return None
    factor = product_factor(operation)
    return f"it is {factor:g} times that" if not factor < 2.0**14 else None


@register
class Mul(Elementwise):
    """MUL with broadcasting and a fused activation."""

    kind = "MUL"
    types = tuple(
        TypeRule((dtype,), (dtype,))
        for dtype in (DType.INT8, DType.UINT8, DType.INT16, DType.INT32, DType.INT64, DType.FLOAT32)
    )
    limits = (
        has_elements,
        has_broadcast_shapes,
        has_clamp_activation,
        has_per_tensor_quantization,
        has_bounded_factor,
    )
    min_inputs = 2
    kernels = (
        *elementwise_kernels(lambda operation, board: _body(operation)),
        LaneProductKernel(lambda operation: product_of(operation)),
        ChannelProductKernel(lambda operation: product_of(operation)),
    )

    def parse(self, options: Options) -> FusedAttributes:
        """Read MulOptions."""
        return FusedAttributes.parse(options)

    def evaluate(self, operation: Operation, inputs: Sequence[Array | None]) -> tuple[Array, ...]:
        """The scaled product, or the plain one."""
        first, second = inputs[0], inputs[1]
        assert first is not None and second is not None
        if operation.output.dtype not in QUANTIZED:
            return (clamped(operation, first * second),)
        products = (first.astype(np.int64) - operation.input(0).zero_point) * (
            second.astype(np.int64) - operation.input(1).zero_point
        )
        scaled = multiply_by_quantized_multiplier(products, quantize_multiplier(product_factor(operation)))
        return (clamped(operation, scaled + operation.output.zero_point),)


def product_factor(operation: Operation) -> float:
    """Factor from product to output, computed in float32 as TFLite does."""
    first, second, output = (
        np.float32(t.scale) for t in (operation.input(0), operation.input(1), operation.output)
    )
    return float(first * second / output)


def product_of(operation: Operation) -> ScaledProduct | None:
    """The constants of the kernels that take four elements of a word, for int8."""
    low, high = (int(bound) for bound in clamp_bounds(operation))
    first, second, output = (
        tensor.zero_point for tensor in (operation.input(0), operation.input(1), operation.output)
    )
    multiplier = quantize_multiplier(product_factor(operation))
    return scaled_product(multiplier, (first, second, output), (low, high))


def _body(operation: Operation) -> Body:
    """A plain product, or the quantized one; most factors take a shift that allows a shorter requantization."""
    dtype = operation.output.dtype
    holes: dict[str, Parameter] = {"kind": "MUL", "c_type": dtype.c_type}
    if dtype not in QUANTIZED:
        return Body("add/plain.c.j2", {**holes, "operator": "*", **clamp_holes(operation)}, cycles=6)
    multiplier = quantize_multiplier(product_factor(operation))
    low, high = (int(bound) for bound in clamp_bounds(operation))
    output_zero_point = operation.output.zero_point
    right = -multiplier.shift
    short = dtype is not DType.INT16 and 1 <= right <= 22
    saturates = short and (low, high) == (-128, 127)
    holes |= {"right": right if short else 0, "saturates": saturates}
    scaling = (
        ((output_zero_point << right) + (1 << (right - 1)),)
        if short
        else (multiplier.shift, output_zero_point)
    )
    arguments = (
        *(-operation.input(index).zero_point for index in (0, 1)),
        multiplier.value,
        *scaling,
        *(() if saturates else (low, high)),
    )
    runtime = ("tc_dsp.h", "tc_requantize.h")
    return Body("mul/scaled.c.j2", holes, (), arguments, runtime, 11 if short else 20, in_blocks=True)
