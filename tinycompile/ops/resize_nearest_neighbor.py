"""RESIZE_NEAREST_NEIGHBOR: each output pixel is one input pixel.

Source of the semantics: tensorflow/lite/kernels/internal/reference/resize_nearest_neighbor.h; the places are computed in float32.
"""

from collections.abc import Sequence

import numpy as np

from tinycompile.board import Board
from tinycompile.ir import Array, DType
from tinycompile.ops._limits import constant_input, has_elements, rank_limit
from tinycompile.ops._resize import Resize, attributes_of, has_one_alignment, has_positive_size
from tinycompile.ops.base import Cost, Kernel, Operation, TypeRule, register
from tinycompile.program import Constant, Granularity, KernelCode, Passing


class NearestKernel(Kernel):
    """A copy of one pixel for each output pixel; its places are tables."""

    name = "nearest"

    def cost(self, operation: Operation, board: Board) -> Cost:
        """About two cycles an element."""
        return Cost(2 * operation.output.elements, 200)

    def lower(self, operation: Operation, board: Board, granularity: Granularity) -> KernelCode:
        """Holes of `resize_nearest_neighbor/copy.c.j2`."""
        _, height, width, channels = operation.input(0).shape
        rows, columns = places(operation, 1), places(operation, 2)
        return KernelCode(
            template="resize_nearest_neighbor/copy.c.j2",
            parameters={
                "c_type": operation.output.dtype.c_type,
                "images": operation.output.shape[0],
                "height": height,
                "width": width,
                "channels": channels,
                "out_height": len(rows),
                "out_width": len(columns),
            },
            granularity=granularity,
            inputs=((0, Passing.POINTER),),
            constants=(
                Constant("rows", rows, "input row of each output row", is_weight=False),
                Constant("columns", columns, "input column of each output column", is_weight=False),
            ),
        )


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
