"""Strassen's matrix product in Winograd's form, seven products of half the extents in place of eight: factors and staging.

Pixels, depth and channels are halved: A is the activations of two and two pixels, B the weights of even and of odd channels.

    S1 = A21 + A22   S2 = S1 - A11   S3 = A11 - A21 = A22 - S2   S4 = A12 - S2
    T1 = B12 - B11   T2 = B22 - T1   T3 = B22 - B12   T4 = T2 - B21

    C11 = A11 B11 + A12 B21        U2 = A11 B11 + S2 T2        V = U2 + S3 T3
    C21 = V - A22 T4    C22 = V + S1 T1    C12 = U2 + S1 T1 + S4 B22

The sums S are made in int16 when the pixels are staged, the sums T at compile time; both have two bits more than int8. Everything
is an integer, so outputs are exact. `assembly/strassen_block.py` writes the products.
Source: Strassen, "Gaussian Elimination is not Optimal", 1969; Winograd's form with 15 additions, 1971.
"""

from dataclasses import dataclass
from functools import cache

from tinycompile.assembly.scheduler import Operand, Scheduled, Value, Values, schedule

PRODUCTS = ("A11", "A12", "S2", "S3", "A22", "S1", "S4")
"""The left factors in the order in which they are used and staged."""

PIXELS, CHANNELS = 4, 8
"""Pixels and channels of a block."""

HALF_PIXELS, HALF_CHANNELS = 2, 4
IN = 0
TO = (1, 12, 14)
"""Registers of the staging: the input, and the staged words of three products each."""

_LONGEST_CHUNK = 48
_STRAIGHT_PAIRS = 40
"""Their code stays within 16 KB, the smaller of usual instruction caches."""


@dataclass(frozen=True)
class Halves:
    """A product over `depth` input channels, a multiple of 8; pixels are `pixel_bytes` apart."""

    depth: int
    pixel_bytes: int

    @property
    def pairs(self) -> int:
        """Pairs of channels of half of the depth."""
        return self.depth // 4

    @property
    def is_straight(self) -> bool:
        """True when all seven products are printed one after the other: few enough pairs."""
        return self.pairs <= _STRAIGHT_PAIRS

    @property
    def chunk(self) -> int:
        """Pairs that are multiplied without a loop: the largest part of `pairs` that is short enough."""
        return max(n for n in range(1, _LONGEST_CHUNK + 1) if self.pairs % n == 0)

    @property
    def staged_bytes(self) -> int:
        """Staged words of one product."""
        return 4 * self.pairs * HALF_PIXELS

    @property
    def words(self) -> int:
        """Words of half a pixel that are staged in one iteration."""
        count = self.depth // 8
        return max(n for n in (1, 2, 3, 4) if count % n == 0)


@cache
def stage(halves: Halves) -> Scheduled:
    """Stage some words of both halves of four pixels, with the sums S1 to S4."""
    values, apart = Values(), halves.pixel_bytes
    for word in range(halves.words):
        for pixel in range(HALF_PIXELS):
            places = [
                (pixel + down) * apart + 4 * word + right
                for down in (0, HALF_PIXELS)
                for right in (0, halves.depth // 2)
            ]
            loaded = [values.emit("load", (IN,), (place,)) for place in places]
            for half, turn in enumerate(("", "_ror8")):
                at = 4 * ((2 * word + half) * HALF_PIXELS + pixel)
                _stage_sums(values, halves, loaded, turn, at)
    made = schedule(values.ops, range(2, 12))
    assert made is not None
    return made


def _stage_sums(values: Values, halves: Halves, loaded: list[Value], turn: str, at: int) -> None:
    """Store one word of each of the seven left factors, from the bytes 0 and 2 of four words (`turn`: 1 and 3).

    A21 is no factor itself: it is added to A22 while it is extended, and S3 = A22 - S2.
    """
    a11, a12, a22 = (values.emit(f"sxtb16{turn}", (loaded[place],)) for place in (0, 1, 3))

    def store(name: str, value: Operand) -> None:
        pointer, index = divmod(PRODUCTS.index(name), 3)
        values.effect("store", (value, TO[pointer]), (index * halves.staged_bytes + at,))

    s1 = values.emit(f"sxtab16{turn}", (a22, loaded[2]))
    store("S1", s1)
    s2 = values.emit("ssub16", (s1, a11))
    store("A11", a11)
    store("S2", s2)
    store("S4", values.emit("ssub16", (a12, s2)))
    store("A12", a12)
    store("S3", values.emit("ssub16", (a22, s2)))
    store("A22", a22)
