"""Instructions of a depthwise convolution of one channel along a row, for windows of any height and width.

The rows of the window are staged in pairs: a word holds the int16 of a column in two rows, and one SMLAD takes both. A last
single row is staged as words of two columns. For each pair of columns (x, x + 1) and each channel the staged words are

    rows 0 and 1 at x, at x + 1; rows 2 and 3 at x, at x + 1; ...; single row at (x, x + 1)

and the words of a channel's next pair of columns come after those of three other channels.

Four outputs are computed at a time. Registers: r12 staged words, lr output. If the weights fit they are in r0.. and the other
constants of the channel on the stack; else r11 points to both in the stream.
"""

from dataclasses import dataclass

from tinycompile.ops._asm_scheduler import Operand, Scheduled, Value, Values, schedule
from tinycompile.ops._gemm_schedule import Requantizing

CONSTANTS, STAGED, STACK, OUTPUT = 11, 12, 13, 14
STACK_CONSTANTS = 32
"""Offset from the stack pointer to bias, multiplier, constant and shift of the channel."""

RESIDENT_WORDS = 5


@dataclass(frozen=True)
class Taps:
    """The window of a depthwise convolution and the distance of outputs: `stride` columns apart, `channels` bytes apart."""

    rows: int
    columns: int
    stride: int
    dilation: int
    channels: int

    @property
    def row_pairs(self) -> int:
        """Pairs of rows."""
        return self.rows // 2

    @property
    def has_single_row(self) -> bool:
        """True when a row is left over."""
        return self.rows % 2 == 1

    @property
    def reach(self) -> int:
        """Columns from the first to the last tap."""
        return (self.columns - 1) * self.dilation + 1

    @property
    def words_per_columns(self) -> int:
        """Staged words of two columns."""
        return 2 * self.row_pairs + self.has_single_row

    @property
    def weight_pairs(self) -> tuple[tuple[tuple[int, int] | None, tuple[int, int] | None], ...]:
        """The taps (row, column) in the low and high half of each word of weights, in the order of the stream."""
        words: list[tuple[tuple[int, int] | None, tuple[int, int] | None]] = []
        for pair in range(self.row_pairs):
            words += [((2 * pair, j), (2 * pair + 1, j)) for j in range(self.columns)]
        if self.has_single_row:
            words += [self._single(even) for even in self._single_words]
        return tuple(words)

    @property
    def _single_words(self) -> tuple[int, ...]:
        """First column of each word of the single row: pairs from 0 on and, if outputs stand at odd columns, from 1 on."""
        even = range(0, max(self.columns - 1, 1), 2)
        odd = range(1, self.columns - 1, 2)
        return (*even, *odd) if self.needs_odd else (*range(0, self.columns, 2),)

    @property
    def needs_odd(self) -> bool:
        """True when some output of the single row begins at an odd column."""
        return self.stride % 2 == 1

    def _single(self, column: int) -> tuple[tuple[int, int] | None, tuple[int, int] | None]:
        row = self.rows - 1
        return (row, column), ((row, column + 1) if column + 1 < self.columns else None)

    def single_word(self, column: int) -> int:
        """Index of the weights' word whose low half is this column of the single row."""
        return self.row_pairs * self.columns + self._single_words.index(column)

    @property
    def weight_words(self) -> int:
        """Words of weights."""
        return len(self.weight_pairs)

    @property
    def resident(self) -> bool:
        """True when the weights stay in registers along the row."""
        return self.weight_words <= RESIDENT_WORDS


@dataclass(frozen=True)
class Stream:
    """Offsets in bytes of the constants of a channel: weights, then bias, multiplier, constant and perhaps a shift."""

    taps: Taps
    requantizing: Requantizing

    def weight(self, word: int) -> int:
        """A word of weights."""
        return 4 * word

    def constant(self, index: int) -> int:
        """Bias (0), multiplier (1), constant (2) or shift (3)."""
        return 4 * (self.taps.weight_words + index)

    @property
    def bytes(self) -> int:
        """Bytes of a channel."""
        return 4 * (self.taps.weight_words + 1 + self.requantizing.words)


def outputs(taps: Taps, requantizing: Requantizing, count: int) -> Scheduled:
    """Compute `count` outputs one after the other."""
    values, stream = Values(), Stream(taps, requantizing)
    for first in range(0, count, 4):
        _Few(values, taps, stream, requantizing, first, min(4, count - first)).write()
    free = range(taps.weight_words, CONSTANTS + 1) if taps.resident else range(CONSTANTS)
    return schedule(values.ops, free)


