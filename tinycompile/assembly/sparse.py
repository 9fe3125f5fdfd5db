"""The instructions of a sparse matrix product: one output channel of a few pixels, over its non-zero weights alone.

Pixels are read as they are, int8, `distance` bytes apart; one pointer goes through the taps of all of them. The stream of a
channel: its first term, its records, its requantization constants. A record has two entries, and how far the pointer moves
before each of them. There are two kinds of entries.

Single weights, a record is one word:

    bits 0..7 first weight   8..15 first step   16..23 second weight   24 set in the last record   25..31 second step

SXTB16 spreads both weights, SMLABB and SMLABT multiply a pixel's byte by one of them: two instructions for each weight and pixel.
From four pixels on the weights of a record are taken apart one record ahead. With less there are registers for all pixels of a
record, which are loaded one record ahead.

Four weights whose taps follow each other, a record is three words; the first one

    bits 0..15 first step   16 set in the last record   17..31 second step

and one for the weights of each entry. SXTB16 spreads weights and pixels, SMLAD multiplies: five instructions for each four
weights and pixel.

Registers: r0.. sums of the pixels, then the record's first word and weights, then pixels up to r11; r12 points to the stream, lr
to the taps.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import ClassVar

from tinycompile.assembly.reorder import in_order, reorder
from tinycompile.assembly.requantizing import Requantizing
from tinycompile.assembly.scheduler import Scheduled, Step

MOST_PIXELS = {1: 8, 4: 6}
LARGEST_STEP = {1: 127, 4: (1 << 15) - 1}
"""By taps of an entry."""

RECORD_WORDS = {1: 1, 4: 3}
LARGEST_OFFSET = 4095
"""From the first to the last pixel of a group, of the input and of the output."""

_OPERANDS = 12
_STREAM, _STACK, _TAPS = 12, 13, 14
_OUTPUT_OFFSET, _INPUT_OFFSET = 0, 4
SECOND_STEP_BIT = {1: 25, 4: 17}
"""The bit below tells the last record."""

_LEAST_AHEAD = 4
_BRANCH_CYCLES = 1.0


@dataclass(frozen=True)
class Group:
    """Pixels that are computed together: `distance` bytes apart in the input, `out_channels` bytes in the output.

    `taps` of an entry: 1, or 4 that follow each other.
    """

    pixels: int
    distance: int
    out_channels: int
    taps: int = 1

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
    writer = (_Singles if group.taps == 1 else _Fours)(group, requantizing)
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


class _Writer(ABC):
    """What both kinds of entries share: everything around the loop."""

    weight_registers: ClassVar[int]

    def __init__(self, group: Group, requantizing: Requantizing) -> None:
        self.group, self.how = group, requantizing
        self.pixels = range(group.pixels)
        self.record = group.pixels
        """Register of the record's first word."""
        first = group.pixels + 1
        self.weights = list(range(first, first + self.weight_registers))
        self.operands = list(range(first + self.weight_registers, _OPERANDS))

    def head(self) -> Iterator[Step]:
        """First terms, the pointer to the taps, and the first record."""
        yield ("load_next", 0, _STREAM)
        yield ("load_next", self.record, _STREAM)
        yield ("load", _TAPS, _STACK, _INPUT_OFFSET)
        for pixel in self.pixels[1:]:
            yield ("move", pixel, 0)
        yield from self.before_loop()

    @abstractmethod
    def before_loop(self) -> Iterator[Step]:
        """What the first turn of the loop finds done."""

    @abstractmethod
    def loop(self) -> Scheduled:
        """One record."""

    def behind_loop(self) -> Iterator[Step]:
        """What is left of the last record."""
        yield from ()

    def load(self, register: int, pixel: int) -> Step:
        """A tap of a pixel, or four."""
        kind = "load_byte" if self.group.taps == 1 else "load"
        return (kind, register, _TAPS, pixel * self.group.distance)

    def second_step(self) -> Step:
        """Move the pointer to the taps of the record's second entry."""
        return ("add_high", _TAPS, self.record, SECOND_STEP_BIT[self.group.taps])

    def test(self) -> Step:
        """Ask whether this is the last record."""
        return ("test", self.record, 1 << (SECOND_STEP_BIT[self.group.taps] - 1))

    def tail(self) -> Iterator[Step]:
        """Requantize and store."""
        yield from self.behind_loop()
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


