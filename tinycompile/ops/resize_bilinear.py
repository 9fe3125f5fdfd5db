"""RESIZE_BILINEAR: each output pixel is a weighted mean of four input pixels; for int8 and int16 weights have 10 bits.

Source of the semantics: tensorflow/lite/kernels/internal/reference/resize_bilinear.h (`ResizeBilinearInteger`, `ResizeBilinear`).
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from tinycompile.board import Board
from tinycompile.ir import Array, DType
from tinycompile.ops._bilinear import REAL, axis_of, index_table
from tinycompile.ops._bilinear_asm import BilinearAsm
from tinycompile.ops._limits import constant_input, has_elements, rank_limit
from tinycompile.ops._resize import (
    Resize,
    has_one_alignment,
    has_positive_size,
    row_access,
    row_pointers,
)
from tinycompile.ops.base import Cost, Kernel, Operation, TypeRule, register
from tinycompile.program import Constant, Granularity, KernelCode


def has_moderate_size(operation: Operation) -> str | None:
    """Rows and columns of input and output are at most 65536."""
    tensors = (operation.inputs[0], operation.output)
    large = [
        t.describe() for t in tensors if t is not None and len(t.shape) == 4 and max(t.shape[1:3]) > 65536
    ]
    return large[0] if large else None


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
        if output.dtype in REAL:
            return Cost(30 * output.elements, 400)
        blended = output.shape[0] * output.shape[1] * source.shape[2] * source.shape[3]
        return Cost(12 * output.elements + 8 * blended, 400)

    def scratch_bytes(self, operation: Operation, board: Board) -> int:
        """Blended rows of some channels, as int32."""
        _, _, width, channels = operation.input(0).shape
        return 0 if operation.output.dtype in REAL else 4 * width * min(_LANES, channels)

    def lower(self, operation: Operation, board: Board, granularity: Granularity) -> KernelCode:
        """Holes of `resize_bilinear/row.c.j2`."""
        rows, columns = axis_of(operation, 1), axis_of(operation, 2)
        access = row_access(rows.before, rows.after, operation.input(0).shape[1])
        pointers = row_pointers(operation, access, rows.before, rows.after)
        is_real = operation.output.dtype in REAL
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
                index_table("rows", *pointers.tables),
                index_table("columns", columns.before, columns.after),
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
    kernels = (BilinearAsm(), BilinearKernel())

    def rows_read(self, operation: Operation) -> tuple[Array, Array]:
        """Those before and after the place of the row."""
        rows = axis_of(operation, 1)
        return rows.before, rows.after

    def evaluate(self, operation: Operation, inputs: Sequence[Array | None]) -> tuple[Array, ...]:
        """The sum of four products; integers are rounded, ties away from zero (uint8: after sums in float32)."""
        image, dtype = inputs[0], operation.output.dtype
        assert image is not None
        wide = image.astype(np.float32 if dtype in REAL else np.int64)
        rows, columns = _weights(operation, 1, wide.dtype), _weights(operation, 2, wide.dtype)
        total = np.zeros(operation.output.shape, wide.dtype)
        for spot, weight in columns:  # in the order in which the reference adds
            for place, row_weight in rows:
                taken = wide[:, place][:, :, spot]
                total = total + taken * row_weight[None, :, None, None] * weight[None, None, :, None]
        if dtype in REAL:
            half = np.float32(0.0 if dtype is DType.FLOAT32 else 0.5)
            return (np.add(total, half, dtype=np.float32).astype(dtype.numpy),)
        return ((np.sign(total) * ((np.abs(total) + (1 << 19)) >> 20)).astype(dtype.numpy),)


def _weights(operation: Operation, axis: int, dtype: Any) -> list[tuple[Array, Array]]:
    """Input indices with their weights: those before and those after."""
    found = axis_of(operation, axis)
    distance: Array = found.distance.astype(dtype)
    whole = 1 if operation.output.dtype in REAL else 1024
    return [(found.before, (whole - distance).astype(dtype)), (found.after, distance)]
