"""PADV2: elements of a given value around the input.

Source of the semantics: `Eval` in tensorflow/lite/kernels/pad.cc; the value is taken as it is stored.
"""

from collections.abc import Sequence

from tinycompile.ir import Array, DType
from tinycompile.ops._copy import COPIED_TYPES, CopyKernel, DataMovement, Views
from tinycompile.ops._limits import constant_input, has_elements
from tinycompile.ops._padding import has_padding_pairs, interior, padded_shape
from tinycompile.ops.base import Operation, TypeRule, register


def has_single_value(operation: Operation) -> str | None:
    """The value is one element."""
    value = operation.optional(2)
    return None if value is None or value.elements == 1 else f"value {value.describe()}"


@register
class PadV2(DataMovement):
    """PADV2 with constant paddings and a constant value."""

    kind = "PADV2"
    types = tuple(
        TypeRule((dtype, DType.INT32, dtype), (dtype,)) for dtype in COPIED_TYPES if dtype is not DType.BOOL
    )
    limits = (
        has_elements,
        constant_input(1, "paddings"),
        constant_input(2, "value"),
        has_padding_pairs,
        has_single_value,
    )
    min_inputs = 3
    kernels = (CopyKernel(),)

    def infer(self, operation: Operation) -> tuple[tuple[int, ...], ...]:
        """Each extent grows by its two paddings."""
        return (padded_shape(operation),)

    def fill(self, operation: Operation) -> int | float | bool | None:
        """The value."""
        value: int | float | bool = operation.input(2).values.reshape(-1)[0].item()
        return value

    def views(self, operation: Operation, inputs: Sequence[Array], outputs: Sequence[Array]) -> Views:
        """The interior of the output from all of the input."""
        return [(interior(operation, outputs[0]), inputs[0])]
