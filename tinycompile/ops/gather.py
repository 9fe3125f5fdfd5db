"""GATHER: slices along an axis, in the order of a tensor of indices; leading batch dimensions go side by side.

Source of the semantics: `Gather` in tensorflow/lite/kernels/internal/reference/gather.h.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

import numpy as np

from tinycompile.ir import Array, Attributes, DType, Options
from tinycompile.ops._gather import GatherKernel, Layout
from tinycompile.ops._limits import constant_integers, has_elements
from tinycompile.ops.access import WHOLE, Access
from tinycompile.ops.base import Operation, Operator, TypeRule, register


@dataclass(frozen=True)
class GatherAttributes(Attributes):
    """Options of a gather."""

    axis: int = 0
    batch_dims: int = 0


def has_legal_axes(operation: Operation) -> str | None:
    """The axis is a dimension of the input, not before the batch dimensions, which input and indices share."""
    source, indices = operation.inputs[0], operation.optional(1)
    attributes = _attributes(operation)
    if source is None or indices is None:
        return "an input is missing"
    rank = len(source.shape)
    if not -rank <= attributes.axis < rank:
        return f"axis {attributes.axis} of {source.describe()}"
    axis, batch = attributes.axis % rank, attributes.batch_dims
    legal = 0 <= batch <= min(axis, len(indices.shape)) and source.shape[:batch] == indices.shape[:batch]
    return (
        None if legal else f"axis {axis}, {batch} batch dimensions, {source.describe()}, {indices.describe()}"
    )


def has_indices_inside(operation: Operation) -> str | None:
    """Constant indices lie inside of the axis."""
    indices = constant_integers(operation, 1)
    if indices is None or has_legal_axes(operation):
        return None
    extent = operation.input(0).shape[_attributes(operation).axis]
    outside = [index for index in indices if not 0 <= index < extent]
    return f"index {outside[0]} of {extent}" if outside else None


@register
class Gather(Operator):
    """GATHER."""

    kind = "GATHER"
    types = tuple(
        TypeRule((dtype, index), (dtype,))
        for dtype in (
            DType.INT8, DType.UINT8, DType.INT16, DType.INT32, DType.INT64, DType.FLOAT32, DType.BOOL,
        )
        for index in (DType.INT32, DType.INT64)
    )  # fmt: skip
    limits = (has_elements, has_legal_axes, has_indices_inside)
    min_inputs = 2
    kernels = (GatherKernel(lambda operation: _layout(operation)),)

    def parse(self, options: Options) -> GatherAttributes:
        """Read GatherOptions."""
        return GatherAttributes(int(options.get("axis", 0)), int(options.get("batch_dims", 0)))

    def infer(self, operation: Operation) -> tuple[tuple[int, ...], ...]:
        """The axis is replaced by the dimensions of the indices that are no batch."""
        shape, indices = operation.input(0).shape, operation.input(1).shape
        axis, batch = _attributes(operation).axis % len(shape), _attributes(operation).batch_dims
        return ((*shape[:axis], *indices[batch:], *shape[axis + 1 :]),)

    def evaluate(self, operation: Operation, inputs: Sequence[Array | None]) -> tuple[Array, ...]:
        """As the kernel does."""
        table, indices = inputs[0], inputs[1]
        assert table is not None and indices is not None
        found = _layout(operation)
        runs = table.reshape(found.batches, found.outer, found.extent, found.inner)
        places = np.clip(indices.reshape(found.batches, found.indices), 0, found.extent - 1)
        picked = [runs[b][:, places[b], :] for b in range(found.batches)]
        return (np.stack(picked).reshape(operation.output.shape),)

    def access(self, operation: Operation, index: int) -> Access:
        """Any element may come from anywhere."""
        return WHOLE


def _attributes(operation: Operation) -> GatherAttributes:
    assert isinstance(operation.node.attributes, GatherAttributes)
    return operation.node.attributes


def _layout(operation: Operation) -> Layout:
    shape, indices = operation.input(0).shape, operation.input(1).shape
    axis, batch = _attributes(operation).axis % len(shape), _attributes(operation).batch_dims
    return Layout(
        batches=prod(shape[:batch]),
        outer=prod(shape[batch:axis]),
        extent=shape[axis],
        indices=prod(indices[batch:]),
        inner=prod(shape[axis + 1 :]),
        table_input=0,
        index_input=1,
    )
