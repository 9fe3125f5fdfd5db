"""RELU, RELU6 and RELU_N1_TO_1: a clamp of real values.

Quantized: scaled to the output with a float32 factor, then clamped. Source of the semantics: `QuantizedReluX` in
tensorflow/lite/kernels/activations.cc.
"""

from typing import ClassVar

import numpy as np

from tinycompile.board import Board
from tinycompile.ir import Array, DType
from tinycompile.ops._activations import activation_kernels, same_types
from tinycompile.ops._elementwise import Body, ElementwiseKernel
from tinycompile.ops._float_quotient import has_bounded_scale, scale_multiplier
from tinycompile.ops._limits import has_elements, has_per_tensor_quantization
from tinycompile.ops._lookup import Unary, unary_of
from tinycompile.ops.base import Operation
from tinycompile.quant import (
    REAL_RANGES,
    Activation,
    activation_range,
    multiply_by_quantized_multiplier,
)


class Clamp(Unary):
    """Base of these operators."""

    activation: ClassVar[Activation]
    types = same_types(DType.INT8, DType.UINT8, DType.INT16, DType.FLOAT32)
    limits = (has_elements, has_per_tensor_quantization, has_bounded_scale)

    def apply(self, operation: Operation, values: Array) -> Array:
        """Scale and clamp."""
        low, high = REAL_RANGES[self.activation]
        if values.dtype == np.float32:
            return np.clip(values, low, high).astype(np.float32)
        source, output = operation.input(0), operation.output
        scaled = multiply_by_quantized_multiplier(
            values.astype(np.int64) - source.zero_point, scale_multiplier(operation)
        )
        result: Array = np.clip(scaled + output.zero_point, *self.bounds(operation)).astype(
            output.dtype.numpy
        )
        return result

    def bounds(self, operation: Operation) -> tuple[int, int]:
        """Least and greatest quantized output."""
        output = operation.output
        return activation_range(self.activation, output.scale, output.zero_point, output.dtype.limits)


class ClampInt16Kernel(ElementwiseKernel):
    """int16: scaled and clamped."""

    name = "requantize"

    def __init__(self) -> None:
        super().__init__(_body)

    def supports(self, operation: Operation, board: Board) -> bool:
        """int16 inputs."""
        return operation.input(0).dtype is DType.INT16


def _body(operation: Operation, board: Board) -> Body:
    operator, multiplier = unary_of(operation), scale_multiplier(operation)
    assert isinstance(operator, Clamp)
    c_type = operation.output.dtype.c_type
    return Body(
        template="quantize/requantize.c.j2",
        parameters={"kind": operation.node.kind, "in_type": c_type, "out_type": c_type},
        arguments=(0, multiplier.value, multiplier.shift, 0, *operator.bounds(operation)),
        runtime=("tc_requantize.h",),
        cycles=20,
    )


Clamp.kernels = (*activation_kernels(), ClampInt16Kernel())
