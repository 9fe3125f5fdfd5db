"""SPLIT_V: parts of given extents along an axis; one of them may be -1, which stands for the rest.

Source of the semantics: tensorflow/lite/kernels/split_v.cc.
"""

from collections.abc import Sequence

from tinycompile.ir import Array, DType
from tinycompile.ops._axis import along, axis_problem
from tinycompile.ops._copy import COPIED_TYPES, CopyKernel, DataMovement, Views
from tinycompile.ops._limits import constant_input, constant_integers, has_elements
from tinycompile.ops.base import Operation, TypeRule, register


def has_fitting_parts(operation: Operation) -> str | None:
    """The axis is one dimension of the tensor; the extents, one for each output, add up to its extent."""
    source = operation.inputs[0]
    extents, axis = constant_integers(operation, 1), constant_integers(operation, 2)
    if source is None or extents is None or axis is None:
        return None
    if len(axis) != 1 or axis_problem(axis[0], len(source.shape)):
        return f"axis {axis} of {source.describe()}"
    whole, known = source.shape[axis[0]], sum(extent for extent in extents if extent >= 0)
    legal = extents.count(-1) <= 1 and min(extents, default=0) >= -1
    fits = known <= whole if -1 in extents else known == whole
    return (
        None if legal and fits and len(extents) == len(operation.outputs) else f"extents {extents} of {whole}"
    )


@register
class SplitV(DataMovement):
    """SPLIT_V with constant extents and axis."""

    kind = "SPLIT_V"
    types = tuple(
        TypeRule((dtype, extent, DType.INT32), (dtype,))
        for dtype in COPIED_TYPES
        for extent in (DType.INT32, DType.INT64)
        if dtype is not DType.BOOL
    )
    limits = (
        has_elements,
        constant_input(1, "list of extents"),
        constant_input(2, "axis"),
        has_fitting_parts,
    )
    min_inputs = 3
    kernels = (CopyKernel(),)

    def infer(self, operation: Operation) -> tuple[tuple[int, ...], ...]:
        """Each part has its extent."""
        shape, axis = operation.input(0).shape, _axis(operation)
        return tuple((*shape[:axis], extent, *shape[axis + 1 :]) for extent in _extents(operation))

    def views(self, operation: Operation, inputs: Sequence[Array], outputs: Sequence[Array]) -> Views:
        """Each output from its part."""
        axis, start = _axis(operation), 0
        for output, extent in zip(outputs, _extents(operation), strict=True):
            yield output, inputs[0][along(axis, start, start + extent)]
            start += extent


def _axis(operation: Operation) -> int:
    return int(operation.input(2).values.reshape(-1)[0]) % len(operation.input(0).shape)


def _extents(operation: Operation) -> list[int]:
    extents = [int(extent) for extent in operation.input(1).values.reshape(-1)]
    rest = operation.input(0).shape[_axis(operation)] - sum(extent for extent in extents if extent >= 0)
    return [rest if extent < 0 else extent for extent in extents]
