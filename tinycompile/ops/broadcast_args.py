"""BROADCAST_ARGS: the shape that two shapes broadcast to.

Source of the semantics: tensorflow/lite/kernels/internal/reference/broadcast_args.h. What it refuses while it runs, two
extents that differ and of which none is 1, gives the first one here.
"""

from collections.abc import Sequence

import numpy as np

from tinycompile.ir import Array, DType
from tinycompile.ops._limits import constant_integers, has_elements
from tinycompile.ops._template import TemplateCode, TemplateKernel
from tinycompile.ops.access import WHOLE, Access
from tinycompile.ops.base import Operation, Operator, TypeRule, register


def has_shapes(operation: Operation) -> str | None:
    """Both inputs have one dimension."""
    tensors = (operation.inputs[0], operation.optional(1))
    if any(tensor is None or len(tensor.shape) != 1 for tensor in tensors):
        return " and ".join("nothing" if tensor is None else tensor.describe() for tensor in tensors)
    return None


def has_shapes_that_broadcast(operation: Operation) -> str | None:
    """Constant shapes broadcast."""
    first, second = constant_integers(operation, 0), constant_integers(operation, 1)
    if first is None or second is None:
        return None
    pairs = zip(reversed(first), reversed(second), strict=False)
    return None if all(x == y or 1 in (x, y) for x, y in pairs) else f"{first} and {second}"


@register
class BroadcastArgs(Operator):
    """BROADCAST_ARGS."""

    kind = "BROADCAST_ARGS"
    types = tuple(TypeRule((dtype,), (dtype,)) for dtype in (DType.INT32, DType.INT64))
    limits = (has_elements, has_shapes, has_shapes_that_broadcast)
    min_inputs = 2
    kernels = (TemplateKernel(lambda operation: _code(operation)),)

    def infer(self, operation: Operation) -> tuple[tuple[int, ...], ...]:
        """As many extents as the longer shape has."""
        return ((max(operation.input(0).elements, operation.input(1).elements),),)

    def evaluate(self, operation: Operation, inputs: Sequence[Array | None]) -> tuple[Array, ...]:
        """Shapes grow to the left by extents of 1."""
        first, second = inputs[0], inputs[1]
        assert first is not None and second is not None
        extents = operation.output.elements
        x, y = (np.pad(shape, (extents - len(shape), 0), constant_values=1) for shape in (first, second))
        return (np.where(x == 1, y, x),)

    def access(self, operation: Operation, index: int) -> Access:
        """An extent may come from another place."""
        return WHOLE


def _code(operation: Operation) -> TemplateCode:
    return TemplateCode(
        "broadcast_args/portable.c.j2",
        {
            "c_type": operation.output.dtype.c_type,
            "extents": operation.output.elements,
            "first": operation.input(0).elements,
            "second": operation.input(1).elements,
        },
        inputs=(0, 1),
        cycles=10 * operation.output.elements,
    )
