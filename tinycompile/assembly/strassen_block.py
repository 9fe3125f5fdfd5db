"""Steps of a block of Strassen's matrix product: four pixels times eight channels, see `assembly/strassen.py`.

Eight sums (two pixels, four channels) are in r0 to r7 from product to product; X = A11 B11, U2 and V go to the stack and come
back. Few pairs are printed as straight-line code, in one schedule; otherwise the seven products share a loop, and what
is between them is scheduled alone.

r12 and lr point 8 bytes before the next words of the stream and of the staged pixels: the last load of each part of them moves
its pointer to itself, so that no addition is needed.

Stream of a block: what `SECTIONS` lists, four channels in each; weights [pair][channel], constants [channel][shift, if each
has its own; multiplier; constant].
"""

from collections.abc import Iterator
from functools import cache

from tinycompile.assembly.matrix_product import STACK, STAGED, STREAM
from tinycompile.assembly.places import Places
from tinycompile.assembly.reorder import reorder
from tinycompile.assembly.requantizing import Requantizing
from tinycompile.assembly.scheduler import Scheduled, Step
from tinycompile.assembly.strassen import CHANNELS, HALF_CHANNELS, HALF_PIXELS, Halves

SECTIONS = (
    "even terms", "A11", "A12", "even constants", "S2", "S3", "A22", "even constants", "odd terms", "S1",
    "odd constants", "S4", "odd constants",
)  # fmt: skip
"""Parts of the stream. "even terms": biases; "odd terms": what the biases of odd channels are above those of even ones."""

SKEW = 8
"""How far pointers stand before what they point to."""

_SLOT, _SECOND_SLOT = 0, 32
OUTPUT_AT, STAGED_AT, END_AT, NEXT_AT, PRODUCT_END_AT, SAVED_AT, LAST_END_AT = range(64, 92, 4)
FRAME = (92, OUTPUT_AT, STAGED_AT, END_AT, NEXT_AT, PRODUCT_END_AT, SAVED_AT, LAST_END_AT)
"""Bytes of the frame, and the places in it behind two times eight sums: the output, the staged pixels, the end of the blocks,
what follows the product, the end of its pixels, the staged pointer while lr is used otherwise, the end of a last block.
"""

_SUMS = HALF_PIXELS * HALF_CHANNELS
_FIRST_PAIRS = 2
"""Pairs at the start of a product whose pixels are loaded like weights."""

_PRODUCT = ("product",)
"""Stands for the loop that all products share."""


@cache
def parts(halves: Halves, how: Requantizing, out: Places) -> tuple[Scheduled, ...]:
    """All steps of a block; where products share a loop, the steps before, between and after them."""
    split: list[list[Step]] = [[]]
    for step in _block(halves, how, out):
        if step == _PRODUCT:
            split.append([])
        else:
            split[-1].append(step)
    return tuple(reorder(steps) for steps in split)


@cache
def product(halves: Halves) -> Scheduled:
    """The loop that all products share: a chunk of pairs, added to the sums."""
    return reorder(list(_multiply(halves.chunk, begins=False)))


def _block(halves: Halves, how: Requantizing, out: Places) -> Iterator[Step]:
    yield from _begin(halves)  # X
    yield ("store_many", *range(_SUMS), STACK)
    yield from _product(halves)  # A12 B21
    yield from _finish(how, (0, 0), out)
    yield ("load_many", *range(_SUMS), STACK)
    yield from _product(halves)  # S2 T2: U2
    yield ("store_many", *range(_SUMS), STACK)
    yield from _product(halves)  # S3 T3: V
    yield ("stack_address", 8, _SECOND_SLOT)
    yield ("store_many", *range(_SUMS), 8)
    yield from _product(halves)  # A22
    yield from _finish(how, (1, 0), out)
    yield from _begin(halves)  # S1 T1
    yield from _finish(how, (1, 1), out, _SECOND_SLOT)
    yield from _add_stored()
    yield from _product(halves)  # S4 B22
    yield from _finish(how, (0, 1), out)
    yield from _next_block(out, _Roles(how, added=False).output)


def _product(halves: Halves) -> Iterator[Step]:
    if halves.is_straight:
        yield from _multiply(halves.pairs, begins=False)
    else:
        yield _PRODUCT


def _begin(halves: Halves) -> Iterator[Step]:
    """A product whose sums begin with the terms of four channels at the stream pointer."""
    yield ("load_pair", _sum(0, 0), _sum(1, 0), STREAM, SKEW)
    yield ("load_pair_moving", _sum(2, 0), _sum(3, 0), STREAM, 2 * SKEW)
    if halves.is_straight:
        yield from _multiply(halves.pairs, begins=True)
    else:
        yield from (("move", _sum(channel, 1), _sum(channel, 0)) for channel in range(HALF_CHANNELS))
        yield _PRODUCT


def _multiply(pairs: int, begins: bool) -> Iterator[Step]:
    """Multiply pairs, and move the pointers behind them; when it `begins`, first terms are in the registers of pixel 0.

    Weights are loaded two words at a time, which saves an instruction and costs a cycle; pixels one at a time, beside
    multiplications, once these are under way. The pointers move with a load of two.
    """
    for pair in range(pairs):
        last, first = pair == pairs - 1, begins and pair == 0
        yield from _load((8, 9), STAGED, SKEW + 8 * pair, alone=pair >= _FIRST_PAIRS, moving=last)
        for channel in range(0, HALF_CHANNELS, 2):
            moving = last and channel + 2 == HALF_CHANNELS
            yield from _load((10, 11), STREAM, SKEW + 16 * pair + 4 * channel, alone=False, moving=moving)
            for odd in range(2):
                for pixel in (1, 0) if first else (0, 1):
                    total = _sum(channel + odd, pixel)
                    yield ("smlad", total, 10 + odd, 8 + pixel, _sum(channel + odd, 0) if first else total)


