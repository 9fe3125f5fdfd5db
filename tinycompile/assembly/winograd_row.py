"""Instructions of Winograd's F(4, 3) along a row for int8: four outputs of three taps from six products in place of twelve.

Y = A' [(G g) * (B' d)] for tiles d of six columns; the products of all rows and channels of a window are summed before A'. So
one output row is made at a time, from any number of rows. With the points 0, 1, -1, 2, -2 and infinity

    B' d = 4 d0 - 5 d2 + d4          A' m = m0 + (m1 + m2) +     (m3 + m4)
           (d4 - 4 d2) + (d3 - 4 d1)        (m1 - m2) + 2 (m3 - m4)
           (d4 - 4 d2) - (d3 - 4 d1)        (m1 + m2) + 4 (m3 + m4)
           (d4 - d2) + (2 d3 - 2 d1)        (m1 - m2) + 8 (m3 - m4) + m5
           (d4 - d2) - (2 d3 - 2 d1)
           4 d1 - 5 d3 + d5

G is taken times 24, its common denominator, so that everything is an integer and sums come out times 24, which the
requantization constants take back: the outputs are exact. Sums may wrap on the way, since the last ones fit int32.

Inputs are taken as uint8, the zero point 128 higher: multiples of two lanes in a word are then plain additions.
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

POSITIONS = 6
TILE_COLUMNS = 4
"""Places of a tile."""
BLOCK_SUMS = 8
"""Tiles times channels of a block: as many sums stay in registers."""
UNSIGNED_OFFSET = 128
"""What is added to inputs."""

ROW, SIGNS, TO = 0, 1, 14
"""Registers of the transform: the first pixel under the tiles, four times the byte 128, and the staged words."""

THIRD, SUMS, OUTPUT = 10, 11, 14
"""Registers of the last part: what divides by three, the sums of a block, and its outputs."""

INVERSE_OF_3 = 0xAAAAAAAB
"""Modulo 2**32, where it divides every multiple of three."""

LARGEST_OFFSET = 4095
_LARGEST_PAIR_OFFSET = 1020
_LONGEST_PAIRS = 48


@dataclass(frozen=True)
class RowTiles:
    """`tiles` tiles beside each other over `rows` input rows with `channels` channels, a multiple of four."""

    tiles: int
    rows: int
    channels: int

    @property
    def width(self) -> int:
        """Places beside each other."""
        return TILE_COLUMNS * self.tiles

    @property
    def columns(self) -> int:
        """Input columns under the tiles."""
        return self.width + 2

    @property
    def pairs(self) -> int:
        """Pairs of int16 that are multiplied for each position."""
        return self.rows * self.channels // 2

    @property
    def row_bytes(self) -> int:
        """Staged words of a position and one input row."""
        return 2 * self.channels * self.tiles

    @property
    def position_bytes(self) -> int:
        """Staged words of a position."""
        return self.rows * self.row_bytes

    @property
    def block_channels(self) -> int:
        """Output channels of a block."""
        return BLOCK_SUMS // self.tiles

    @property
    def chunk(self) -> int:
        """Pairs that are multiplied without a loop: the largest part of `pairs` that offsets reach and code may take."""
        reach = _LARGEST_PAIR_OFFSET // 4 // max(self.tiles, self.block_channels) + 1
        return max(n for n in range(1, min(reach, _LONGEST_PAIRS) + 1) if self.pairs % n == 0)

    def fits_offsets(self, out_channels: int) -> bool:
        """True when all offsets of the steps can be encoded."""
        staged = (POSITIONS - 1) * self.position_bytes + 8 * self.tiles
        return max(staged, (self.columns - 1) * self.channels, self.width * out_channels) <= LARGEST_OFFSET


@cache
def transform(shape: RowTiles) -> Scheduled:
    """B' for four channels of all tiles; `ROW` and `TO` stand at these channels."""
    values = Values()
    for half, kind in enumerate(("uxtb16", "uxtb16_ror8")):
        d: list[Value] = []
        for tile in range(shape.tiles):
            for column in range(TILE_COLUMNS * tile + len(d), TILE_COLUMNS * tile + 6):
                word = values.emit("load", (ROW,), (column * shape.channels,))
                d.append(values.emit(kind, (values.emit("eor", (word, SIGNS)),)))
            _transform_tile(values, shape, d, 4 * (half * shape.tiles + tile))
            d = d[TILE_COLUMNS:]
    made = schedule(values.ops, range(2, 13))
    assert made is not None
    return made


