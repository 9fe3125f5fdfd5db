"""SPLIT: equal parts along an axis. The axis is the first input, the tensor the second.

Source of the semantics: `Split` in tensorflow/lite/kernels/internal/reference/reference_ops.h.
"""

from collections.abc import Sequence

from tinycompile.ir import Array, DType
from tinycompile.ops._axis import along, axis_problem
from tinycompile.ops._copy import COPIED_TYPES, CopyKernel, DataMovement, Views
from tinycompile.ops._limits import constant_input, constant_integers, has_elements
from tinycompile.ops.base import Operation, TypeRule, register

NOT_TAKEN = (DType.INT64, DType.BOOL)
"""Types that the reference does not take."""


def has_equal_parts(operation: Operation) -> str | None:
    """The axis is one dimension of the tensor, and its extent a multiple of the number of outputs."""
    axis, source = constant_integers(operation, 0), operation.optional(1)
    if source is None or axis is None:
        return None
    if len(axis) != 1 or axis_problem(axis[0], len(source.shape)):
        return f"axis {axis} of {source.describe()}"
    count = len(operation.outputs)
    return f"{count} parts of {source.describe()}, axis {axis[0]}" if source.shape[axis[0]] % count else None


@register
class Split(DataMovement):
    """SPLIT along a constant axis."""

    kind = "SPLIT"
    types = tuple(
        TypeRule((DType.INT32, dtype), (dtype,)) for dtype in COPIED_TYPES if dtype not in NOT_TAKEN
    )
    limits = (has_elements, constant_input(0, "axis"), has_equal_parts)
    min_inputs = 2
    kernels = (CopyKernel(),)

    def infer(self, operation: Operation) -> tuple[tuple[int, ...], ...]:
        """Each part has the extent divided by the number of parts."""
        shape, axis = operation.input(1).shape, _axis(operation)
        part = shape[axis] // len(operation.outputs)
        return ((*shape[:axis], part, *shape[axis + 1 :]),) * len(operation.outputs)

    def views(self, operation: Operation, inputs: Sequence[Array], outputs: Sequence[Array]) -> Views:
        """Each output from its part."""
        axis = _axis(operation)
        part = outputs[0].shape[axis]
        return [(out, inputs[1][along(axis, i * part, (i + 1) * part)]) for i, out in enumerate(outputs)]


def _axis(operation: Operation) -> int:
    return int(operation.input(0).values.reshape(-1)[0]) % len(operation.input(1).shape)
