"""The pointers that a call of a kernel gets: what `templates/region.c.j2` prints, as numbers.

Nothing here knows the graph or the plan: a pointer follows from the fields of an `Operand` and from the row of the call.
"""

from dataclasses import dataclass

from tinycompile.program import Operand, Passing, Piece, Port, Space, Stage
from tinycompile.replay.memory import ARENA, STATE, Block


@dataclass(frozen=True)
class Pointer:
    """The address that a kernel gets, and the row of the operand that the program means by it; None: all rows."""

    block: Block
    address: int
    row: int | None


Window = tuple[Pointer | None, ...]
"""The pointers of a window; None is NULL: a row outside of the image."""


def block_of(place: Operand | Piece | Port) -> Block:
    """The memory in which an operand, some rows of it, or a port lies."""
    if place.space in (Space.INPUT, Space.SOURCE):
        return Block(f"input {place.port}", read_only=True)
    if place.space is Space.CONSTANT:
        return Block(place.constant, read_only=True)
    return STATE if place.space is Space.STATE else ARENA


def pointer(operand: Operand, row: int) -> Pointer:
    """The pointer that a call gets for row `row`: to the row that it works on, or to the operand's base."""
    block = block_of(operand)
    if not operand.by_row:
        return Pointer(block, operand.offset, None)
    if operand.rows > 1 and operand.ring_rows != 1:
        return _row_pointer(operand, row * operand.stride)
    return Pointer(block, operand.offset, row * operand.stride if operand.rows > 1 else 0)


def window(stage: Stage, operand: Operand, row: int) -> Window:
    """The pointers of a window for row `row`."""
    assert operand.passing is Passing.WINDOW
    images = stage.calls // stage.rows_per_image
    height = operand.rows // images
    image, row_in_image = divmod(row, stage.rows_per_image) if images > 1 else (0, row)
    first = (row_in_image + operand.lead) // operand.repeat * operand.stride - operand.pad_before
    rows = [first + k * operand.dilation for k in range(operand.window_rows)]
    return tuple(_row_pointer(operand, image * height + y) if 0 <= y < height else None for y in rows)


def _row_pointer(operand: Operand, row: int) -> Pointer:
    """One row; the operand's rows may lie in several places."""
    for piece in operand.pieces:
        if row < piece.end_row or piece is operand.pieces[-1]:
            offset = piece.offset + (row - piece.first_row) * piece.stride_bytes
            return Pointer(block_of(piece), offset, row)
    return Pointer(block_of(operand), operand.offset + _row_offset(operand, row), row)


def _row_offset(operand: Operand, row: int) -> int:
    """A ring keeps the last rows only."""
    return (row % operand.ring_rows if operand.ring_rows else row) * operand.row_bytes
