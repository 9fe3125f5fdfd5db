"""Instructions of Winograd's F(2x2, 3x3) for int8: four outputs of a 3x3 convolution from 16 products in place of 36.

Y = A' [(G g G') * (B' d B)] A for tiles d of 4x4 inputs. G is taken times 2 in both directions, so that everything is an
integer and sums come out times 4, which the requantization constants take back: the outputs are exact.

Three parts: `transform_rows` and `transform_columns` make the 16 positions of B' d B as pairs of int16; each position is a matrix
product of its own (`position`); `finish` turns the 16 sums of each tile and channel into four outputs.
Source: Lavin and Gray, "Fast Algorithms for Convolutional Neural Networks", 2015.
"""

from dataclasses import dataclass
from functools import cache

from tinycompile.assembly.matrix_shape import STREAM, Shape
from tinycompile.assembly.matrix_writer import product_steps
from tinycompile.assembly.places import Places
from tinycompile.assembly.reorder import reorder
from tinycompile.assembly.requantizing import Requantizing, scaled
from tinycompile.assembly.scheduler import Operand, Scheduled, Step, Value, Values, schedule

POSITIONS = 16
INPUT_ROWS = 4
BLOCK_SUMS = 8
"""Tiles times channels of a block: as many sums stay in registers."""

ROWS = (0, 1, 2, 3)
"""Registers that point to the four rows of the tiles."""

BUFFER, TO = 12, 14
"""Registers of the transforms: between the two, and to the staged words."""

SECOND_OUTPUT, SUMS, OUTPUT = 10, 11, 14
"""Registers of the last part: the outputs of the second row if they are far, the sums of a block, and its outputs."""

LARGEST_OFFSET = 4095
_LARGEST_PAIR_OFFSET = 1020


@dataclass(frozen=True)
class Tiles:
    """`tiles` tiles beside each other with `pairs` pairs of input channels each."""

    tiles: int
    pairs: int

    @property
    def columns(self) -> int:
        """Input columns under the tiles."""
        return 2 * self.tiles + 2

    @property
    def channels(self) -> int:
        """Output channels of a block."""
        return BLOCK_SUMS // self.tiles

    @property
    def position_bytes(self) -> int:
        """Staged words of a position."""
        return 4 * self.pairs * self.tiles

    @property
    def row_bytes(self) -> int:
        """One row of the buffer between the transforms: for each column a word of two channels, then of the two others."""
        return 8 * self.columns

    @property
    def weight_bytes(self) -> int:
        """Weights of a position in a block."""
        return 4 * self.pairs * self.channels


@dataclass(frozen=True)
class Outputs:
    """Where outputs lie: bytes from a row to the next, and from a pixel to the next."""

    row_bytes: int
    pixel_bytes: int

    def is_far(self, shape: Tiles) -> bool:
        """True when the second row has a pointer of its own, since no offset reaches it."""
        return self.row_bytes + 2 * shape.tiles * self.pixel_bytes > LARGEST_OFFSET

    def place(self, shape: Tiles, row: int, column: int) -> tuple[int, int]:
        """Pointer and offset of a pixel of the tiles."""
        at = column * self.pixel_bytes
        if row and self.is_far(shape):
            return SECOND_OUTPUT, at
        return OUTPUT, at + row * self.row_bytes


_COMBINED = ((0, "ssub16", 0, 2), (3, "ssub16", 1, 3), (1, "sadd16", 1, 2), (2, "ssub16", 2, 1))
"""One direction of B': result 0 is d0 - d2, 3 is d1 - d3, 1 is d1 + d2, 2 is d2 - d1; operands are overwritten in this order."""


@cache
def transform_rows(shape: Tiles, channels: int) -> Scheduled:
    """B' along the rows for four channels; the row pointers stand at the first pixel of each row."""
    values = Values()
    for column in range(shape.columns):
        words = [values.emit("load", (row,), (column * channels,)) for row in ROWS]
        for half, kind in enumerate(("sxtb16", "sxtb16_ror8")):
            d: list[Operand] = [values.emit(kind, (word,)) for word in words]
            for row, kind_of_sum, low, high in _COMBINED:
                total = values.emit(kind_of_sum, (d[low], d[high]))
                values.effect(
                    "store", (total, BUFFER), (row * shape.row_bytes + 4 * (half * shape.columns + column),)
                )
    made = schedule(values.ops, range(4, 12))
    assert made is not None
    return made


