"""SPACE_TO_BATCH_ND: pixels of a block go to different batches; the image is padded first.

Source of the semantics: tensorflow/lite/kernels/internal/reference/space_to_batch_nd.h.
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
from tinycompile.ops._limits import QUANTIZED, constant_input, constant_integers, has_elements
from tinycompile.ops.base import Operation, register


def has_whole_blocks(operation: Operation) -> str | None:
    """The padded image consists of whole blocks."""
    if has_blocks_and_borders(operation) or None in [constant_integers(operation, index) for index in (1, 2)]:
        return None
    _, height, width, _ = image_shape(operation.input(0).shape)
    (top, bottom), (left, right) = borders_of(operation)
    rows, columns = blocks_of(operation)
    whole = (top + height + bottom) % rows == 0 and (left + width + right) % columns == 0
    return (
        None if whole else f"blocks {rows}x{columns} of {top + height + bottom}x{left + width + right} pixels"
    )


@register
class SpaceToBatchND(BatchMovement):
    """SPACE_TO_BATCH_ND with constant blocks and paddings."""

    kind = "SPACE_TO_BATCH_ND"
    limits = (
        has_elements,
        constant_input(1, "block shape"),
        constant_input(2, "list of paddings"),
        has_blocks_and_borders,
        has_whole_blocks,
    )

    def infer(self, operation: Operation) -> tuple[tuple[int, ...], ...]:
        """[N, H, W, C] gives [N * block elements, padded H / rows, padded W / columns, C]."""
        shape = operation.input(0).shape
        images, height, width, channels = image_shape(shape)
        (top, bottom), (left, right) = borders_of(operation)
        rows, columns = blocks_of(operation)
        inner = ((top + height + bottom) // rows, (left + width + right) // columns)
        return ((images * rows * columns, *inner[: len(shape) - 2], channels),)

    def fill(self, operation: Operation) -> int | float | bool | None:
        """Padding is the zero point, or 0."""
        return operation.output.zero_point if operation.output.dtype in QUANTIZED else 0

    def views(self, operation: Operation, inputs: Sequence[Array], outputs: Sequence[Array]) -> Views:
        """Each place of a block to its batches."""
        return pairs(operation, outputs[0], inputs[0])