def _sum(channel: int, pixel: int) -> int:
    """The register of a sum: those of a channel are neighbours, so that a load of two words fetches them."""
    return HALF_PIXELS * channel + pixel


def _load(registers: tuple[int, int], base: int, at: int, alone: bool, moving: bool) -> Iterator[Step]:
    """Two words, each `alone` or both at once; when `moving`, the pointer to them is left at the first."""
    if moving or not alone:
        yield ("load_pair_moving" if moving else "load_pair", *registers, base, at)
    else:
        yield from (("load", register, base, at + 4 * k) for k, register in enumerate(registers))


def _add_stored() -> Iterator[Step]:
    """Add U2 to the sums."""
    for first in range(0, _SUMS, 2):
        low = 8 + first % 4
        yield ("load_pair", low, low + 1, STACK, _SLOT + 4 * first)
        yield from (("add", first + k, first + k, low + k) for k in range(2))


def _finish(
    how: Requantizing, part: tuple[int, int], out: Places, added: int | None = None
) -> Iterator[Step]:
    """Requantize and store the sums of (half of the pixels, odd channels), or their sums with those at `added` in the stack.

    In the latter case they stay in their registers.
    """
    half, odd = part
    roles = _Roles(how, added is not None)
    if roles.output == STAGED:
        yield ("store", STAGED, STACK, SAVED_AT)
    yield ("load", roles.output, STACK, OUTPUT_AT)
    if how.constant:
        yield ("constant", roles.addend, how.constant)
    for channel in range(HALF_CHANNELS):
        for pixel in range(HALF_PIXELS):
            yield from roles.constants(channel, pixel)
            x = _sum(channel, pixel)
            if added is not None:
                total, x = x, roles.sums[pixel % len(roles.sums)]
                yield from roles.stored(pixel, added + 4 * total)
                yield ("add", x, x, total)
            yield from roles.requantize(channel, x)
            place = out.place(HALF_PIXELS * half + pixel, 2 * channel + odd)
            yield (out.store, x, roles.output, place)
    if roles.output == STAGED:
        yield ("load", STAGED, STACK, SAVED_AT)


class _Roles:
    """Which registers beside the sums hold what while they are requantized: r8 to r11, and lr if these are not enough."""

    def __init__(self, how: Requantizing, added: bool) -> None:
        self.how = how
        own_shift = how.shift == 0
        others = own_shift + how.half_away + added
        free = [10, 11]
        self.output = STAGED if others > 1 or added else free.pop()
        self.multipliers, self.constant = (8, 8), 9
        self.shift = free.pop(0) if own_shift else 0
        self.reloads = others == 3
        """The constant's register serves for its sum with the sign, too."""
        self.addend = free.pop(0) if how.half_away and not self.reloads else self.constant
        if how.constant is not None and not added:
            self.multipliers, self.addend = (8, 9), free.pop()
        self.sums = free
        """Registers for sums that are made on the way."""

    def constants(self, channel: int, pixel: int) -> Iterator[Step]:
        """Load what a pixel of a channel needs; the stream pointer moves with the last load, or after it."""
        if self.how.constant is not None:
            yield from self.common_form(channel) if pixel == 0 else ()
            return
        at = SKEW + 4 * channel * self.how.words
        if self.how.shift == 0:
            if pixel == 0:
                yield ("load", self.shift, STREAM, at)
            at += 4
        if pixel == 0 or self.reloads:
            last = channel == HALF_CHANNELS - 1 and pixel == (HALF_PIXELS - 1 if self.reloads else 0)
            yield from _load((self.multipliers[0], self.constant), STREAM, at, alone=False, moving=last)

    def stored(self, pixel: int, at: int) -> Iterator[Step]:
        """Load a stored sum, or at the first pixel of a channel those of both."""
        if len(self.sums) < HALF_PIXELS:
            yield ("load", self.sums[0], STACK, at)
        elif pixel == 0:
            yield ("load_pair", *self.sums, STACK, at)

    def common_form(self, channel: int) -> Iterator[Step]:
        """The multiplier of a channel, or where registers are free of this and the next."""
        last = channel + len(set(self.multipliers)) == HALF_CHANNELS
        if len(set(self.multipliers)) == 1:
            yield ("load", self.multipliers[0], STREAM, SKEW + 4 * channel)
            if last:
                yield ("advance", STREAM, 4 * HALF_CHANNELS)
        elif channel % 2 == 0:
            yield from _load(self.multipliers, STREAM, SKEW + 4 * channel, alone=False, moving=last)

    def requantize(self, channel: int, x: int) -> Iterator[Step]:
        """An output from a sum, in its register."""
        how = self.how
        if how.half_away:
            yield ("sign", self.addend, self.constant, x)
        yield how.scale(x, self.multipliers[channel % 2], self.addend)
        if how.shift == 0:
            yield ("shift", x, x, self.shift)
        yield ("saturate", x, x, how.shift)
        if (how.low, how.high) != (-128, 127):
            yield ("clamp", x, x, how.low, how.high)


def _next_block(out: Places, output: int) -> Iterator[Step]:
    """Move the output, whose pointer may still be in a register, go back to the first staged word, and compare with the end."""
    if output == STAGED:
        output = 8
        yield ("load", output, STACK, OUTPUT_AT)
    yield ("load", 9, STACK, END_AT)
    yield ("load", STAGED, STACK, STAGED_AT)
    yield ("advance", output, out.place(0, CHANNELS))
    yield ("store", output, STACK, OUTPUT_AT)
    yield ("compare", STREAM, 9)
