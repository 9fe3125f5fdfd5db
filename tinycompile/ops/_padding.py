"""What PAD, PADV2 and MIRROR_PAD share: the table of paddings, one pair (before, after) for each dimension."""

from tinycompile.ir import Array
from tinycompile.ops._limits import constant_integers
from tinycompile.ops.base import Operation


def has_padding_pairs(operation: Operation) -> str | None:
    """Paddings are one pair of integers, none of them negative, for each dimension of the input."""
    source, table = operation.inputs[0], constant_integers(operation, 1)
    if source is None or table is None:
        return None
    if len(table) != 2 * len(source.shape) or operation.input(1).shape != (len(source.shape), 2):
        return f"paddings {operation.input(1).describe()} for {source.describe()}"
    return f"paddings {table}" if min(table, default=0) < 0 else None


def paddings(operation: Operation) -> list[tuple[int, int]]:
    """(before, after) of each dimension."""
    return [(int(before), int(after)) for before, after in operation.input(1).values]


def padded_shape(operation: Operation) -> tuple[int, ...]:
    """Shape of the output."""
    pairs = zip(operation.input(0).shape, paddings(operation), strict=True)
    return tuple(before + extent + after for extent, (before, after) in pairs)


def interior(operation: Operation, output: Array) -> Array:
    """The part of the output that holds the input."""
    pairs = zip(operation.input(0).shape, paddings(operation), strict=True)
    return output[tuple(slice(before, before + extent) for extent, (before, _) in pairs)]
