"""GATHER_ND: slices named by tuples of indices into the leading dimensions.

Source of the semantics: `GatherNd` in tensorflow/lite/kernels/internal/reference/reference_ops.h.
"""

from collections.abc import Sequence
from math import prod

import numpy as np

from tinycompile.ir import Array, DType
from tinycompile.ops._copy import COPIED_TYPES
from tinycompile.ops._limits import has_elements
from tinycompile.ops._template import TemplateCode, TemplateKernel
from tinycompile.ops.access import WHOLE, Access
from tinycompile.ops.base import Operation, Operator, TypeRule, register


def has_tuples(operation: Operation) -> str | None:
    """The last dimension of the indices is no longer than the input has dimensions; neither is a scalar."""
    table, indices = operation.inputs[0], operation.optional(1)
    if table is None or indices is None:
        return "an input is missing"
    legal = table.shape and indices.shape and 1 <= indices.shape[-1] <= len(table.shape)
    return None if legal else f"{table.describe()} and {indices.describe()}"


def has_indices_inside(operation: Operation) -> str | None:
    """Constant indices lie inside of their dimensions."""
    indices = operation.optional(1)
    if has_tuples(operation) or indices is None or not indices.is_constant or not indices.dtype.is_integer:
        return None
    tuples = indices.values.reshape(-1, indices.shape[-1])
    inside = ((tuples >= 0) & (tuples < _extents(operation))).all(axis=1)
    if inside.all():
        return None
    return f"index {tuples[~inside][0].tolist()} into {operation.input(0).describe()}"


@register
class GatherNd(Operator):
    """GATHER_ND; an index beyond its dimension is limited to it, so that no model reads elsewhere."""

    kind = "GATHER_ND"
    types = tuple(
        TypeRule((dtype, index), (dtype,))
        for dtype in COPIED_TYPES
        if dtype is not DType.BOOL
        for index in (DType.INT32, DType.INT64)
    )
    limits = (has_elements, has_tuples, has_indices_inside)
    min_inputs = 2
    kernels = (TemplateKernel(lambda operation: _code(operation)),)

    def infer(self, operation: Operation) -> tuple[tuple[int, ...], ...]:
        """A slice for each tuple."""
        table, indices = operation.input(0).shape, operation.input(1).shape
        return ((*indices[:-1], *table[indices[-1] :]),)

    def evaluate(self, operation: Operation, inputs: Sequence[Array | None]) -> tuple[Array, ...]:
        """As the kernel does."""
        table, indices = inputs[0], inputs[1]
        assert table is not None and indices is not None
        inside = np.clip(indices, 0, np.array(_extents(operation)) - 1)
        return (table[tuple(np.moveaxis(inside, -1, 0))],)

    def access(self, operation: Operation, index: int) -> Access:
        """Any slice may be taken."""
        return WHOLE


def _extents(operation: Operation) -> tuple[int, ...]:
    """The dimensions that the indices walk."""
    return operation.input(0).shape[: operation.input(1).shape[-1]]


def _code(operation: Operation) -> TemplateCode:
    table, indices, extents = operation.input(0), operation.input(1), _extents(operation)
    return TemplateCode(
        "gather_nd/gather_nd.c.j2",
        {
            "c_type": operation.output.dtype.c_type,
            "index_type": indices.dtype.c_type,
            "tuples": prod(indices.shape[:-1]),
            "extents": extents,
            "inner": prod(table.shape[len(extents) :]),
        },
        inputs=(0, 1),
        cycles=2 * operation.output.elements + 6 * indices.elements,
    )
