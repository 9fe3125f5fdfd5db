"""STRIDED_SLICE: Python's slices of each dimension, with masks for what is left out.

Source of the semantics: tensorflow/lite/kernels/strided_slice.cc and internal/strided_slice_logic.h.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from types import EllipsisType

import numpy as np

from tinycompile.ir import Array, Attributes, DType, Options
from tinycompile.ops._copy import CopyKernel, DataMovement, Views, moves_type
from tinycompile.ops._limits import constant_input, constant_integers, has_elements
from tinycompile.ops.base import Operation, register


@dataclass(frozen=True)
class StridedSliceAttributes(Attributes):
    """Options of a strided slice: bit i of a mask speaks of element i of begin, end and strides."""

    begin_mask: int = 0
    end_mask: int = 0
    ellipsis_mask: int = 0
    new_axis_mask: int = 0
    shrink_axis_mask: int = 0
    offset: bool = False


def has_plain_end(operation: Operation) -> str | None:
    """The end is an index, not an offset to the beginning."""
    return "option offset is set" if _attributes(operation).offset else None


def has_legal_slices(operation: Operation) -> str | None:
    """Begin, end and strides are of one length, no stride is 0, and what they name lies inside of the input."""
    source = operation.inputs[0]
    lists = [constant_integers(operation, index) for index in (1, 2, 3)]
    if source is None or None in lists:
        return None
    found = f"begin {lists[0]}, end {lists[1]}, strides {lists[2]} of {source.describe()}"
    if len({len(values or ()) for values in lists}) != 1 or 0 in (lists[2] or ()):
        return found
    try:
        taken = np.lib.stride_tricks.as_strided(np.zeros(1, np.int8), source.shape, (0,) * len(source.shape))
        return None if taken[_index(operation)].size else found
    except IndexError:
        return found


@register
class StridedSlice(DataMovement):
    """STRIDED_SLICE with constant begin, end and strides."""

    kind = "STRIDED_SLICE"
    types = moves_type(DType.INT32)
    limits = (
        has_elements,
        constant_input(1, "begin"),
        constant_input(2, "end"),
        constant_input(3, "list of strides"),
        has_plain_end,
        has_legal_slices,
    )
    min_inputs = 4
    kernels = (CopyKernel(),)

    def parse(self, options: Options) -> StridedSliceAttributes:
        """Read StridedSliceOptions."""
        names = ("begin_mask", "end_mask", "ellipsis_mask", "new_axis_mask", "shrink_axis_mask")
        return StridedSliceAttributes(
            **{name: int(options.get(name, 0)) for name in names}, offset=bool(options.get("offset", False))
        )

    def infer(self, operation: Operation) -> tuple[tuple[int, ...], ...]:
        """The shape of the slice."""
        return (np.empty(operation.input(0).shape, np.int8)[_index(operation)].shape,)

    def views(self, operation: Operation, inputs: Sequence[Array], outputs: Sequence[Array]) -> Views:
        """All of the output from the slice."""
        return [(outputs[0], inputs[0][_index(operation)])]


def _attributes(operation: Operation) -> StridedSliceAttributes:
    assert isinstance(operation.node.attributes, StridedSliceAttributes)
    return operation.node.attributes


def _index(operation: Operation) -> tuple[slice | int | EllipsisType | None, ...]:
    """numpy's index; its ellipsis makes the result a view even when it is a single element."""
    attributes = _attributes(operation)
    lists = (operation.input(index).values.reshape(-1).tolist() for index in (1, 2, 3))
    index: list[slice | int | EllipsisType | None] = []
    for position, (begin, end, stride) in enumerate(zip(*lists, strict=True)):
        bit = 1 << position
        if attributes.ellipsis_mask & bit:
            index.append(...)
        elif attributes.new_axis_mask & bit:
            index.append(None)
        elif attributes.shrink_axis_mask & bit:
            index.append(0 if attributes.begin_mask & bit else begin)
        else:
            first = None if attributes.begin_mask & bit else begin
            index.append(slice(first, None if attributes.end_mask & bit else end, stride))
    if ... not in index:
        index.append(...)
    return tuple(index)
