"""FILL: a tensor of one value.

Source of the semantics: `Fill` in tensorflow/lite/kernels/internal/reference/fill.h.
"""

from collections.abc import Sequence

import numpy as np

from tinycompile.ir import Array, DType
from tinycompile.ops._copy import COPIED_TYPES, CopyKernel, DataMovement, Views
from tinycompile.ops._limits import constant_input, constant_integers, has_elements
from tinycompile.ops.base import Operation, TypeRule, register


def has_single_value(operation: Operation) -> str | None:
    """The value is a scalar, and no extent is negative."""
    value, shape = operation.optional(1), constant_integers(operation, 0)
    if value is None or shape is None:
        return None
    return None if value.shape == () and min(shape, default=0) >= 0 else f"{value.describe()} to {shape}"


@register
class Fill(DataMovement):
    """FILL of a constant shape."""

    kind = "FILL"
    types = tuple(
        TypeRule((shape, dtype), (dtype,))
        for dtype in COPIED_TYPES
        for shape in (DType.INT32, DType.INT64)
        if dtype is not DType.UINT8
    )
    limits = (has_elements, constant_input(0, "shape"), has_single_value)
    min_inputs = 2
    kernels = (CopyKernel(),)

    def infer(self, operation: Operation) -> tuple[tuple[int, ...], ...]:
        """The given shape."""
        return (tuple(int(extent) for extent in operation.input(0).values.reshape(-1)),)

    def views(self, operation: Operation, inputs: Sequence[Array], outputs: Sequence[Array]) -> Views:
        """The value everywhere."""
        return [(outputs[0], np.broadcast_to(inputs[1], outputs[0].shape))]
