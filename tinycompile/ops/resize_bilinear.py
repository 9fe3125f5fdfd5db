"""RESIZE_BILINEAR: each output pixel is a weighted mean of four input pixels; for int8 and int16 weights have 10 bits.

Source of the semantics: tensorflow/lite/kernels/internal/reference/resize_bilinear.h (`ResizeBilinearInteger`, `ResizeBilinear`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tinycompile.board import Board
from tinycompile.ir import Array, DType
from tinycompile.ops._limits import constant_input, has_elements, rank_limit
from tinycompile.ops._resize import (
    Resize,
    attributes_of,
    has_one_alignment,
    has_positive_size,
    row_access,
    row_pointers,
)
from tinycompile.ops.base import Cost, Kernel, Operation, TypeRule, register
from tinycompile.program import Constant, Granularity, KernelCode


@dataclass(frozen=True, eq=False)
class Axis:
    """For each output index: the input indices before and after, and the distance to the first (integers: times 1024)."""

    before: Array
    after: Array
    distance: Array


def has_moderate_size(operation: Operation) -> str | None:
    """Rows and columns of input and output are at most 65536."""
    tensors = (operation.inputs[0], operation.output)
    large = [
        t.describe() for t in tensors if t is not None and len(t.shape) == 4 and max(t.shape[1:3]) > 65536
    ]
    return large[0] if large else None


_REAL = (DType.UINT8, DType.FLOAT32)
"""Types whose distances are float32; those of the others are fixed-point numbers."""


_LANES = 16
"""Channels whose blended rows stand in scratch at a time."""


class BilinearKernel(Kernel):
    """Integers: two products for each element of two rows of the input, then two for each element of the output.

    Four for each element of the output where sums are float32, whose order of additions must be the reference's.
    """

    name = "bilinear"
    granularities = (Granularity.ROW,)

    def cost(self, operation: Operation, board: Board) -> Cost:
        """About twelve cycles an element, and eight for each element of the rows that are blended."""
        source, output = operation.input(0), operation.output
        if output.dtype in _REAL:
            return Cost(30 * output.elements, 400)
        blended = output.shape[0] * output.shape[1] * source.shape[2] * source.shape[3]
        return Cost(12 * output.elements + 8 * blended, 400)

    def scratch_bytes(self, operation: Operation, board: Board) -> int:
        """Blended rows of some channels, as int32."""
        _, _, width, channels = operation.input(0).shape
        return 0 if operation.output.dtype in _REAL else 4 * width * min(_LANES, channels)

    def lower(self, operation: Operation, board: Board, granularity: Granularity) -> KernelCode:
        """Holes of `resize_bilinear/row.c.j2`."""
        rows, columns = axis_of(operation, 1), axis_of(operation, 2)
        access = row_access(rows.before, rows.after, operation.input(0).shape[1])
        pointers = row_pointers(operation, access, rows.before, rows.after)
        is_real = operation.output.dtype in _REAL
        return KernelCode(
            template="resize_bilinear/row.c.j2",
            parameters={
                **pointers.holes,
                "weight_type": "float" if is_real else "int32_t",
                "lanes": min(_LANES, operation.output.shape[3]),
            },
            granularity=granularity,
            inputs=((0, pointers.passing),),
            constants=(
                _table("rows", *pointers.tables),
                _table("columns", columns.before, columns.after),
                Constant("row_distances", rows.distance, is_weight=False),
                Constant("column_distances", columns.distance, is_weight=False),
            ),
            takes_row=True,
            scratch_bytes=self.scratch_bytes(operation, board),
        )


@register
class ResizeBilinear(Resize):
    """RESIZE_BILINEAR to a constant size."""

    kind = "RESIZE_BILINEAR"
    types = tuple(
        TypeRule((dtype, DType.INT32), (dtype,))
        for dtype in (DType.INT8, DType.UINT8, DType.INT16, DType.FLOAT32)
    )
    limits = (
        has_elements,
        rank_limit(4),
        constant_input(1, "size"),
        has_positive_size,
        has_one_alignment,
        has_moderate_size,
    )
    kernels = (BilinearKernel(),)

    def rows_read(self, operation: Operation) -> tuple[Array, Array]:
        """Those before and after the place of the row."""
        rows = axis_of(operation, 1)
        return rows.before, rows.after

    def evaluate(self, operation: Operation, inputs: Sequence[Array | None]) -> tuple[Array, ...]:
        """The sum of four products; integers are rounded, ties away from zero (uint8: after sums in float32)."""
        image, dtype = inputs[0], operation.output.dtype
        assert image is not None
        wide = image.astype(np.float32 if dtype in _REAL else np.int64)
        rows, columns = _weights(operation, 1, wide.dtype), _weights(operation, 2, wide.dtype)
        total = np.zeros(operation.output.shape, wide.dtype)
        for spot, weight in columns:  # in the order in which the reference adds
            for place, row_weight in rows:
                taken = wide[:, place][:, :, spot]
                total = total + taken * row_weight[None, :, None, None] * weight[None, None, :, None]
        if dtype in _REAL:
            half = np.float32(0.0 if dtype is DType.FLOAT32 else 0.5)
            return (np.add(total, half, dtype=np.float32).astype(dtype.numpy),)
        return ((np.sign(total) * ((np.abs(total) + (1 << 19)) >> 20)).astype(dtype.numpy),)


def _weights(operation: Operation, axis: int, dtype: Any) -> list[tuple[Array, Array]]:
    """Input indices with their weights: those before and those after."""
    found = axis_of(operation, axis)
    distance: Array = found.distance.astype(dtype)
    whole = 1 if operation.output.dtype in _REAL else 1024
    return [(found.before, (whole - distance).astype(dtype)), (found.after, distance)]


def axis_of(operation: Operation, axis: int) -> Axis:
    """Places and distances along one axis."""
    extent, wanted = operation.input(0).shape[axis], operation.output.shape[axis]
    attributes = attributes_of(operation)
    aligned = attributes.align_corners and wanted > 1
    numerator, denominator = (extent - 1, wanted - 1) if aligned else (extent, wanted)
    index = np.arange(wanted, dtype=np.int64)
    if operation.output.dtype in _REAL:
        scale = np.float32(numerator) / np.float32(denominator)
        half = np.float32(0.5 if attributes.half_pixel_centers else 0.0)
        scaled = (index.astype(np.float32) + half) * scale - half
        before = np.maximum(np.floor(scaled), 0).astype(np.int32)
        after = np.minimum(np.ceil(scaled), extent - 1).astype(np.int32)
        return Axis(before, after, (scaled - before.astype(np.float32)).astype(np.float32))
    step = (1024 * numerator + denominator // 2) // denominator
    place = index * step + (step // 2 - 512 if attributes.half_pixel_centers else 0)
    before = np.maximum(_quotient(place), 0)
    after = np.minimum(_quotient(place + 1023), extent - 1)
    return Axis(before.astype(np.int32), after.astype(np.int32), (place - 1024 * before).astype(np.int32))


def _quotient(place: Array) -> Array:
    """Divided by 1024 towards zero."""
    result: Array = np.sign(place) * (np.abs(place) >> 10)
    return result


def _table(name: str, before: Array, after: Array) -> Constant:
    return Constant(name, np.stack([before, after], axis=1), "before and after", is_weight=False)
