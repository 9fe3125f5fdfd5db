"""Instructions of Strassen's matrix product in Winograd's form: seven products of half the extents in place of eight.

Pixels, depth and channels are halved: A is the activations of two and two pixels, B the weights of even and of odd channels.

    S1 = A21 + A22   S2 = S1 - A11   S3 = A11 - A21   S4 = A12 - S2
    T1 = B12 - B11   T2 = B22 - T1   T3 = B22 - B12   T4 = T2 - B21

    C11 = A11 B11 + A12 B21                     U2 = A11 B11 + S2 T2      U4 = U2 + S1 T1
    C12 = U4 + S4 B22    C22 = U4 + S3 T3       C21 = U2 + S3 T3 - A22 T4

The sums S are made in int16 when the pixels are staged, the sums T at compile time; both have two bits more than int8. Everything
is an integer, so outputs are exact. Eight sums (two pixels, four channels) stay in registers from product to product; between
the products a few of them go to the stack and come back (`gemm/strassen.c.j2`).
Source: Strassen, "Gaussian Elimination is not Optimal", 1969; Winograd's form with 15 additions, 1971.
"""

from dataclasses import dataclass
from functools import cache

from tinycompile.assembly.matrix_product import STACK, STREAM, Shape, product_steps
from tinycompile.assembly.reorder import reorder
from tinycompile.assembly.requantizing import Requantizing
from tinycompile.assembly.scheduler import Operand, Scheduled, Step, Value, Values, schedule

PRODUCTS = ("S3", "A11", "A12", "S2", "S1", "S4", "A22")
"""The left factors in the order in which they are used and staged."""

PIXELS, CHANNELS = 4, 8
"""Pixels and channels of a block."""

_HALF_PIXELS, _HALF_CHANNELS = 2, 4
_SUMS = _HALF_PIXELS * _HALF_CHANNELS
_LONGEST_PAIRS = 32

IN = 0
TO = (1, 12, 14)
"""Registers of the staging: the input, and the staged words of three products each."""

OUTPUT = 14
LARGEST_OFFSET = 4095


@dataclass(frozen=True)
class Halves:
    """A product over `depth` input channels, a multiple of 8."""

    depth: int

    @property
    def pairs(self) -> int:
        """Pairs of channels of half of the depth."""
        return self.depth // 4

    @property
    def chunk(self) -> int:
        """Pairs that are multiplied without a loop: the largest part of `pairs` that is short enough."""
        return max(n for n in range(1, _LONGEST_PAIRS + 1) if self.pairs % n == 0)

    @property
    def staged_bytes(self) -> int:
        """Staged words of one product."""
        return 4 * self.pairs * _HALF_PIXELS

    @property
    def words(self) -> int:
        """Words of half a pixel that are staged in one iteration."""
        count = self.depth // 8
        return max(n for n in (1, 2, 3, 4) if count % n == 0)


