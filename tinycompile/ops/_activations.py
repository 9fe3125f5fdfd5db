"""What activation operators share: types, tables through float32, and kernels for float32."""

from collections.abc import Callable

import numpy as np

from tinycompile.board import Board
from tinycompile.ir import Array, DType
from tinycompile.ops._copy import literal
from tinycompile.ops._elementwise import Body, ElementwiseKernel
from tinycompile.ops._lookup import lookup_kernels
from tinycompile.ops.base import Kernel, Operation, TypeRule
from tinycompile.program import Parameter

Holes = Callable[[Operation], dict[str, Parameter]]


def same_types(*dtypes: DType) -> tuple[TypeRule, ...]:
    """Input and output have the same type, one of these."""
    return tuple(TypeRule((dtype,), (dtype,)) for dtype in dtypes)


def through_float(operation: Operation, values: Array, function: Callable[[Array], Array]) -> Array:
    """Dequantize, map in float32, quantize: how TFLite fills its tables (`LUTPopulate` in internal/common.h).

    What exceeds int32 becomes its least value there, by the conversion of the computers that TFLite runs on.
    """
    source, output = operation.input(0), operation.output
    inverse = np.float32(1.0) / np.float32(output.scale)
    with np.errstate(over="ignore"):
        real = np.float32(source.scale) * (values.astype(np.int32) - source.zero_point).astype(np.float32)
        scaled = (function(real).astype(np.float32) * inverse).astype(np.float64)
    rounded = np.sign(scaled) * np.floor(np.abs(scaled) + 0.5) + output.zero_point
    rounded = np.where(np.abs(rounded) < 2.0**31, rounded, -(2.0**31))
    result: Array = np.clip(rounded, *output.dtype.limits).astype(output.dtype.numpy)
    return result


class FloatKernel(ElementwiseKernel):
    """float32: the expression of the operator's kind in `unary/float.c.j2`."""

    name = "float"

    def __init__(self, holes: Holes = lambda operation: {}, cycles: int = 10) -> None:
        def body(operation: Operation, board: Board) -> Body:
            parameters: dict[str, Parameter] = {
                "kind": operation.node.kind,
                "alpha": "none",
                **holes(operation),
            }
            return Body("unary/float.c.j2", parameters, runtime=("tc_math.h",), cycles=cycles)

        super().__init__(body)

    def supports(self, operation: Operation, board: Board) -> bool:
        """float32 inputs."""
        return operation.input(0).dtype is DType.FLOAT32


def activation_kernels(holes: Holes = lambda operation: {}, cycles: int = 10) -> tuple[Kernel, ...]:
    """A table for types of one byte, the expression for float32."""
    return *lookup_kernels(), FloatKernel(holes, cycles)


def float_hole(value: float) -> str:
    """A float32 literal."""
    return literal(DType.FLOAT32, value)
