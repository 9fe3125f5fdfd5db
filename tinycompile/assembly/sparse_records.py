"""The streams of sparse matrix products: for each output channel its first term, its records, its requantization constants.

A record has a few entries, and how far the pointer to the taps moves before each of them; the bit below the last step is set in
the last record of a channel. Bits of the kinds of records, from the lowest on:

    SINGLES  a word: first weight 8, first step 8, second weight 8, last 1, second step 7
    VECTOR   two words: first step 8, first two steps 8, first three steps 8, last 1, all four steps 7; four weights of 8
    BLOCKS   three words: first step 16, last 1, second step 15; two entries of four weights of 8, whose taps follow each other
"""

from dataclasses import dataclass

LARGEST_OFFSET = 4095
"""From the first to the last pixel of a group, of the input and of the output."""


@dataclass(frozen=True)
class Kind:
    """A kind of records. `suffix` is its part of kernels' names, `most_pixels` is how many pixels may share a record."""

    suffix: str
    entries: int
    taps: int
    words: int
    largest_step: int
    last_bit: int
    most_pixels: int

    @property
    def last_step_bit(self) -> int:
        """The lowest bit of the last step in the record's first word."""
        return self.last_bit + 1


SINGLES = Kind("sparse", entries=2, taps=1, words=1, largest_step=127, last_bit=24, most_pixels=8)
VECTOR = Kind("sparse_vector", entries=4, taps=1, words=2, largest_step=127 // 4, last_bit=24, most_pixels=1)
BLOCKS = Kind(
    "sparse_blocks", entries=2, taps=4, words=3, largest_step=(1 << 15) - 1, last_bit=16, most_pixels=6
)


@dataclass(frozen=True)
class Group:
    """Pixels that are computed together: `distance` bytes apart in the input, `out_channels` bytes in the output."""

    kind: Kind
    pixels: int
    distance: int
    out_channels: int

    @property
    def fits(self) -> bool:
        """True when offsets reach all pixels."""
        return (self.pixels - 1) * max(self.distance, self.out_channels) <= LARGEST_OFFSET
