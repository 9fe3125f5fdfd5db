"""Instructions of a depthwise convolution of one channel along a row, for windows of any height and width.

The rows of the window are staged in pairs: a word holds the int16 of a column in two rows, and one SMLAD takes both. A last
single row is staged as words of two columns. For each pair of columns (x, x + 1) and each channel the staged words are

    rows 0 and 1 at x, at x + 1; rows 2 and 3 at x, at x + 1; ...; single row at (x, x + 1)

and the words of a channel's next pair of columns come after those of three other channels.

Registers: r12 staged words, lr output. If the weights fit they are in r0.. and the other
constants of the channel on the stack; else r11 points to both in the stream.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from functools import cache

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

    def single_half(self, column: int) -> tuple[int, bool]:
        """The word that has this column of the single row, and whether it is its high half."""
        if column in self._single_words:
            return self.single_word(column), False
        return self.single_word(column - 1), True

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


@dataclass(frozen=True)
class _Term:
    """One multiplication: a staged word (of a pair of columns) times a word of weights, added to an output's sum."""

    columns: int
    word: int
    weight: int
    kind: str
    output: int


@cache
def outputs(taps: Taps, requantizing: Requantizing, count: int) -> Scheduled:
    """Compute `count` outputs of one channel."""
    free = range(taps.weight_words, CONSTANTS + 1) if taps.resident else range(CONSTANTS)
    return _best(taps, requantizing, count, (0,), taps.resident, free)


@cache
def four_channels(taps: Taps, requantizing: Requantizing, count: int) -> Scheduled:
    """Compute `count` outputs of each of four channels; r11 points to their constants in the stream."""
    return _best(taps, requantizing, count, range(4), False, range(CONSTANTS))


def _best(
    taps: Taps, how: Requantizing, count: int, channels: Iterable[int], in_registers: bool, free: range
) -> Scheduled:
    """The fastest of the orders that the registers suffice for: outputs in groups of 4, 3 or 2, rows or columns first."""
    found: list[Scheduled] = []
    for group in (4, 3, 2):
        for order in _Order if taps.resident else (_Order.WEIGHTS,):
            values = Values()
            for channel in channels:
                _Channel(values, taps, how, channel, in_registers).outputs(count, group, order)
            made = schedule(values.ops, free)
            if made is not None:
                found.append(made)
        if found:
            break
    return min(found, key=lambda made: (made.cycles, len(made.steps)))


class _Order(Enum):
    """Order of the multiplications of a few outputs."""

    ROWS = "rows"
    """Pairs of rows, then the single row, each by columns."""
    COLUMNS = "columns"
    WEIGHTS = "weights"
    """Each word of weights is loaded once."""


