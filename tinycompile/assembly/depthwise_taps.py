"""The multiplications of a depthwise convolution along a row: staged words, words of weights, halves.

The rows of the window are staged in pairs: a word holds the int16 of a column in two rows, and one SMLAD takes both. A last
single row is staged as words of two columns. For each pair of columns (x, x + 1) and each channel the staged words are

    rows 0 and 1 at x, at x + 1; rows 2 and 3 at x, at x + 1; ...; single row at (x, x + 1)

and the words of a channel's next pair of columns come after those of three other channels.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import Enum
from typing import Protocol

from tinycompile.assembly.requantizing import Requantizing

RESIDENT_WORDS = 5
"""Words of weights that stay in registers along a row."""

Half = tuple[int, int] | None
"""The tap (row, column) in a half of a word of weights, None for none."""


class Order(Enum):
    """Order of the multiplications of a few outputs."""

    ROWS = "rows"
    """Row by row of the window (or pair by pair), each by columns."""
    COLUMNS = "columns"
    WEIGHTS = "weights"
    """Each word of weights is loaded once."""


@dataclass(frozen=True)
class Term:
    """One multiplication: a staged word (of a pair of columns) times a word of weights, added to an output's sum."""

    columns: int
    word: int
    weight: int
    kind: str
    output: int


class Windows(Protocol):
    """What is written of the outputs of one channel, which are numbered in the order in which they are stored."""

    @property
    def channels(self) -> int:
        """Bytes from an output to the next one."""

    @property
    def weight_words(self) -> int:
        """Words of weights."""

    @property
    def resident(self) -> bool:
        """True when the weights stay in registers."""

    def terms(self, output: int) -> list[Term]:
        """All multiplications of an output."""

    def word_offset(self, columns: int, word: int, channel: int) -> int:
        """Bytes from the pointer to staged words to one of them."""

    def ordered(self, terms: Iterable[Term], order: Order) -> list[Term]:
        """The multiplications of a few outputs in an order in which words and weights are used soon after each other."""


class Geometry(Windows, Protocol):
    """Windows over staged words that one register points to; schedules are remembered by geometry."""

    def __hash__(self) -> int:
        """Schedules are remembered by geometry."""

    def word_at(self, offset: int) -> tuple[int, int, int]:
        """The columns, word and channel that have this offset."""

    @property
    def sample(self) -> "Geometry":
        """One geometry for all that differ in offsets only, for which the same instructions are the best."""


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
    def weight_pairs(self) -> tuple[tuple[Half, Half], ...]:
        """The taps in the low and high half of each word of weights, in the order of the stream."""
        words: list[tuple[Half, Half]] = []
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

    def _single(self, column: int) -> tuple[Half, Half]:
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

    def terms(self, output: int) -> list[Term]:
        """All multiplications of an output."""
        start = output * self.stride
        terms = []
        for pair in range(self.row_pairs):
            for j in range(self.columns):
                columns, odd = divmod(start + j * self.dilation, 2)
                terms.append(Term(columns, 2 * pair + odd, pair * self.columns + j, "smlad", output))
        return terms + (self.single_row(output) if self.has_single_row else [])

    def single_row(self, output: int) -> list[Term]:
        """Two columns at a time; an output at an odd column begins and perhaps ends in the middle of a word."""
        index, j = 2 * self.row_pairs, 0
        terms = []
        while j < self.columns:
            columns, odd = divmod(output * self.stride + j, 2)
            if not odd and j + 1 < self.columns:
                terms.append(Term(columns, index, self.single_word(j), "smlad", output))
                j += 2
            else:
                weight, high = self.single_half(j)
                kind = f"smla{'t' if odd else 'b'}{'t' if high else 'b'}"
                terms.append(Term(columns, index, weight, kind, output))
                j += 1
        return terms

    def word_offset(self, columns: int, word: int, channel: int) -> int:
        """Bytes from the pointer to staged words to one of them."""
        return 4 * ((4 * columns + channel) * self.words_per_columns + word)

    def word_at(self, offset: int) -> tuple[int, int, int]:
        """The columns, word and channel that have this offset."""
        group, word = divmod(offset // 4, self.words_per_columns)
        return group // 4, word, group % 4

    @property
    def sample(self) -> "Taps":
        """The same window over the fewest channels."""
        return replace(self, channels=4)

    def ordered(self, terms: Iterable[Term], order: Order) -> list[Term]:
        """The multiplications of a few outputs in an order."""
        if order is Order.ROWS:
            return sorted(terms, key=lambda t: (t.word // 2, t.columns, t.output, t.word))
        if order is Order.COLUMNS:
            return sorted(terms, key=lambda t: (t.columns, t.output, t.word))
        return sorted(terms, key=lambda t: (self._phase(t), t.weight, t.output))

    def _phase(self, term: Term) -> tuple[int, int]:
        """Row pair by row pair, columns of equal phase together, so that loaded words serve several outputs."""
        pair, j = divmod(term.weight, self.columns)
        return pair, j * self.dilation % self.stride if pair < self.row_pairs else 0


@dataclass(frozen=True)
class Stream:
    """Offsets in bytes of the constants of a channel: weights, then bias, multiplier, constant and perhaps a shift."""

    weight_words: int
    requantizing: Requantizing

    def weight(self, word: int) -> int:
        """A word of weights."""
        return 4 * word

    def constant(self, index: int) -> int:
        """Bias (0), multiplier (1), constant (2) or shift (3)."""
        return 4 * (self.weight_words + index)

    @property
    def bytes(self) -> int:
        """Bytes of a channel."""
        return 4 * (self.weight_words + 1 + self.requantizing.words)
