"""Depthwise convolution of an image, four channels at a time: each row is staged once and serves all the windows that it is in.

A staged word holds the int16 of the columns x and x + 1; staged words are [row][pair of columns][channel]. Outputs at odd
columns begin in the middle of a word, so the weights of a row are there as pairs from column 0 on and from column 1 on.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cache

from tinycompile.assembly.depthwise import outputs
from tinycompile.assembly.depthwise_taps import Half, Order, Taps, Term
from tinycompile.assembly.requantizing import Requantizing
from tinycompile.assembly.scheduler import Scheduled

RESIDENT_WORDS = 6
_LARGEST_OFFSET = 4095
_BLOCK_OUTPUTS = range(4, 17, 2)
_MOST_BLOCK_OUTPUTS = 32
_SAMPLE_PAIRS = 1 << 12
_ROW_CYCLES = 4
_BLOCK_CYCLES = 3
_CHANNEL_CYCLES = 14


@dataclass(frozen=True)
class Plane:
    """Windows over staged rows of `pairs` pairs of columns: `row` is one row of the window, outputs stand in rows of `width`."""

    row: Taps
    rows: int
    row_stride: int
    row_dilation: int
    pairs: int
    width: int

    @property
    def channels(self) -> int:
        """Bytes from an output to the next one."""
        return self.row.channels

    @property
    def weight_pairs(self) -> tuple[tuple[Half, Half], ...]:
        """The taps in the low and high half of each word of weights, in the order of the stream."""
        return tuple(
            ((row, low[1]) if low else None, (row, high[1]) if high else None)
            for row in range(self.rows)
            for low, high in self.row.weight_pairs
        )

    @property
    def weight_words(self) -> int:
        """Words of weights."""
        return self.rows * self.row.weight_words

    @property
    def resident(self) -> bool:
        """True when the weights stay in registers."""
        return self.weight_words <= RESIDENT_WORDS

    @property
    def row_bytes(self) -> int:
        """Bytes of a staged row."""
        return 16 * self.pairs

    @property
    def reach(self) -> int:
        """Rows from the first to the last one of a window."""
        return (self.rows - 1) * self.row_dilation + 1

    def staged_rows(self, rows: int) -> int:
        """Staged rows that so many rows of outputs need."""
        return (rows - 1) * self.row_stride + self.reach

    def terms(self, output: int) -> list[Term]:
        """All multiplications of an output."""
        y, x = divmod(output, self.width)
        return [
            Term(
                term.columns,
                y * self.row_stride + row * self.row_dilation,
                row * self.row.weight_words + term.weight,
                term.kind,
                output,
            )
            for row in range(self.rows)
            for term in self.row.single_row(x)
        ]

    def word_offset(self, columns: int, word: int, channel: int) -> int:
        """Bytes from the pointer to staged words to one of them."""
        return word * self.row_bytes + 16 * columns + 4 * channel

    def word_at(self, offset: int) -> tuple[int, int, int]:
        """The columns, word and channel that have this offset."""
        word, rest = divmod(offset, self.row_bytes)
        return rest // 16, word, rest % 16 // 4

    @property
    def sample(self) -> "Plane":
        """The same windows over the fewest channels, and rows of a length that all have."""
        return replace(self, row=self.row.sample, pairs=_SAMPLE_PAIRS)

    def ordered(self, terms: Iterable[Term], order: Order) -> list[Term]:
        """The multiplications of a few outputs in an order."""
        if order is Order.ROWS:
            return sorted(terms, key=lambda t: (t.word, t.columns, t.output, t.weight))
        if order is Order.COLUMNS:
            return sorted(terms, key=lambda t: (t.columns, t.output, t.word))
        return sorted(terms, key=lambda t: (t.weight, t.output))


@dataclass(frozen=True)
class Blocks:
    """How the outputs of one channel are computed: `rows` rows at a time if they are narrow; else blocks along each row.

    `columns` outputs of a row are one block, of which there are `count`; then comes the rest of the row.
    """

    rows: int
    block: Scheduled
    columns: int
    count: int
    rest: Scheduled | None

    def cycles(self, rows: int) -> int:
        """Cycles of one channel of so many rows."""
        row = self.count * (self.block.cycles + (_BLOCK_CYCLES if self.count > 1 else 0)) + _ROW_CYCLES
        return rows // self.rows * (row + (self.rest.cycles if self.rest else 0)) + _CHANNEL_CYCLES

    @property
    def steps(self) -> int:
        """Instructions that are printed."""
        return len(self.block.steps) + (len(self.rest.steps) if self.rest else 0)


def fits_offsets(plane: Plane, rows: int = 1) -> bool:
    """True when offsets to the staged words of so many rows of outputs have 12 bits."""
    return plane.staged_rows(rows) * plane.row_bytes <= _LARGEST_OFFSET + 1


@cache
def blocks_of(plane: Plane, how: Requantizing, rows: int) -> Blocks:
    """Blocks that `rows` rows are a multiple of."""
    together = max(_narrow_rows(plane, rows), default=0)
    if together:
        return Blocks(together, outputs(plane, how, together * plane.width), plane.width, 1, None)
    near = [n for n in _BLOCK_OUTPUTS if n <= plane.width and (n - 1) * plane.channels <= _LARGEST_OFFSET]
    columns = min(near, key=lambda n: (_iterations(plane.width, n), n + plane.width % n))
    rest = outputs(plane, how, plane.width % columns) if plane.width % columns else None
    return Blocks(1, outputs(plane, how, columns), columns, plane.width // columns, rest)


def _iterations(width: int, columns: int) -> int:
    """How often a loop over blocks of so many outputs jumps back, and once more; a single block needs no loop."""
    count = width // columns
    return count if count > 1 else 0


def _narrow_rows(plane: Plane, rows: int) -> Iterator[int]:
    """Numbers of rows that can be computed together without a loop."""
    for together in range(1, rows + 1):
        count = together * plane.width
        near = (count - 1) * plane.channels <= _LARGEST_OFFSET and fits_offsets(plane, together)
        if rows % together == 0 and count <= _MOST_BLOCK_OUTPUTS and near:
            yield together
