"""The end of a block of a matrix product: sums become dot products, those are requantized and stored."""

from collections.abc import Iterator, Sequence

from tinycompile.assembly.matrix_shape import (
    CHAIN,
    OPERAND_REGISTERS,
    OUTPUT_OFFSET,
    STACK,
    STAGED,
    STREAM,
    Shape,
    Weights,
)
from tinycompile.assembly.requantizing import Requantizing
from tinycompile.assembly.scheduler import Step


class Outputs:
    """What follows the multiplications of a block.

    Its constants are `constants_at` bytes behind the stream pointer, its first channel is stored as `first_channel`.
    """

    def __init__(
        self, shape: Shape, requantizing: Requantizing, constants_at: int = 0, first_channel: int = 0
    ) -> None:
        self.shape, self.how = shape, requantizing
        self.constants_at, self.first_channel = constants_at, first_channel
        needed = requantizing.words + requantizing.half_away
        self.spares_output = OPERAND_REGISTERS - shape.outputs > needed
        self.output = OPERAND_REGISTERS - 1 if self.spares_output else STAGED
        """Register that points to the output."""

    def finish(self) -> Iterator[Step]:
        """Requantize and store all outputs of the block, as many channels at a time as their constants have registers."""
        yield ("load", self.output, STACK, OUTPUT_OFFSET)
        free = list(range(self.shape.outputs, OPERAND_REGISTERS - self.spares_output))
        words = self.how.words
        temporaries = 0 if not self.how.half_away else max(1, min(2, len(free) - words))
        constants, free = free[: len(free) - temporaries], free[len(free) - temporaries :]
        sets = max(1, min(len(constants) // words, self.shape.channels))
        if self.shape.weights is Weights.PACKED:
            yield from self.unpack()
        elif self.shape.weights is Weights.CHAINED:
            yield from self.unchain()
        for first in range(0, self.shape.channels, sets):
            group = range(first, min(first + sets, self.shape.channels))
            registers = {c: constants[(c - first) * words : (c - first + 1) * words] for c in group}
            yield from self.load_constants(registers)
            yield from self.requantize(registers, free)

    def register(self, pixel: int, channel: int) -> int:
        """Register of a dot product; the last ones of chains are behind all sums."""
        shape = self.shape
        if not shape.chained:
            return pixel * shape.channels + channel
        chain = channel // CHAIN
        link = shape.order.index(channel % CHAIN)
        if link < CHAIN - 1:
            return pixel * shape.sums + chain * (CHAIN - 1) + link
        return shape.accumulators + pixel * (shape.channels // CHAIN) + chain

    def unpack(self) -> Iterator[Step]:
        """Take apart the sums of two packed channels."""
        shape = self.shape
        for pixel in range(shape.pixels):
            for even in range(0, shape.channels, 2):
                low = pixel * shape.channels + even
                if even + 1 < shape.channels:
                    yield ("sub", low + 1, low + 1, low)
                    if self.how.doubled:
                        yield ("shift_right", low + 1, low + 1, 7)
                if self.how.doubled:
                    yield ("add", low, low, low)

    def unchain(self) -> Iterator[Step]:
        """Solve chains from their last links on; all dot products come times 256."""
        shape = self.shape
        if shape.chained:
            for pixel in range(shape.pixels):
                for first in range(0, shape.channels, CHAIN):
                    s0, s1, s2, last = (self.register(pixel, first + link) for link in shape.order)
                    yield ("sub_shifted", last, s2, s1, 8)
                    yield ("add_shifted", last, last, s0, 16)
                    yield ("shift_left", last, last, 8)
                    yield ("sub_high", s2, s2, last, 8)
                    yield ("sub_high", s1, s1, s2, 8)
                    yield ("sub_high", s0, s0, s1, 8)
        if self.how.doubled:
            yield from (("shift_right", name, name, 7) for name in range(shape.outputs))

    def load_constants(self, registers: dict[int, list[int]]) -> Iterator[Step]:
        """Multipliers and constants of some channels."""
        for channel, names in registers.items():
            for index, register in enumerate(names):
                at = self.constants_at + 4 * (channel * self.how.words + index)
                yield ("load", register, STREAM, at)

    def requantize(self, registers: dict[int, list[int]], free: Sequence[int]) -> Iterator[Step]:
        """From dot products to stores, channel by channel."""
        how, turn = self.how, 0
        for channel, constants in registers.items():
            for pixel in range(self.shape.pixels):
                x = self.register(pixel, channel)
                addend = constants[1] if how.addend else None
                if how.half_away:
                    addend = free[turn % len(free)]
                    turn += 1
                    yield ("sign", addend, constants[1], x)
                yield how.scale(x, constants[0], addend)
                shift = how.shift_of(channel)
                if not shift:
                    yield ("shift", x, x, constants[2])
                yield ("saturate", x, x, shift)
                if (how.low, how.high) != (-128, 127):
                    yield ("clamp", x, x, how.low, how.high)
                at = self.shape.places.place(pixel, self.first_channel + channel)
                yield (self.shape.places.store, x, self.output, at)
