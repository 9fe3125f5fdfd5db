"""The shape of a block of a matrix product: how many pixels and channels, and how its stream holds the weights.

Stream of a block: first terms [sum]; weights [pair][word]; requantization constants [channel][1 to 3].
"""

from dataclasses import dataclass
from enum import Enum

from tinycompile.assembly.places import Places
from tinycompile.assembly.requantizing import Requantizing

OPERAND_REGISTERS = 12
"""r0 to r11 hold sums and operands."""

STREAM, STACK, STAGED = 12, 13, 14
"""Registers that point to the stream, to the frame and to the staged pixels."""

OUTPUT_OFFSET, STAGED_OFFSET, END_OFFSET = 0, 12, 24
"""Where the frame keeps the output, the staged pixels and their end."""

LARGEST_PAIR_OFFSET = 1020
"""Offset that a load of two words reaches."""

CHAIN = 4
"""Channels that three sums stand for."""


ChainOrder = tuple[int, ...]
"""Which of its four channels a chain begins and goes on with."""

NATURAL_ORDER: ChainOrder = tuple(range(CHAIN))


def vector_halves(depth: int) -> list[tuple[int, int]]:
    """Which tap is in which half of the pairs of a vector of `depth` int8 that is not staged, -1 for none.

    A word gives two pairs, its bytes (0, 2) and (1, 3). Words do not reach behind the vector: if a part of one is left over, the
    last four bytes come first, and those of them that are part of another word have no weight.
    """
    left = depth % 4
    rest = [tap if tap >= depth - left else -1 for tap in range(depth - 4, depth)] if left else []
    words = [rest, *([tap, tap + 1, tap + 2, tap + 3] for tap in range(0, depth - left, 4))]
    return [(word[at], word[at + 2]) for word in words if word for at in (0, 1)]


class Weights(Enum):
    """How words hold the weights of a pair of taps, one tap in each half, and what their sums are.

    INT16    one channel; its dot product, times a power of two
    PACKED   the channels 1 and 0 of two: 256 * w1 + w0. The word gives 256 * dot1 + dot0, its SXTB16, which is w0, gives dot0
    CHAINED  neighbours in a chain of four channels: 256 * w0 + w1, 256 * w1 + w2, 256 * w2 + w3. Three sums S0, S1, S2 stand for
             four dot products: as all but dot3 cancels out,

                 dot3 = S2 - 256 * S1 + 65536 * S0   modulo 2**24, the remainder nearest to 0
                 256 * dot2 = S2 - dot3,  256 * dot1 = S1 - dot2,  256 * dot0 = S0 - dot1   modulo 2**32

             so dot products need to stay within 24 bits, and nothing else. One to three channels that are left over have words
             of their own: 256 * w.
    """

    INT16 = ""
    PACKED = "packed"
    CHAINED = "chained"

    def kernel(self, basename: str) -> str:
        """Name of a kernel in the form that has these weights."""
        return f"{basename}_{self.value}" if self.value else basename


@dataclass(frozen=True)
class Shape:
    """A block of pixels times channels over `pairs` pairs of taps; `places` says where their outputs are stored.

    With `double_pixels`, pixels are loaded two at a time, a single one for two pairs. `double_words` is how many of the words of
    weights of each pair, the first ones, are loaded two at a time. `order` is that of the channels in chains. With `multiple`,
    chained weights are loaded by LDM, which moves the stream pointer: fewer instructions, for cores that cannot issue a load
    beside a multiplication.
    `vector_bytes` is 0 when pixels are staged as pairs of int16; else one pixel of so many int8, four at least, is read where it
    lies. Its taps come four at a time, see `vector_halves`.
    """

    pixels: int
    channels: int
    pairs: int
    places: Places
    weights: Weights = Weights.INT16
    double_pixels: bool = False
    double_words: int = 0
    order: ChainOrder = NATURAL_ORDER
    multiple: bool = False
    vector_bytes: int = 0

    @property
    def chained(self) -> bool:
        """True when three sums of a pixel stand for four of its channels."""
        return self.weights is Weights.CHAINED and self.channels % CHAIN == 0

    @property
    def sums(self) -> int:
        """Registers that accumulate for each pixel."""
        return self.channels * (CHAIN - 1) // CHAIN if self.chained else self.channels

    @property
    def accumulators(self) -> int:
        """Registers that accumulate."""
        return self.pixels * self.sums

    @property
    def outputs(self) -> int:
        """Outputs of the block, all of which are in registers at its end."""
        return self.pixels * self.channels

    @property
    def pair_bytes(self) -> int:
        """Bytes that a pair of taps of all pixels takes in memory."""
        return 2 if self.vector_bytes else 4 * self.pixels

    @property
    def words(self) -> int:
        """Words of weights for each pair of taps."""
        return (self.channels + 1) // 2 if self.weights is Weights.PACKED else self.sums

    def block_bytes(self, requantizing: Requantizing) -> int:
        """Bytes of the block in the stream."""
        return 4 * (self.sums + self.pairs * self.words + self.channels * requantizing.words)