class _Few:
    """Up to four outputs from column `first` * stride on."""

    def __init__(
        self, values: Values, taps: Taps, stream: Stream, how: Requantizing, first: int, count: int
    ) -> None:
        self.values, self.taps, self.stream, self.how = values, taps, stream, how
        self.first, self.count = first, count
        self.sums: list[Value | None] = [None] * count
        self.bias: Value | None = None
        self.loaded: dict[int, Value] = {}

    def constant(self, index: int) -> Value:
        if self.taps.resident:
            return self.values.emit("load", (STACK,), (STACK_CONSTANTS + 4 * index,))
        return self.values.emit("load", (CONSTANTS,), (self.stream.constant(index),))

    def weight(self, word: int) -> Operand:
        if self.taps.resident:
            return word
        return self.values.emit("load", (CONSTANTS,), (self.stream.weight(word),))

    def word(self, columns: int, index: int) -> Value:
        """A staged word of a pair of columns; loaded at its first use."""
        at = 4 * columns * self.taps.words_per_columns + index
        if at not in self.loaded:
            self.loaded[at] = self.values.emit("load", (STAGED,), (4 * at,))
        return self.loaded[at]

    def add(self, kind: str, output: int, word: Operand, weight: Operand) -> None:
        total = self.sums[output]
        if total is None:
            if self.bias is None:
                self.bias = self.constant(0)
            total = self.bias
        self.sums[output] = self.values.emit(kind, (word, weight, total))

    def write(self) -> None:
        for pair in range(self.taps.row_pairs):
            self.row_pair(pair)
        if self.taps.has_single_row:
            self.single_row()
        self.requantize()

    def row_pair(self, pair: int) -> None:
        """Two rows at a time. With weights at hand, column by column; else weight by weight, columns of equal phase together."""
        taps = self.taps
        terms = [
            ((self.first + output) * taps.stride + j * taps.dilation, j, output)
            for j in range(taps.columns)
            for output in range(self.count)
        ]
        terms.sort(key=lambda t: t if taps.resident else (t[1] * taps.dilation % taps.stride, t[1], t[2]))
        weights: dict[int, Operand] = {}
        for column, j, output in terms:
            if j not in weights:
                weights[j] = self.weight(pair * taps.columns + j)
            columns, odd = divmod(column, 2)
            self.add("smlad", output, self.word(columns, 2 * pair + odd), weights[j])

    def single_row(self) -> None:
        """One row, two columns at a time; outputs at odd columns begin and perhaps end in the middle of a word."""
        taps, index = self.taps, 2 * self.taps.row_pairs
        terms: list[tuple[int, int, str, int]] = []
        for output in range(self.count):
            start = (self.first + output) * taps.stride
            j = 0
            while j < taps.columns:
                columns, odd = divmod(start + j, 2)
                pair = not odd and j + 1 < taps.columns
                if pair:
                    terms.append((taps.single_word(j), columns, "smlad", output))
                else:
                    word, high = self._half(j)
                    terms.append((word, columns, f"smla{'t' if odd else 'b'}{'t' if high else 'b'}", output))
                j += 2 if pair else 1
        weights: dict[int, Operand] = {}
        for word, columns, kind, output in (
            sorted(terms, key=lambda t: (t[1], t[3])) if taps.resident else sorted(terms)
        ):
            if word not in weights:
                weights[word] = self.weight(word)
            self.add(kind, output, self.word(columns, index), weights[word])

    def _half(self, column: int) -> tuple[int, bool]:
        """The word that has this column of the single row, and whether it is its high half."""
        taps = self.taps
        starts = taps._single_words
        if column in starts:
            return taps.single_word(column), False
        return taps.single_word(column - 1), True

    def requantize(self) -> None:
        how, values = self.how, self.values
        multiplier, constant = self.constant(1), self.constant(2)
        shift: Value | None = None
        for output, total in enumerate(self.sums):
            assert total is not None
            offset = values.emit("sign", (constant, total)) if how.half_away else constant
            x = values.emit("scale", (total, multiplier, offset))
            if not how.shift:
                shift = shift or self.constant(3)
                x = values.emit("shift", (x, shift))
            x = values.emit("saturate", (x,), (how.shift,))
            if (how.low, how.high) != (-128, 127):
                x = values.emit("clamp", (x,), (how.low, how.high))
            values.effect("store_byte", (x, OUTPUT), ((self.first + output) * self.taps.channels,))
