"""BATCH_TO_SPACE_ND: pixels of different batches side by side in a block; the image is cropped afterwards.

Source of the semantics: tensorflow/lite/kernels/internal/reference/batch_to_space_nd.h.
"""

from collections.abc import Sequence

from tinycompile.ir import Array
from tinycompile.ops._batch_blocks import (
    BatchMovement,
    blocks_of,
    borders_of,
    has_blocks_and_borders,
    image_shape,
    pairs,
)
from tinycompile.ops._copy import Views
from tinycompile.ops._limits import constant_input, constant_integers, has_elements
from tinycompile.ops.base import Operation, register


def has_whole_batches(operation: Operation) -> str | None:
    """The batch is a multiple of the elements of a block, and something is left after cropping."""
    if has_blocks_and_borders(operation) or None in [constant_integers(operation, index) for index in (1, 2)]:
        return None
    shape = operation.input(0).shape
    rows, columns = blocks_of(operation)
    whole = shape[0] % (rows * columns) == 0 and min(_shape(operation)) > 0
    return (
        None
        if whole
        else f"blocks {rows}x{columns}, crops {borders_of(operation)} of {operation.input(0).describe()}"
    )


@register
class BatchToSpaceND(BatchMovement):
    """BATCH_TO_SPACE_ND with constant blocks and crops."""

    kind = "BATCH_TO_SPACE_ND"
    limits = (
        has_elements,
        constant_input(1, "block shape"),
        constant_input(2, "list of crops"),
        has_blocks_and_borders,
        has_whole_batches,
    )

    def infer(self, operation: Operation) -> tuple[tuple[int, ...], ...]:
        """[N, H, W, C] gives [N / block elements, H * rows - crops, W * columns - crops, C]."""
        return (_shape(operation),)

    def views(self, operation: Operation, inputs: Sequence[Array], outputs: Sequence[Array]) -> Views:
        """Each place of a block from its batches."""
        return [(large, small) for small, large in pairs(operation, inputs[0], outputs[0])]


def _shape(operation: Operation) -> tuple[int, ...]:
    shape = operation.input(0).shape
    batches, height, width, channels = image_shape(shape)
    (top, bottom), (left, right) = borders_of(operation)
    rows, columns = blocks_of(operation)
    inner = (height * rows - top - bottom, width * columns - left - right)
    return (batches // (rows * columns), *inner[: len(shape) - 2], channels)