def _transform_tile(values: Values, shape: RowTiles, d: list[Value], at: int) -> None:
    """Two channels of a tile: words of two lanes each, at most 5 * 255, so that only differences need instructions for lanes."""

    def store(position: int, kind: str, a: Operand, b: Operand) -> None:
        value = values.emit(kind, (a, b))
        values.effect("store", (value, TO), (position * shape.position_bytes + at,))

    def twice(value: Value) -> Value:
        return values.emit("add", (value, value))

    d0, d1, d2, d3, d4, d5 = d
    two_d2 = twice(d2)
    four_d2 = twice(two_d2)
    store(0, "ssub16", values.emit("add", (twice(twice(d0)), d4)), values.emit("add", (four_d2, d2)))
    p = values.emit("ssub16", (d4, four_d2))
    two_d1 = twice(d1)
    four_d1 = twice(two_d1)
    q = values.emit("ssub16", (d3, four_d1))
    store(1, "sadd16", p, q)
    store(2, "ssub16", p, q)
    two_d3 = twice(d3)
    store(5, "ssub16", values.emit("add", (four_d1, d5)), values.emit("add", (twice(two_d3), d3)))
    u, v = values.emit("ssub16", (d4, d2)), values.emit("ssub16", (two_d3, two_d1))
    store(3, "sadd16", u, v)
    store(4, "ssub16", u, v)


@cache
def products(shape: RowTiles) -> Scheduled:
    """A chunk of the matrix product of a position; where there are several chunks it is added to the sums.

    Weights are loaded two at a time, pixels one by one: a middle way between the fewest instructions and the fewest cycles. A
    single tile needs more words for its products, so there every second pair has its weights loaded one by one.
    """
    steps: list[Step] = []
    for pair in range(shape.chunk):
        double = shape.tiles > 1 or pair % 2 == 0
        one = Shape(
            shape.tiles, shape.block_channels, 1, Places(1), double_words=shape.block_channels * double
        )
        adds = pair > 0 or shape.chunk < shape.pairs
        steps += [_moved(step, shape, pair, adds) for step in product_steps(one)]
    return reorder(steps)


def _moved(step: Step, shape: RowTiles, pair: int, adds: bool) -> Step:
    """The same step for a pair that is `pair` pairs further; `adds`: its products are added to the sums."""
    if step[0] == "smuad" and adds:
        _, total, weight, x = step
        return ("smlad", total, weight, x, total)
    if not str(step[0]).startswith("load"):
        return step
    *registers, base, offset = step
    assert isinstance(offset, int)
    return (*registers, base, offset + 4 * pair * (shape.block_channels if base == STREAM else shape.tiles))


@cache
def finish(shape: RowTiles, how: Requantizing, pixel_bytes: int) -> Scheduled:
    """A', requantization and stores of a block; its constants begin at r12, pixels are `pixel_bytes` apart."""
    values = Values()
    for channel in range(shape.block_channels):
        for tile in range(shape.tiles):
            for column, value in enumerate(_outputs(values, shape, how, channel, tile)):
                at = (TILE_COLUMNS * tile + column) * pixel_bytes + channel
                values.effect("store_byte", (_requantized(values, how, value, channel), OUTPUT), (at,))
    made = schedule(values.ops, range(THIRD if how.doubled else SUMS))
    assert made is not None
    return made


def _outputs(
    values: Values, shape: RowTiles, how: Requantizing, channel: int, tile: int
) -> tuple[Value, ...]:
    """A' with the bias, which both the sum and the difference of m1 and m2 take into two of the outputs."""

    def m(position: int) -> Value:
        place = position * BLOCK_SUMS + tile * shape.block_channels + channel
        return values.emit("load", (SUMS,), (4 * place,))

    bias = values.emit("load", (STREAM,), (_constant(how, channel, 0),))
    m1, m2 = m(1), m(2)
    biased = values.emit("add", (m1, bias))
    even, odd = values.emit("add", (biased, m2)), values.emit("sub", (biased, m2))
    m3, m4 = m(3), m(4)
    plus, minus = values.emit("add", (m3, m4)), values.emit("sub", (m3, m4))
    return (
        values.emit("add", (values.emit("add", (even, plus)), m(0))),
        values.emit("add_shifted", (odd, minus), (1,)),
        values.emit("add_shifted", (even, plus), (2,)),
        values.emit("add", (values.emit("add_shifted", (odd, minus), (3,)), m(5))),
    )


def _constant(how: Requantizing, channel: int, index: int) -> int:
    """Offset of bias (0), multiplier (1), constant (2) or shift (3) of a channel."""
    return 4 * (channel * (1 + how.words) + index)


def _requantized(values: Values, how: Requantizing, x: Value, channel: int) -> Value:
    """The output of a sum; `doubled`: of 24 times the true sum, which is divided by twelve first."""
    if how.doubled:
        x = values.emit("shift_right", (values.emit("multiply", (x, THIRD)),), (2,))
    multiplier = values.emit("load", (STREAM,), (_constant(how, channel, 1),))
    constant = values.emit("load", (STREAM,), (_constant(how, channel, 2),)) if how.addend else None
    x = scaled(values, how, x, multiplier, constant)
    if not how.shift:
        x = values.emit("shift", (x, values.emit("load", (STREAM,), (_constant(how, channel, 3),))))
    x = values.emit("saturate", (x,), (how.shift,))
    if (how.low, how.high) != (-128, 127):
        x = values.emit("clamp", (x,), (how.low, how.high))
    return x