@cache
def transform_columns(shape: Tiles) -> Scheduled:
    """B along the columns for one row of the buffer; stores four positions of each tile for two pairs of channels."""
    values = Values()
    near = 3 * shape.position_bytes + 8 * shape.tiles <= _LARGEST_PAIR_OFFSET
    together = 2 if shape.tiles > 1 and near else 1
    for half in range(2):
        words: list[Value] = []
        for column in range(0, shape.columns, 2):
            words += values.emit_pair("load_pair", (BUFFER,), (4 * (half * shape.columns + column),))
        for first in range(0, shape.tiles, together):
            for column, kind, low, high in _COMBINED:
                starts = [2 * tile for tile in range(first, first + together)]
                totals = [values.emit(kind, (words[start + low], words[start + high])) for start in starts]
                at = column * shape.position_bytes + 4 * (half * shape.tiles + first)
                values.effect("store_pair" if together == 2 else "store", (*totals, TO), (at,))
    made = schedule(values.ops, range(12))
    assert made is not None
    return made


@cache
def position(shape: Tiles, index: int) -> Scheduled:
    """The matrix product of a position, `index` positions behind the two pointers."""
    steps = [_moved(step, shape, index) for step in _products(shape)]
    return reorder(steps)


@cache
def _products(shape: Tiles) -> tuple[Step, ...]:
    several = shape.tiles > 1
    product = Shape(
        shape.tiles,
        shape.channels,
        shape.pairs,
        Places(1),
        double_pixels=several,
        double_words=shape.channels,
    )
    return tuple(product_steps(product))


def _moved(step: Step, shape: Tiles, index: int) -> Step:
    """The same step for a position that is `index` positions further."""
    if not str(step[0]).startswith("load"):
        return step
    *registers, base, offset = step
    assert isinstance(offset, int)
    step_bytes = shape.weight_bytes if base == STREAM else shape.position_bytes
    return (*registers, base, offset + index * step_bytes)


def unrolled_positions(shape: Tiles) -> int:
    """Positions that one iteration computes: as many as offsets reach and as code may grow."""
    reach = max(shape.position_bytes, shape.weight_bytes)
    return next(
        n for n in (4, 2, 1) if n == 1 or (n * reach <= _LARGEST_PAIR_OFFSET + 4 and n * shape.pairs <= 32)
    )


def fits_offsets(shape: Tiles, in_channels: int, out_channels: int) -> bool:
    """True when all offsets of the steps can be encoded."""
    product = max(shape.position_bytes, shape.weight_bytes)
    pixels = max((shape.columns - 1) * in_channels, 2 * shape.tiles * out_channels)
    staged = 3 * shape.position_bytes + 8 * shape.tiles
    return product <= _LARGEST_PAIR_OFFSET + 4 and max(staged, pixels) <= LARGEST_OFFSET


@cache
def finish(shape: Tiles, how: Requantizing, outputs: Outputs) -> Scheduled:
    """A' and A, requantization and stores of a block; its constants begin at r12."""
    free = range(SECOND_OUTPUT if outputs.is_far(shape) else SUMS)
    for together in (2, 1):
        values = Values()
        for tile in range(shape.tiles):
            for first in range(0, shape.channels, together):
                _Finish(values, shape, how, outputs).write(tile, range(first, first + together))
        made = schedule(values.ops, free)
        if made is not None:
            return made
    raise AssertionError("one channel at a time has registers")


_UPPER, _LOWER = (1, 1, 1, 0), (0, 1, -1, -1)
"""The rows of A'."""