@cache
def stage(halves: Halves) -> Scheduled:
    """Stage some words of both halves of four pixels, with the sums S1 to S4."""
    values, depth = Values(), halves.depth
    for word in range(halves.words):
        for pixel in range(_HALF_PIXELS):
            places = [
                (pixel + down) * depth + 4 * word + right for down in (0, 2) for right in (0, depth // 2)
            ]
            loaded = [values.emit("load", (IN,), (place,)) for place in places]
            for half, kind in enumerate(("sxtb16", "sxtb16_ror8")):
                a11, a12, a21, a22 = (values.emit(kind, (value,)) for value in loaded)
                at = 4 * ((2 * word + half) * _HALF_PIXELS + pixel)
                _stage_sums(values, halves, (a11, a12, a21, a22), at)
    made = schedule(values.ops, range(2, 12))
    assert made is not None
    return made


def _stage_sums(values: Values, halves: Halves, quarters: tuple[Value, ...], at: int) -> None:
    """Store one word of each of the seven left factors."""
    a11, a12, a21, a22 = quarters

    def store(name: str, value: Operand) -> None:
        pointer, index = divmod(PRODUCTS.index(name), 3)
        values.effect("store", (value, TO[pointer]), (index * halves.staged_bytes + at,))

    s1 = values.emit("sadd16", (a21, a22))
    store("A22", a22)
    store("S1", s1)
    store("S3", values.emit("ssub16", (a11, a21)))
    s2 = values.emit("ssub16", (s1, a11))
    store("A11", a11)
    store("S2", s2)
    store("S4", values.emit("ssub16", (a12, s2)))
    store("A12", a12)


@cache
def product(halves: Halves) -> Scheduled:
    """Multiply a chunk of pairs and add to the sums in r0 to r7.

    Weights are loaded two at a time; so are the words of both pixels, in every second pair: a middle way between the fewest
    instructions and the fewest cycles.
    """
    steps: list[Step] = []
    for pair in range(halves.chunk):
        shape = Shape(_HALF_PIXELS, _HALF_CHANNELS, 1, 1, double_pixels=pair % 2 == 0, double_weights=True)
        steps += [_moved(step, pair) for step in product_steps(shape, adds=True)]
    return reorder(steps)


def _moved(step: Step, pair: int) -> Step:
    """The same step for a pair that is `pair` pairs further."""
    if not str(step[0]).startswith("load"):
        return step
    *registers, base, offset = step
    assert isinstance(offset, int)
    return (*registers, base, offset + 4 * pair * (_HALF_CHANNELS if base == STREAM else _HALF_PIXELS))


@cache
def add_stored(offset: int) -> Scheduled:
    """Add the eight sums at an offset of the stack."""
    steps: list[Step] = []
    for first in range(0, _SUMS, 2):
        low = 8 + first % 4
        steps.append(("load_pair", low, low + 1, STACK, offset + 4 * first))
        steps += [("add", first + k, first + k, low + k) for k in range(2)]
    return reorder(steps)


@cache
def begin() -> Scheduled:
    """Sums of two pixels begin with the biases of four channels at r12."""
    steps: list[Step] = [("load_many", *range(_HALF_CHANNELS), STREAM)]
    steps += [("move", _HALF_CHANNELS + channel, channel) for channel in range(_HALF_CHANNELS)]
    return reorder(steps)


@cache
def add_biases() -> Scheduled:
    """Add four words at r12, one for each channel, to the sums of both pixels."""
    steps: list[Step] = []
    for channel in range(_HALF_CHANNELS):
        register = 8 + channel
        steps.append(("load", register, STREAM, 4 * channel))
        steps += [("add", r, r, register) for r in (channel, _HALF_CHANNELS + channel)]
    return reorder(steps)


@cache
def finish(how: Requantizing, half: int, odd: bool, out_channels: int) -> Scheduled:
    """Requantize and store the sums of pixel half `half` and of the even or odd channels; their constants begin at r12."""
    steps: list[Step] = []
    for channel in range(_HALF_CHANNELS):
        multiplier, constant = (8, 9) if channel % 2 == 0 or how.half_away or not how.shift else (10, 11)
        at = 4 * channel * how.words
        steps.append(("load_pair", multiplier, constant, STREAM, at))
        if not how.shift:
            steps.append(("load", 11, STREAM, at + 8))
        for pixel in range(_HALF_PIXELS):
            x, addend = pixel * _HALF_CHANNELS + channel, constant
            if how.half_away:
                addend = 10
                steps.append(("sign", addend, constant, x))
            steps.append(("scale", x, x, multiplier, addend))
            if not how.shift:
                steps.append(("shift", x, x, 11))
            steps.append(("saturate", x, x, how.shift))
            if (how.low, how.high) != (-128, 127):
                steps.append(("clamp", x, x, how.low, how.high))
            place = (_HALF_PIXELS * half + pixel) * out_channels + 2 * channel + odd
            steps.append(("store_byte", x, OUTPUT, place))
    return reorder(steps)
