"""RESIZE_NEAREST_NEIGHBOR: each output pixel is one input pixel.

Source of the semantics: tensorflow/lite/kernels/internal/reference/resize_nearest_neighbor.h; the places are computed in float32.
"""

from collections.abc import Sequence

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
from tinycompile.ops.access import Pattern
from tinycompile.ops.base import Cost, Kernel, Operation, TypeRule, register
from tinycompile.program import Constant, Granularity, KernelCode


class NearestKernel(Kernel):
    """A copy of one pixel for each output pixel of a row. The columns are a table, unless each is repeated as often."""

    name = "nearest"
    granularities = (Granularity.ROW,)

    def cost(self, operation: Operation, board: Board) -> Cost:
        """About two cycles an element."""
        return Cost(2 * operation.output.elements, 200)

    def lower(self, operation: Operation, board: Board, granularity: Granularity) -> KernelCode:
        """Holes of `resize_nearest_neighbor/row.c.j2`."""
        row_places, columns = places(operation, 1), places(operation, 2)
        access = row_access(row_places, row_places, operation.input(0).shape[1])
        rows = row_pointers(operation, access, row_places)
        width = operation.input(0).shape[2]
        factor, rest = divmod(len(columns), width)
        is_even = rest == 0 and bool((columns == np.arange(len(columns)) // max(factor, 1)).all())
        one_pointer = access.pattern is Pattern.WINDOW and access.window_rows == 1
        tables = [
            *([] if one_pointer else [Constant("rows", rows.tables[0], _ROW_COMMENT, is_weight=False)]),
            *([] if is_even else [Constant("columns", columns, _COLUMN_COMMENT, is_weight=False)]),
        ]
        return KernelCode(
            template="resize_nearest_neighbor/row.c.j2",
            parameters={**rows.holes, "factor": factor if is_even else 0, "one_pointer": one_pointer},
            granularity=granularity,
            inputs=((0, rows.passing),),
            constants=tuple(tables),
            takes_row=not one_pointer,
        )


_ROW_COMMENT = "row of the window or of the image, for each output row"
_COLUMN_COMMENT = "input column of each output column"


@register
class ResizeNearestNeighbor(Resize):
    """RESIZE_NEAREST_NEIGHBOR to a constant size."""

    kind = "RESIZE_NEAREST_NEIGHBOR"
    types = tuple(
        TypeRule((dtype, DType.INT32), (dtype,))
        for dtype in (DType.INT8, DType.UINT8, DType.INT16, DType.FLOAT32)
    )
    limits = (has_elements, rank_limit(4), constant_input(1, "size"), has_positive_size, has_one_alignment)
    kernels = (NearestKernel(),)

    def rows_read(self, operation: Operation) -> tuple[Array, Array]:
        """One."""
        rows = places(operation, 1)
        return rows, rows

    def evaluate(self, operation: Operation, inputs: Sequence[Array | None]) -> tuple[Array, ...]:
        """Rows, then columns."""
        assert inputs[0] is not None
        return (inputs[0][:, places(operation, 1)][:, :, places(operation, 2)],)


def places(operation: Operation, axis: int) -> Array:
    """For each output index of an axis the input index."""
    attributes = attributes_of(operation)
    extent, wanted = operation.input(0).shape[axis], int(operation.input(1).values.reshape(-1)[axis - 1])
    aligned = attributes.align_corners and wanted > 1
    scale = (
        np.float32(extent - 1) / np.float32(wanted - 1)
        if aligned
        else np.float32(extent) / np.float32(wanted)
    )
    offset = np.float32(0.5 if attributes.half_pixel_centers else 0.0)
    scaled = ((np.arange(wanted).astype(np.float32) + offset) * scale).astype(np.float64)
    found = np.floor(scaled + 0.5) if attributes.align_corners else np.floor(scaled)
    return np.clip(found, 0, extent - 1).astype(np.int32)