@dataclass(frozen=True)
class _Finish:
    """Writes the outputs of a tile, for two channels at once or for one."""

    values: Values
    shape: Tiles
    how: Requantizing
    outputs: Outputs

    def write(self, tile: int, channels: range) -> None:
        """Four outputs for each channel: the columns of A' M first, then A along them, then requantization."""
        values = self.values
        biases = [values.emit("load", (STREAM,), (self.constant(channel, 0),)) for channel in channels]
        middle, right = self.column(1, tile, channels, biases), self.column(2, tile, channels)
        sums = [
            [[values.emit(kind, (a, b)) for a, b in zip(x, y, strict=True)] for kind in ("add", "sub")]
            for x, y in zip(middle, right, strict=True)
        ]
        for column, place, sign in ((0, 0, 1), (3, 1, -1)):
            for row in range(INPUT_ROWS):
                m = self.loaded(4 * row + column, tile, channels)
                for y, factor in enumerate((_UPPER[row], _LOWER[row])):
                    if factor:
                        kind = "add" if sign * factor > 0 else "sub"
                        sums[y][place] = [
                            values.emit(kind, (a, b)) for a, b in zip(sums[y][place], m, strict=True)
                        ]
        self.requantize(sums, tile, channels)

    def column(
        self, column: int, tile: int, channels: range, biases: list[Value] | None = None
    ) -> tuple[list[Value], list[Value]]:
        """A' along one column of the sums: m0 + (m1 + m2) and (m1 - m2) - m3; biases are added to m1, and so to both."""
        values = self.values
        first, second = (self.loaded(4 * row + column, tile, channels) for row in (1, 2))
        if biases:
            first = [values.emit("add", (m, bias)) for m, bias in zip(first, biases, strict=True)]
        plus = [values.emit("add", (a, b)) for a, b in zip(first, second, strict=True)]
        minus = [values.emit("sub", (a, b)) for a, b in zip(first, second, strict=True)]
        upper = [
            values.emit("add", (a, b)) for a, b in zip(plus, self.loaded(column, tile, channels), strict=True)
        ]
        lower = self.loaded(12 + column, tile, channels)
        return upper, [values.emit("sub", (a, b)) for a, b in zip(minus, lower, strict=True)]

    def loaded(self, index: int, tile: int, channels: range) -> list[Value]:
        """The sums of a position."""
        offset = 4 * (index * BLOCK_SUMS + tile * self.shape.channels + channels.start)
        if len(channels) == 2:
            return list(self.values.emit_pair("load_pair", (SUMS,), (offset,)))
        return [self.values.emit("load", (SUMS,), (offset,))]

    def constant(self, channel: int, index: int) -> int:
        """Offset of bias (0), multiplier (1), constant (2) or shift (3) of a channel."""
        return 4 * (channel * (1 + self.how.words) + index)

    def factors(self, channel: int) -> tuple[Value, Value | None]:
        """Multiplier and constant of a channel, if there is one."""
        if self.how.addend:
            return self.values.emit_pair("load_pair", (STREAM,), (self.constant(channel, 1),))
        return self.values.emit("load", (STREAM,), (self.constant(channel, 1),)), None

    def requantize(self, sums: list[list[list[Value]]], tile: int, channels: range) -> None:
        """Outputs of four times the true sums (`doubled`: which are halved first)."""
        values, how = self.values, self.how
        for number, channel in enumerate(channels):
            multiplier, constant = self.factors(channel)
            for row, column in ((0, 0), (0, 1), (1, 0), (1, 1)):
                x = sums[row][column][number]
                if how.doubled:
                    x = values.emit("shift_right", (x,), (1,))
                x = scaled(values, how, x, multiplier, constant)
                if not how.shift:  # loaded anew each time, which takes no register for long
                    shift = values.emit("load", (STREAM,), (self.constant(channel, 3),))
                    x = values.emit("shift", (x, shift))
                x = values.emit("saturate", (x,), (how.shift,))
                if (how.low, how.high) != (-128, 127):
                    x = values.emit("clamp", (x,), (how.low, how.high))
                base, at = self.outputs.place(self.shape, row, 2 * tile + column)
                values.effect("store_byte", (x, base), (at + channel,))
