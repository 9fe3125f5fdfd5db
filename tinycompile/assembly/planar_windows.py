"""Windows over planar rows: which pairs of columns a depthwise convolution multiplies with which words of weights.

A planar row holds for each channel the int16 of all columns, so a word is a pair of adjacent columns. Columns outside of the
image are no part of it.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from tinycompile.assembly.depthwise_taps import Half, Order, Term

OUTSIDE = -1
"""Stands for a pair of columns outside of the image."""


@dataclass(frozen=True)
class PlanarRow:
    """Windows along a row: `out_width` outputs, `stride` columns apart, from rows of `width` pixels.

    The first window begins `pad` columns before the image. Outputs are `channels` bytes apart.
    """

    rows: int
    columns: int
    stride: int
    pad: int
    width: int
    out_width: int
    channels: int

    @property
    def resident(self) -> bool:
        """Weights are loaded for each few outputs."""
        return False

    @property
    def _firsts(self) -> tuple[int, ...]:
        """First taps of the words of weights that hold two: those that a pair of columns is multiplied with."""
        parities = (0, 1) if self.stride % 2 else (self.pad % 2,)
        return tuple(tap for parity in parities for tap in range(parity, self.columns - 1, 2))

    @property
    def row_words(self) -> tuple[tuple[int, int | None], ...]:
        """The taps in the low and high half of each word of weights of a row."""
        paired = {tap + half for tap in self._firsts for half in (0, 1)}
        alone = [(tap, None) for tap in range(self.columns) if tap not in paired]
        return (*((tap, tap + 1) for tap in self._firsts), *alone)

    @property
    def weight_pairs(self) -> tuple[tuple[Half, Half], ...]:
        """The taps in the low and high half of each word of weights, in the order of the stream."""
        return tuple(
            ((row, low), (row, high) if high is not None else None)
            for row in range(self.rows)
            for low, high in self.row_words
        )

    @property
    def weight_words(self) -> int:
        """Words of weights."""
        return self.rows * len(self.row_words)

    def is_inside(self, column: int) -> bool:
        """True for a column of the image."""
        return 0 <= column < self.width

    def terms(self, output: int) -> list[Term]:
        """All multiplications of an output: two columns at a time, where both are inside of the image or both outside."""
        first, count = output * self.stride - self.pad, len(self.row_words)
        return [
            Term(columns, row, row * count + word, kind, output)
            for row in range(self.rows)
            for columns, word, kind in self._row_terms(first)
        ]

    def _row_terms(self, first: int) -> Iterator[tuple[int, int, str]]:
        """The multiplications with one row: pair of columns, word of weights, kind."""
        tap = 0
        while tap < self.columns:
            columns, odd = divmod(first + tap, 2)
            inside = self.is_inside(first + tap)
            both = not odd and tap + 1 < self.columns and inside == self.is_inside(first + tap + 1)
            if both:
                word, kind = self._firsts.index(tap), "smlad"
            else:
                word, high = self._half(tap)
                kind = f"smla{'t' if odd else 'b'}{'t' if high else 'b'}"
            yield columns if inside else OUTSIDE, word, kind
            tap += 1 + both

    def _half(self, tap: int) -> tuple[int, bool]:
        """The word that has a tap, and whether it is its high half."""
        return next(
            (word, tap == high) for word, (low, high) in enumerate(self.row_words) if tap in (low, high)
        )

    def word_offset(self, columns: int, word: int, channel: int) -> int:
        """Bytes from the pointer to a row to a pair of columns."""
        return 4 * columns

    def ordered(self, terms: Iterable[Term], order: Order) -> list[Term]:
        """Row by row, so that one pointer and the weights of one row are in registers at a time."""
        return sorted(terms, key=lambda t: (t.word, t.columns, t.output, t.weight))

    def touches_border(self, outputs: range) -> bool:
        """True when windows of some outputs reach outside of the image."""
        begin, end = outputs[0] * self.stride - self.pad, outputs[-1] * self.stride - self.pad + self.columns
        return begin < 0 or end > self.width
