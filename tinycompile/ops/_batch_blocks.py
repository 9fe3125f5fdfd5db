"""What SPACE_TO_BATCH_ND and BATCH_TO_SPACE_ND share: block shape and borders, and the pixels that belong together.

Batch index (i * block_columns + j) * images + n holds the pixels of image n whose row is i and whose column is j, modulo the
block.
"""

from collections.abc import Iterator

from tinycompile.ir import Array, DType
from tinycompile.ops._copy import CopyKernel, DataMovement, moves_type
from tinycompile.ops._limits import constant_integers
from tinycompile.ops.base import Operation


def has_blocks_and_borders(operation: Operation) -> str | None:
    """Blocks have a positive extent for each inner dimension (1 or 2 of them), borders a pair that is not negative."""
    source = operation.inputs[0]
    blocks, borders = constant_integers(operation, 1), constant_integers(operation, 2)
    if source is None or blocks is None or borders is None:
        return None
    legal = (
        len(source.shape) in (3, 4) and len(blocks) == len(source.shape) - 2 and min(blocks, default=0) > 0
    )
    legal = legal and len(borders) == 2 * len(blocks) and min(borders, default=0) >= 0
    return None if legal else f"blocks {blocks}, borders {borders} of {source.describe()}"


class BatchMovement(DataMovement):
    """Moves pixels of blocks to batches, or back; block shape and borders are constant."""

    types = moves_type(DType.INT32, without=(DType.BOOL,))
    min_inputs = 3
    kernels = (CopyKernel(),)


def blocks_of(operation: Operation) -> tuple[int, int]:
    """Rows and columns of a block; one row of blocks for a tensor of three dimensions has one column."""
    values = [int(value) for value in operation.input(1).values.reshape(-1)]
    return values[0], values[1] if len(values) == 2 else 1


def borders_of(operation: Operation) -> tuple[tuple[int, int], tuple[int, int]]:
    """(before, after) of rows and of columns."""
    values = [int(value) for value in operation.input(2).values.reshape(-1)]
    return (values[0], values[1]), (values[2], values[3]) if len(values) == 4 else (0, 0)


def image_shape(shape: tuple[int, ...]) -> tuple[int, int, int, int]:
    """[N, H, W, C] of a tensor of three or four dimensions."""
    return (shape[0], shape[1], 1, shape[2]) if len(shape) == 3 else (shape[0], shape[1], shape[2], shape[3])


def pairs(operation: Operation, batches: Array, image: Array) -> Iterator[tuple[Array, Array]]:
    """Equal views of the tensor with many batches and of the one with large images, for each place in a block.

    Pixels in the borders have no place in the image and are left out.
    """
    rows, columns = blocks_of(operation)
    (top, _), (left, _) = borders_of(operation)
    large = image.reshape(image_shape(image.shape))
    small = batches.reshape(image_shape(batches.shape))
    images = large.shape[0]
    for i in range(rows):
        for j in range(columns):
            batch = (i * columns + j) * images
            first_row, first_column = -(-(top - i) // rows), -(-(left - j) // columns)
            first_row, first_column = max(first_row, 0), max(first_column, 0)
            inside = large[
                :, first_row * rows + i - top :: rows, first_column * columns + j - left :: columns
            ]
            part = small[batch : batch + images, first_row:, first_column:]
            height, width = min(inside.shape[1], part.shape[1]), min(inside.shape[2], part.shape[2])
            if height > 0 and width > 0:
                yield part[:, :height, :width], inside[:, :height, :width]
