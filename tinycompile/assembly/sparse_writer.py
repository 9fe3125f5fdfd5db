"""What the loops of sparse matrix products have in common: the steps around them.

Registers: r0.. sums of the pixels, then the record's first word, weights, and others up to r11; r12 points to the stream, lr to
the taps.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import ClassVar

from tinycompile.assembly.requantizing import Requantizing
from tinycompile.assembly.scheduler import Step
from tinycompile.assembly.sparse_records import Group

STREAM, STACK, TAPS = 12, 13, 14
_OPERANDS = 12
_OUTPUT_OFFSET, _INPUT_OFFSET = 0, 4


class Writer(ABC):
    """Writes the steps of a channel."""

    weight_registers: ClassVar[int]
    words_ahead: ClassVar[int] = 1
    """Words behind the last record that have been loaded when the loop ends."""

    def __init__(self, group: Group, requantizing: Requantizing) -> None:
        self.group, self.how = group, requantizing
        self.pixels = range(group.pixels)
        self.record = group.pixels
        """Register of the record's first word."""
        first = group.pixels + 1
        self.weights = list(range(first, first + self.weight_registers))
        self.operands = list(range(first + self.weight_registers, _OPERANDS))

    @abstractmethod
    def begin(self) -> Iterator[Step]:
        """What the first turn of the loop finds done."""

    @abstractmethod
    def turn(self) -> tuple[Step, ...]:
        """One record, in the order of issue."""

    def end(self) -> Iterator[Step]:
        """What is left of the last record."""
        yield from ()

    @property
    def left_words(self) -> int:
        """What the stream pointer lacks at the end."""
        return self.how.words - self.words_ahead

    def last_step(self) -> Step:
        """Move the pointer to the taps of the record's last entry."""
        return ("add_high", TAPS, self.record, self.group.kind.last_step_bit)

    def test(self) -> Step:
        """Ask whether this is the last record."""
        return ("test", self.record, 1 << self.group.kind.last_bit)

    def head(self) -> Iterator[Step]:
        """First terms, the pointer to the taps, and what the loop needs."""
        yield ("load_next", 0, STREAM)
        yield ("load", TAPS, STACK, _INPUT_OFFSET)
        for pixel in self.pixels[1:]:
            yield ("move", pixel, 0)
        yield from self.begin()

    def tail(self) -> Iterator[Step]:
        """Requantize and store."""
        yield from self.end()
        how, output = self.how, TAPS
        names = list(range(self.group.pixels, _OPERANDS))
        constants, temporaries = names[: how.words], names[how.words : how.words + 2]
        yield ("load", output, STACK, _OUTPUT_OFFSET)
        for index, register in enumerate(constants):
            yield ("load", register, STREAM, 4 * (index - self.words_ahead))
        for x in self.pixels:
            addend = constants[1] if how.addend else None
            if how.doubled:
                yield ("add", x, x, x)
            if how.half_away:
                addend = temporaries[x % len(temporaries)]
                yield ("sign", addend, constants[1], x)
            yield how.scale(x, constants[0], addend)
            if not how.shift:
                yield ("shift", x, x, constants[2])
            yield ("saturate", x, x, how.shift)
            if (how.low, how.high) != (-128, 127):
                yield ("clamp", x, x, how.low, how.high)
            yield ("store_byte", x, output, x * self.group.out_channels)