class _Singles(_Writer):
    weight_registers = 1

    def __init__(self, group: Group, requantizing: Requantizing) -> None:
        super().__init__(group, requantizing)
        self.is_ahead = group.pixels >= _LEAST_AHEAD
        """Weights are taken apart one record ahead; otherwise pixels are loaded one record ahead."""

    def take_apart(self) -> Iterator[Step]:
        """The next record's first step and weights."""
        yield ("extend_add", _TAPS, self.record)
        yield ("sxtb16", self.weights[0], self.record)

    def before_loop(self) -> Iterator[Step]:
        """The first record's weights; or none, so that the first turn multiplies nothing."""
        weights = self.weights[0]
        yield from self.take_apart() if self.is_ahead else (("sub", weights, weights, weights),)

    def loop(self) -> Scheduled:
        """One record."""
        return (
            reorder(list(self.weights_ahead())) if self.is_ahead else Scheduled(tuple(self.pixels_ahead()), 0)
        )

    def weights_ahead(self) -> Iterator[Step]:
        """Multiply this record, whose weights are apart already; take the next one apart."""
        turn = 0
        for kind in ("smlabb", "smlabt"):
            if kind == "smlabt":
                yield self.second_step()
            for pixel in self.pixels:
                x = self.operands[turn % len(self.operands)]
                turn += 1
                yield self.load(x, pixel)
                yield (kind, pixel, x, self.weights[0], pixel)
                if kind == "smlabt" and pixel == 1:
                    yield self.test()
                    yield ("load_next", self.record, _STREAM)
        yield from self.take_apart()

    def pixels_ahead(self) -> Iterator[Step]:
        """Multiply the record before, load the pixels of this one. In the order of issue."""
        first, second = self.loaded()
        yield ("extend_add", _TAPS, self.record)
        yield from self.multiply("smlabb", first)
        yield self.test()
        yield from (self.load(first[pixel], pixel) for pixel in self.pixels)
        yield from self.multiply("smlabt", second)
        yield ("sxtb16", self.weights[0], self.record)
        yield self.second_step()
        yield ("load_next", self.record, _STREAM)
        yield from (self.load(second[pixel], pixel) for pixel in self.pixels)

    def loaded(self) -> tuple[list[int], list[int]]:
        """Registers of the pixels of both entries."""
        count = self.group.pixels
        return self.operands[:count], self.operands[count : 2 * count]

    def multiply(self, kind: str, operands: list[int]) -> Iterator[Step]:
        """One entry with all pixels."""
        for pixel in self.pixels:
            yield (kind, pixel, operands[pixel], self.weights[0], pixel)

    def behind_loop(self) -> Iterator[Step]:
        """Multiply the last record if that is left."""
        if not self.is_ahead:
            first, second = self.loaded()
            yield from self.multiply("smlabb", first)
            yield from self.multiply("smlabt", second)


class _Fours(_Writer):
    weight_registers = 2

    def before_loop(self) -> Iterator[Step]:
        """The first step of the first record."""
        yield ("extend_half_add", _TAPS, self.record)

    def loop(self) -> Scheduled:
        """One record."""
        return reorder(list(self.steps()))

    def steps(self) -> Iterator[Step]:
        """Both entries, and the next record's first step."""
        even, odd = self.weights
        turn = 0
        for entry in (0, 1):
            if entry == 1:
                yield self.second_step()
            yield ("load", even, _STREAM, 4 * entry)
            yield ("sxtb16_ror8", odd, even)
            yield ("sxtb16", even, even)
            for pixel in self.pixels:
                x, low = (self.operands[(turn + k) % len(self.operands)] for k in (0, 1))
                turn += 2
                yield self.load(x, pixel)
                yield ("sxtb16", low, x)
                yield ("smlad", pixel, low, even, pixel)
                yield ("sxtb16_ror8", x, x)
                yield ("smlad", pixel, x, odd, pixel)
        yield self.test()
        yield ("load", self.record, _STREAM, 8)
        yield ("advance", _STREAM, 12)
        yield ("extend_half_add", _TAPS, self.record)
