"""SLICE: a box of the input, from `begin`, with extents `size`; a size of -1 stands for the rest.

Source of the semantics: `Slice` in tensorflow/lite/kernels/internal/reference/slice.h.
"""

from collections.abc import Sequence

from tinycompile.ir import Array, DType
from tinycompile.ops._copy import COPIED_TYPES, CopyKernel, DataMovement, Views
from tinycompile.ops._limits import constant_input, constant_integers, has_elements
from tinycompile.ops.base import Operation, TypeRule, register


def has_box_inside(operation: Operation) -> str | None:
    """Begin and size have an element for each dimension, and the box lies inside of the input."""
    source = operation.inputs[0]
    begin, size = constant_integers(operation, 1), constant_integers(operation, 2)
    if source is None or begin is None or size is None:
        return None
    if not len(begin) == len(size) == len(source.shape):
        return f"{len(begin)} begins and {len(size)} sizes for {source.describe()}"
    inside = all(
        0 <= b <= extent and (s == -1 or 0 <= s <= extent - b)
        for b, s, extent in zip(begin, size, source.shape, strict=True)
    )
    return None if inside else f"begin {begin}, size {size} of {source.describe()}"


@register
class Slice(DataMovement):
    """SLICE with constant begin and size."""

    kind = "SLICE"
    types = tuple(
        TypeRule((dtype, index), (dtype,)) for dtype in COPIED_TYPES for index in (DType.INT32, DType.INT64)
    )
    limits = (has_elements, constant_input(1, "begin"), constant_input(2, "size"), has_box_inside)
    min_inputs = 3
    kernels = (CopyKernel(),)

    def infer(self, operation: Operation) -> tuple[tuple[int, ...], ...]:
        """The extents of the box."""
        return (tuple(part.stop - part.start for part in _box(operation)),)

    def views(self, operation: Operation, inputs: Sequence[Array], outputs: Sequence[Array]) -> Views:
        """All of the output from the box."""
        return [(outputs[0], inputs[0][_box(operation)])]


def _box(operation: Operation) -> tuple[slice, ...]:
    begins, sizes = (operation.input(index).values.reshape(-1).tolist() for index in (1, 2))
    return tuple(
        slice(begin, extent if size == -1 else begin + size)
        for begin, size, extent in zip(begins, sizes, operation.input(0).shape, strict=True)
    )
