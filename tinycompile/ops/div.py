"""DIV: the quotient; integers are divided towards zero, and a divisor of 0, which the reference refuses at run time, gives 0."""

from collections.abc import Sequence

import numpy as np

from tinycompile.ir import Array, DType, Options
from tinycompile.ops._binary import binary_types
from tinycompile.ops._elementwise import Body, Elementwise, elementwise_kernels, has_broadcast_shapes
from tinycompile.ops._fused import FusedAttributes, clamp_holes, clamped, has_clamp_activation
from tinycompile.ops._limits import has_elements
from tinycompile.ops.base import Operation, register


@register
class Div(Elementwise):
    """DIV with broadcasting and a fused activation."""

    kind = "DIV"
    types = binary_types(None, DType.INT32, DType.FLOAT32)
    limits = (has_elements, has_broadcast_shapes, has_clamp_activation)
    min_inputs = 2
    kernels = elementwise_kernels(
        lambda operation, board: Body(
            "div/plain.c.j2",
            {"c_type": operation.output.dtype.c_type, **clamp_holes(operation)},
            runtime=("tc_math.h",),
            cycles=16,
        )
    )

    def parse(self, options: Options) -> FusedAttributes:
        """Read DivOptions."""
        return FusedAttributes.parse(options)

    def evaluate(self, operation: Operation, inputs: Sequence[Array | None]) -> tuple[Array, ...]:
        """Divide and clamp."""
        first, second = inputs[0], inputs[1]
        assert first is not None and second is not None
        with np.errstate(divide="ignore", invalid="ignore"):
            if operation.output.dtype is DType.FLOAT32:
                return (clamped(operation, first / second),)
            wide = np.abs(first.astype(np.int64)) // np.where(second == 0, 1, np.abs(second.astype(np.int64)))
            return (clamped(operation, np.where(second == 0, 0, wide * np.sign(first) * np.sign(second))),)