class _Channel:
    """Writes the operations of one channel; `in_registers`: its weights are in r0.. and its other constants on the stack."""

    def __init__(
        self, values: Values, taps: Taps, how: Requantizing, channel: int, in_registers: bool
    ) -> None:
        self.values, self.taps, self.how, self.channel = values, taps, how, channel
        self.stream = Stream(taps, how)
        self.in_registers = in_registers
        self.sums: dict[int, Value] = {}
        self.constants: dict[int, Value] = {}
        self.weights: dict[int, Value] = {}
        self.loaded: dict[int, Value] = {}

    def outputs(self, count: int, group: int, order: _Order) -> None:
        """All outputs, a few at a time. Weights that all fit registers are loaded once."""
        for first in range(0, count, group):
            terms = [
                term for output in range(first, min(first + group, count)) for term in self.terms(output)
            ]
            if order is _Order.ROWS:
                terms.sort(key=lambda t: (t.word // 2, t.columns, t.output, t.word))
            elif order is _Order.COLUMNS:
                terms.sort(key=lambda t: (t.columns, t.output, t.word))
            else:
                terms.sort(key=lambda t: (self.phase(t), t.weight, t.output))
            self.write(terms)
            self.loaded.clear()
            if not self.taps.resident:
                self.weights.clear()

    def write(self, terms: list[_Term]) -> None:
        """Multiply in the order given; outputs are requantized when they and the pair of columns are done."""
        left = Counter(term.output for term in terms)
        finished: list[int] = []
        for term, following in zip(terms, [*terms[1:], None], strict=True):
            total = self.sums.get(term.output) or self.constant(0)
            operands = (self.word(term.columns, term.word), self.weight(term.weight), total)
            self.sums[term.output] = self.values.emit(term.kind, operands)
            left[term.output] -= 1
            if left[term.output] == 0:
                finished.append(term.output)
            if following is None or following.columns != term.columns:
                for output in finished:
                    self.requantize(output)
                finished.clear()
        self.constants.clear()

    def phase(self, term: _Term) -> tuple[int, int]:
        """Order of weights: row pair by row pair, columns of equal phase together, so that loaded words serve several outputs."""
        taps = self.taps
        pair, j = divmod(term.weight, taps.columns)
        return pair, j * taps.dilation % taps.stride if pair < taps.row_pairs else 0

    def terms(self, output: int) -> list[_Term]:
        """All multiplications of an output."""
        taps, start = self.taps, output * self.taps.stride
        terms = []
        for pair in range(taps.row_pairs):
            for j in range(taps.columns):
                columns, odd = divmod(start + j * taps.dilation, 2)
                terms.append(_Term(columns, 2 * pair + odd, pair * taps.columns + j, "smlad", output))
        return terms + (self.single_row(output) if taps.has_single_row else [])

    def single_row(self, output: int) -> list[_Term]:
        """Two columns at a time; an output at an odd column begins and perhaps ends in the middle of a word."""
        taps, index, j = self.taps, 2 * self.taps.row_pairs, 0
        terms = []
        while j < taps.columns:
            columns, odd = divmod(output * taps.stride + j, 2)
            if not odd and j + 1 < taps.columns:
                terms.append(_Term(columns, index, taps.single_word(j), "smlad", output))
                j += 2
            else:
                weight, high = taps.single_half(j)
                kind = f"smla{'t' if odd else 'b'}{'t' if high else 'b'}"
                terms.append(_Term(columns, index, weight, kind, output))
                j += 1
        return terms

    def constant(self, index: int) -> Value:
        """Bias (0), multiplier (1), constant (2) or shift (3), loaded anew for every few outputs."""
        if index not in self.constants:
            if self.in_registers:
                address, offset = STACK, STACK_CONSTANTS + 4 * index
            else:
                address, offset = CONSTANTS, self.channel * self.stream.bytes + self.stream.constant(index)
            self.constants[index] = self.values.emit("load", (address,), (offset,))
        return self.constants[index]

    def weight(self, word: int) -> Operand:
        if self.in_registers:
            return word
        if word not in self.weights:
            offset = self.channel * self.stream.bytes + self.stream.weight(word)
            self.weights[word] = self.values.emit("load", (CONSTANTS,), (offset,))
        return self.weights[word]

    def word(self, columns: int, index: int) -> Value:
        """A staged word of a pair of columns; loaded at its first use."""
        at = (4 * columns + self.channel) * self.taps.words_per_columns + index
        if at not in self.loaded:
            self.loaded[at] = self.values.emit("load", (STAGED,), (4 * at,))
        return self.loaded[at]

    def requantize(self, output: int) -> None:
        """From the sum of an output to the store."""
        how, values, total = self.how, self.values, self.sums[output]
        multiplier, constant = self.constant(1), self.constant(2)
        offset = values.emit("sign", (constant, total)) if how.half_away else constant
        x = values.emit("scale", (total, multiplier, offset))
        if not how.shift:
            x = values.emit("shift", (x, self.constant(3)))
        x = values.emit("saturate", (x,), (how.shift,))
        if (how.low, how.high) != (-128, 127):
            x = values.emit("clamp", (x,), (how.low, how.high))
        values.effect("store_byte", (x, OUTPUT), (output * self.taps.channels + self.channel,))
