"""MUL: the product of two tensors.

Quantized: the product of the operands without their zero points, scaled to the output; the factor is a float32 computation.
Source of the semantics: `Prepare` in tensorflow/lite/kernels/mul.cc and `MulElementwise` in reference/integer_ops/mul.h.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from tinycompile.ir import Array, DType, Options
from tinycompile.ops._elementwise import Body, Elementwise, elementwise_kernels, has_broadcast_shapes
from tinycompile.ops._fused import FusedAttributes, clamp_bounds, clamp_holes, clamped, has_clamp_activation
from tinycompile.ops._limits import QUANTIZED, has_elements, has_per_tensor_quantization
from tinycompile.ops._staircase import ScaledProduct, scaled_product
from tinycompile.ops.base import Operation, TypeRule, register
from tinycompile.program import Parameter
from tinycompile.quant import Multiplier, multiply_by_quantized_multiplier, quantize_multiplier
from tinycompile.quant.multiplier import Int64


def has_bounded_factor(operation: Operation) -> str | None:
    """The product of the input scales is less than 2**14 times the output scale."""
    if operation.output.dtype not in QUANTIZED or has_per_tensor_quantization(operation):
        return None
    factor = product_factor(operation)
    return f"it is {factor:g} times that" if not factor < 2.0**14 else None


@dataclass(frozen=True)
class Product:
    """The fixed-point steps of a quantized product; hashable, so that what follows from it is computed once."""

    dtype: DType
    zero_points: tuple[int, int]
    factor: float
    output_zero_point: int
    bounds: tuple[int, int]

    @property
    def multiplier(self) -> Multiplier:
        """Factor from product to output."""
        return quantize_multiplier(self.factor)

    def apply(self, products: Int64) -> Int64:
        """Outputs of products of operands without their zero points."""
        scaled = multiply_by_quantized_multiplier(products, self.multiplier) + self.output_zero_point
        result: Int64 = np.clip(scaled, *self.bounds)
        return result


@register
class Mul(Elementwise):
    """MUL with broadcasting and a fused activation."""

    kind = "MUL"
    types = tuple(
        TypeRule((dtype,), (dtype,))
        for dtype in (DType.INT8, DType.UINT8, DType.INT16, DType.INT32, DType.INT64, DType.FLOAT32)
    )
    limits = (has_elements, has_broadcast_shapes, has_clamp_activation, has_per_tensor_quantization, has_bounded_factor)
    min_inputs = 2
    kernels = elementwise_kernels(lambda operation, board: _body(operation))

    def parse(self, options: Options) -> FusedAttributes:
        """Read MulOptions."""
        return FusedAttributes.parse(options)

    def evaluate(self, operation: Operation, inputs: Sequence[Array | None]) -> tuple[Array, ...]:
        """The scaled product, or the plain one."""
        first, second = inputs[0], inputs[1]
        assert first is not None and second is not None
        if operation.output.dtype not in QUANTIZED:
            return (clamped(operation, first * second),)
        steps = _product(operation)
        zero_points = steps.zero_points
        products = (first.astype(np.int64) - zero_points[0]) * (second.astype(np.int64) - zero_points[1])
        return (steps.apply(products).astype(operation.output.dtype.numpy),)


def product_factor(operation: Operation) -> float:
    """Factor from product to output, computed in float32 as TFLite does."""
    first, second, output = (np.float32(t.scale) for t in (operation.input(0), operation.input(1), operation.output))
    return float(first * second / output)


def _product(operation: Operation) -> Product:
    low, high = clamp_bounds(operation)
    return Product(
        dtype=operation.output.dtype,
        zero_points=(operation.input(0).zero_point, operation.input(1).zero_point),
        factor=product_factor(operation),
        output_zero_point=operation.output.zero_point,
        bounds=(int(low), int(high)),
    )


def _body(operation: Operation) -> Body:
    """A plain product, a multiply-shift that is proved to give the same bytes, or the fixed-point steps themselves."""
    dtype = operation.output.dtype
    holes: dict[str, Parameter] = {"kind": "MUL", "c_type": dtype.c_type}
    if dtype not in QUANTIZED:
        return Body("add/plain.c.j2", {**holes, "operator": "*", **clamp_holes(operation)}, cycles=6)
    steps = _product(operation)
    offsets = tuple(-zero_point for zero_point in steps.zero_points)
    found = _scaled(steps)
    if found is not None:
        holes |= {"left": found.left, "shift": found.shift, "ties_away": found.ties_away}
        arguments = (*offsets, found.multiplier, found.offset, found.low, found.high)
        return Body("mul/scaled.c.j2", holes, (), arguments, ("tc_requantize.h",), cycles=12)
    multiplier = steps.multiplier
    arguments = (*offsets, multiplier.value, multiplier.shift, steps.output_zero_point, *steps.bounds)
    return Body("mul/requantized.c.j2", holes, (), arguments, ("tc_requantize.h",), cycles=20)


@cache
def _scaled(steps: Product) -> ScaledProduct | None:
    """Looks at all products; for int16 there are too many."""
    if steps.dtype is DType.INT16:
        return None
    low, high = steps.dtype.limits
    first, second = (np.arange(low, high + 1, dtype=np.int64) - zero_point for zero_point in steps.zero_points)
    products = np.unique(first[:, None] * second[None, :])
    return scaled_product(steps.factor, products, steps.apply(products))
