"""The instructions of a sparse matrix product: one output channel of a few pixels, over its non-zero weights alone.

Pixels are read as they are, int8, `distance` bytes apart; one pointer goes through the taps of all of them. The stream of a
channel: its first term, its records, its requantization constants. A record is a word with two weights and how far the pointer
moves before each of them:

    bits 0..7 first weight   8..15 first step   16..23 second weight   24 set in the last record   25..31 second step

SXTB16 spreads both weights, SMLABB and SMLABT multiply a pixel's byte by one of them. So a record of two weights takes six
instructions besides two for each weight and pixel, and nothing is staged.

Registers: r0.. sums of the pixels, then two for weights and record, then pixels up to r11; r12 points to the stream, lr to the
taps. From four pixels on the weights of a record are taken apart one record ahead. With less there are registers for all pixels
of a record, which are loaded one record ahead.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from tinycompile.assembly.reorder import in_order, reorder
from tinycompile.assembly.requantizing import Requantizing
from tinycompile.assembly.scheduler import Scheduled, Step

MOST_PIXELS = 8
LARGEST_STEP = 127
LARGEST_OFFSET = 4095
"""From the first to the last pixel of a group, of the input and of the output."""

_OPERANDS = 12
_STREAM, _STACK, _TAPS = 12, 13, 14
_OUTPUT_OFFSET, _INPUT_OFFSET = 0, 4
_LAST_RECORD = 1 << 24
_SECOND_STEP = 25
_LEAST_AHEAD = 4
_BRANCH_CYCLES = 1.0


@dataclass(frozen=True)
class Group:
    """Pixels that are computed together: `distance` bytes apart in the input, `out_channels` bytes in the output."""

    pixels: int
    distance: int
    out_channels: int

    @property
    def fits(self) -> bool:
        """True when offsets reach all pixels."""
        return (self.pixels - 1) * max(self.distance, self.out_channels) <= LARGEST_OFFSET


@dataclass(frozen=True)
class Block:
    """Steps before, in and after the loop over the records of a channel; the loop ends behind the record with the last bit.

    The stream pointer lacks `left_words` at the end. `record_cycles` are those of one turn of the loop, `cycles` of the rest.
    """

    head: tuple[Step, ...]
    loop: tuple[Step, ...]
    tail: tuple[Step, ...]
    left_words: int
    cycles: float
    record_cycles: float


@cache
def block(group: Group, requantizing: Requantizing) -> Block:
    """All steps of a channel."""
    writer = _Writer(group, requantizing)
    head, tail = reorder(list(writer.head())), reorder(list(writer.tail()))
    loop = writer.loop()
    return Block(
        head=head.steps,
        loop=loop.steps,
        tail=tail.steps,
        left_words=requantizing.words - 1,
        cycles=head.cycles + tail.cycles,
        record_cycles=_turn_cycles(loop.steps),
    )


def _turn_cycles(steps: tuple[Step, ...]) -> float:
    """Cycles of one turn of a loop, the next one close behind it."""
    return (in_order(steps * 3) - in_order(steps)) / 2 + _BRANCH_CYCLES


class _Writer:
    def __init__(self, group: Group, requantizing: Requantizing) -> None:
        self.group, self.how = group, requantizing
        self.pixels = range(group.pixels)
        self.weights, self.record = group.pixels, group.pixels + 1
        self.operands = list(range(group.pixels + 2, _OPERANDS))
        self.is_ahead = group.pixels >= _LEAST_AHEAD

    def head(self) -> Iterator[Step]:
        """First terms, the pointer to the taps, and the first record."""
        yield ("load_next", 0, _STREAM)
        yield ("load_next", self.record, _STREAM)
        yield ("load", _TAPS, _STACK, _INPUT_OFFSET)
        for pixel in self.pixels[1:]:
            yield ("move", pixel, 0)
        if self.is_ahead:
            yield ("extend_add", _TAPS, self.record)
            yield ("sxtb16", self.weights, self.record)
        else:  # the first turn multiplies nothing
            yield ("sub", self.weights, self.weights, self.weights)

    def loop(self) -> Scheduled:
        """One record."""
        return (
            reorder(list(self._weights_ahead()))
            if self.is_ahead
            else Scheduled(tuple(self._pixels_ahead()), 0)
        )

    def _load(self, register: int, pixel: int) -> Step:
        return ("load_byte", register, _TAPS, pixel * self.group.distance)

    def _second(self) -> Step:
        return ("add_high", _TAPS, self.record, _SECOND_STEP)

    def _next(self) -> tuple[Step, ...]:
        return ("test", self.record, _LAST_RECORD), ("load_next", self.record, _STREAM)

    def _weights_ahead(self) -> Iterator[Step]:
        """Multiply this record, whose weights are apart already; take the next one apart."""
        turn = 0
        for kind in ("smlabb", "smlabt"):
            if kind == "smlabt":
                yield self._second()
            for pixel in self.pixels:
                x = self.operands[turn % len(self.operands)]
                turn += 1
                yield self._load(x, pixel)
                yield (kind, pixel, x, self.weights, pixel)
                if kind == "smlabt" and pixel == 1:
                    yield from self._next()
        yield ("extend_add", _TAPS, self.record)
        yield ("sxtb16", self.weights, self.record)

    def _pixels_ahead(self) -> Iterator[Step]:
        """Multiply the record before, load the pixels of this one. In the order of issue."""
        test, load_next = self._next()
        first, second = self._loaded()
        yield ("extend_add", _TAPS, self.record)
        yield from self._multiply("smlabb", first)
        yield test
        yield from (self._load(first[pixel], pixel) for pixel in self.pixels)
        yield from self._multiply("smlabt", second)
        yield ("sxtb16", self.weights, self.record)
        yield self._second()
        yield load_next
        yield from (self._load(second[pixel], pixel) for pixel in self.pixels)

    def _loaded(self) -> tuple[list[int], list[int]]:
        count = self.group.pixels
        return self.operands[:count], self.operands[count : 2 * count]

    def _multiply(self, kind: str, operands: list[int]) -> Iterator[Step]:
        for pixel in self.pixels:
            yield (kind, pixel, operands[pixel], self.weights, pixel)

    def tail(self) -> Iterator[Step]:
        """Multiply the last record if that is left, requantize and store."""
        if not self.is_ahead:
            first, second = self._loaded()
            yield from self._multiply("smlabb", first)
            yield from self._multiply("smlabt", second)
        how, output = self.how, _TAPS
        names = list(range(self.group.pixels, _OPERANDS))
        constants, temporaries = names[: how.words], names[how.words : how.words + 2]
        yield ("load", output, _STACK, _OUTPUT_OFFSET)
        for index, register in enumerate(constants):
            yield ("load", register, _STREAM, 4 * index - 4)
        for x in self.pixels:
            addend = constants[1]
            if how.doubled:
                yield ("add", x, x, x)
            if how.half_away:
                addend = temporaries[x % len(temporaries)]
                yield ("sign", addend, constants[1], x)
            yield ("scale", x, x, constants[0], addend)
            if not how.shift:
                yield ("shift", x, x, constants[2])
            yield ("saturate", x, x, how.shift)
            if (how.low, how.high) != (-128, 127):
                yield ("clamp", x, x, how.low, how.high)
            yield ("store_byte", x, output, x * self.group.out_channels)
