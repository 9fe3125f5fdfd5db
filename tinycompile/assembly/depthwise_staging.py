"""Staging for depthwise convolution: four channels of the rows of a window as pairs of int16, see `assembly/depthwise_taps.py`.

Staged words are [pair of columns][channel][word]. Columns outside of the image hold the zero point.
"""

from dataclasses import dataclass
from functools import cache

from tinycompile.assembly.depthwise_taps import Taps
from tinycompile.assembly.scheduler import Operand, Scheduled, Step, Value, Values, schedule

ROW_REGISTERS = (0, 1, 2)
STAGED, ZERO_POINTS = 3, 4
"""Registers that point to staged words, and that hold four times the input's zero point."""

_FREE = (5, 6, 7, 8, 9, 10, 11, 14)
_LARGEST_OFFSET = 4095
STRAIGHT_PAIRS = 4
_UNROLLED_PAIRS = (8, 4, 2)


@dataclass(frozen=True)
class Columns:
    """Columns of an image row of `width` pixels that are staged: `count` pairs from column -pad_left on."""

    width: int
    pad_left: int
    count: int

    @property
    def inside(self) -> range:
        """Pairs that have both columns inside of the image."""
        first = (self.pad_left + 1) // 2
        last = (self.width + self.pad_left) // 2
        return range(min(first, self.count), max(min(last, self.count), min(first, self.count)))

    def farthest(self, unroll: int) -> int:
        """The farthest pixel from the pointer, in the loop and behind it, when `unroll` pairs are staged at a time."""
        inside = self.inside
        in_loop = 2 * (inside.start + unroll) - 1 - self.pad_left
        return max(in_loop, self.width - 1 - 2 * (len(inside) // unroll * unroll))


@dataclass(frozen=True)
class Pass:
    """Rows that are staged together: pairs of rows and the single row, by index of their staged word."""

    rows: tuple[int, ...]

    def words(self, taps: Taps) -> tuple[tuple[int, tuple[int, ...]], ...]:
        """(index of the first staged word, positions of its rows in `rows`)."""
        return tuple(
            (row, (at,) if row == taps.rows - 1 and taps.has_single_row else (at, at + 1))
            for at, row in enumerate(self.rows)
            if row % 2 == 0
        )


def passes(taps: Taps) -> tuple[Pass, ...]:
    """Two rows at a time, the last time three if their number is odd."""
    starts = list(range(0, taps.rows - 1, 2)) or [0]
    ends = [*starts[1:], taps.rows]
    return tuple(Pass(tuple(range(a, b))) for a, b in zip(starts, ends, strict=True))


@dataclass(frozen=True)
class Staging:
    """Steps that stage one pass: pairs before the loop, in it (`loop_pairs` at a time, `iterations` times), and after it."""

    head: Scheduled
    loop: Scheduled
    iterations: int
    loop_pairs: int
    tail: Scheduled

    @property
    def cycles(self) -> int:
        """Cycles of the pass."""
        return self.head.cycles + self.iterations * (self.loop.cycles + 3) + self.tail.cycles


@cache
def staging(taps: Taps, columns: Columns, one: Pass) -> Staging:
    """Steps for one pass over all pairs of columns."""
    inside = columns.inside
    near = [n for n in _UNROLLED_PAIRS if columns.farthest(n) * taps.channels <= _LARGEST_OFFSET]
    unroll = next((n for n in near if n <= len(inside)), 1)
    # without a loop the pointers never move, so offsets reach the last pixel of the row
    straight = len(inside) <= STRAIGHT_PAIRS and (columns.width - 1) * taps.channels <= _LARGEST_OFFSET
    iterations = 0 if straight else len(inside) // unroll
    looped = range(inside.start, inside.start + iterations * unroll)
    writer = _Writer(taps, columns, one)
    return Staging(
        head=writer.pairs(range(looped.start), 0),
        loop=writer.pairs(range(looped.start, looped.start + unroll if iterations else looped.start), 0),
        iterations=iterations,
        loop_pairs=unroll,
        tail=writer.pairs(range(looped.stop, columns.count), len(looped)),
    )


@cache
def outside_steps(taps: Taps, columns: Columns) -> tuple[Step, ...]:
    """Steps that store the words that hold zero points for every channel, before the first four channels are staged."""
    steps: list[Step] = []
    for one in passes(taps):
        writer = _Writer(taps, columns, one)
        pairs = [pair for pair in range(columns.count) if pair not in columns.inside]
        steps += [step for pair in pairs for step in writer.outside(pair).steps]
    return tuple(steps)


@dataclass(frozen=True)
class _Writer:
    taps: Taps
    columns: Columns
    one: Pass

    def pairs(self, pairs: range, moved: int) -> Scheduled:
        """Stage pairs of columns; pointers have moved by `moved` pairs."""
        values = Values()
        for pair in pairs:
            for index, rows in self.one.words(self.taps):
                if len(rows) == 2:
                    self.row_pair(values, pair, moved, index, rows)
                else:
                    self.single_row(values, pair, moved, index, rows[0])
        made = schedule(values.ops, _FREE)
        assert made is not None
        return made

    def outside(self, pair: int) -> Scheduled:
        """Store the words of a pair of columns that hold zero points alone: the same for all channels."""
        values = Values()
        word: Value | None = None
        for index, rows in self.one.words(self.taps):
            for k in range(len(rows)):
                if self.is_outside(pair, index, k, len(rows) == 2):
                    word = word or values.emit("sxtb16", (ZERO_POINTS,))
                    for channel in range(4):
                        values.effect("store", (word, STAGED), (self.offset(pair, channel, index + k),))
        made = schedule(values.ops, _FREE)
        assert made is not None
        return made

    def is_outside(self, pair: int, index: int, k: int, by_column: bool) -> bool:
        """True for a staged word that is stored once for all channels, by `outside`."""
        columns = (2 * pair + k,) if by_column else (2 * pair, 2 * pair + 1)
        near = self.offset(pair, 3, index + k) <= _LARGEST_OFFSET
        return near and k <= by_column and not any(self.is_inside(column) for column in columns)

    def is_inside(self, column: int) -> bool:
        """True for a staged column that is one of the image."""
        return 0 <= column - self.columns.pad_left < self.columns.width

    def load(self, values: Values, row: int, column: int, moved: int) -> Operand:
        """Four channels of a pixel; `column` counts from the first staged one."""
        if not self.is_inside(column):
            return ZERO_POINTS
        x = column - self.columns.pad_left
        return values.emit("load", (ROW_REGISTERS[row],), ((x - 2 * moved) * self.taps.channels,))

    def row_pair(self, values: Values, pair: int, moved: int, index: int, rows: tuple[int, ...]) -> None:
        """Columns x and x + 1 in two rows: for each channel a word for each column."""
        for odd in range(2):
            if self.is_outside(pair, index, odd, True):
                continue
            upper, lower = (self.load(values, row, 2 * pair + odd, moved) for row in rows)
            for channel, word in enumerate(_four_channels(values, upper, lower)):
                values.effect("store", (word, STAGED), (self.offset(pair - moved, channel, index + odd),))

    def single_row(self, values: Values, pair: int, moved: int, index: int, row: int) -> None:
        """Columns x and x + 1 of one row: a word for each channel."""
        if self.is_outside(pair, index, 0, False):
            return
        left, right = (self.load(values, row, column, moved) for column in (2 * pair, 2 * pair + 1))
        for channel, word in enumerate(_four_channels(values, left, right)):
            values.effect("store", (word, STAGED), (self.offset(pair - moved, channel, index),))

    def offset(self, pair: int, channel: int, index: int) -> int:
        return 4 * ((4 * pair + channel) * self.taps.words_per_columns + index)


def _four_channels(values: Values, low: Operand, high: Operand) -> list[Value]:
    """Bytes of two words as four words of two int16: byte k of `low` and byte k of `high`."""
    first = values.emit("pkhbt", (low, high))
    second = values.emit("pkhtb", (high, low))
    return [
        values.emit("sxtb16", (first,)), values.emit("sxtb16_ror8", (first,)),
        values.emit("sxtb16", (second,)), values.emit("sxtb16_ror8", (second,)),
    ]  # fmt: skip
