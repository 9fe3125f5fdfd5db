"""BROADCAST_TO: the input repeated along dimensions of extent 1 and new ones.

Source of the semantics: `BroadcastTo` in tensorflow/lite/kernels/internal/reference/broadcast_to.h.
"""

from collections.abc import Sequence

import numpy as np

from tinycompile.ir import Array, DType
from tinycompile.ops._copy import COPIED_TYPES, CopyKernel, DataMovement, Views
from tinycompile.ops._limits import constant_input, constant_integers, has_elements
from tinycompile.ops.base import Operation, TypeRule, register


def has_broadcastable_shape(operation: Operation) -> str | None:
    """The input's shape broadcasts to the given one."""
    source, shape = operation.inputs[0], constant_integers(operation, 1)
    if source is None or shape is None:
        return None
    try:
        fits = np.broadcast_shapes(source.shape, tuple(shape)) == tuple(shape)
    except ValueError:
        fits = False
    return None if fits else f"{source.describe()} to {shape}"


@register
class BroadcastTo(DataMovement):
    """BROADCAST_TO a constant shape."""

    kind = "BROADCAST_TO"
    types = tuple(
        TypeRule((dtype, shape), (dtype,)) for dtype in COPIED_TYPES for shape in (DType.INT32, DType.INT64)
    )
    limits = (has_elements, constant_input(1, "shape"), has_broadcastable_shape)
    min_inputs = 2
    kernels = (CopyKernel(),)

    def infer(self, operation: Operation) -> tuple[tuple[int, ...], ...]:
        """The given shape."""
        return (tuple(int(extent) for extent in operation.input(1).values.reshape(-1)),)

    def views(self, operation: Operation, inputs: Sequence[Array], outputs: Sequence[Array]) -> Views:
        """All of the output from the repeated input."""
        return [(outputs[0], np.broadcast_to(inputs[0], outputs[0].shape))]
