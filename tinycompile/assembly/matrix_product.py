"""The instructions of a block of a matrix product: the outputs of a few pixels times a few channels.

Registers: r0.. accumulators [pixel][channel], then operands up to r11; r12 points to the stream, lr to the staged pixels. At the
end of a block r11 points to the output if requantization can spare it, else lr does. Staged pixels: [pair][pixel], one word of
two int16 each.

Stream of a block: first terms [channel]; weights [pair][word]; requantization constants [channel][1 to 3]. A word of weights is
either one channel's two int16, or (`packed`) two channels': each half is 256 * w1 + w0. SMLAD on that word sums
256 * dot1 + dot0, and on its SXTB16, which is w0, dot0; the difference is left for channel 1 at the end. So int8 weights take
their own size, and one SXTB16 takes the place of every second load.

Two loads at a time (LDRD) save an instruction and cost a cycle where a load can be issued beside a multiplication.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache

from tinycompile.assembly.places import Places
from tinycompile.assembly.reorder import reorder
from tinycompile.assembly.requantizing import Requantizing
from tinycompile.assembly.scheduler import Step

OPERAND_REGISTERS = 12
STREAM, STACK, STAGED = 12, 13, 14
OUTPUT_OFFSET, STAGED_OFFSET, END_OFFSET = 0, 12, 24
"""Where the frame keeps the output, the staged pixels and their end."""

STRAIGHT_PAIRS = 48
LOOP_PAIRS = 60
_UNROLLED_STEPS = 640
"""Instructions of several blocks that are printed one after the other, to save the loop around them."""

_ALL_STEPS = 720
"""The same, when no loop is left at all."""

_LARGEST_OFFSET, _LARGEST_PAIR_OFFSET = 4095, 1020


@dataclass(frozen=True)
class Shape:
    """A block of pixels times channels over `pairs` pairs of taps; `places` says where their outputs are stored.

    `double_pixels` and `double_weights` load two words at a time.
    """

    pixels: int
    channels: int
    pairs: int
    places: Places
    packed: bool = False
    double_pixels: bool = False
    double_weights: bool = False

    @property
    def accumulators(self) -> int:
        """Registers that accumulate."""
        return self.pixels * self.channels

    @property
    def words(self) -> int:
        """Words of weights for each pair of taps."""
        return (self.channels + 1) // 2 if self.packed else self.channels

    def block_bytes(self, requantizing: Requantizing) -> int:
        """Bytes of the block in the stream."""
        return 4 * (self.channels * (1 + requantizing.words) + self.pairs * self.words)


@dataclass(frozen=True)
class Block:
    """Steps before, in and after the loop over pairs; without a loop all is in `head`. Cycles are those of the whole block.

    `output` is the register that points to the output at the end, `moved`: lr does not point to the staged pixels then.
    """

    head: tuple[Step, ...]
    loop: tuple[Step, ...]
    tail: tuple[Step, ...]
    loop_count: int
    advanced_bytes: int
    """How far the stream pointer has moved at the end."""
    cycles: int
    output: int
    moved: bool


def together(shape: Shape, requantizing: Requantizing, number: int) -> int:
    """How many of `number` blocks are printed one after the other: all, or as many as code may grow and offsets reach.

    One may be left over, which is printed once more.
    """
    if shape.pairs > STRAIGHT_PAIRS:
        return 1
    largest = _LARGEST_PAIR_OFFSET if shape.double_weights else _LARGEST_OFFSET
    steps = len(_straight_steps(shape, requantizing))
    reached = min(number, largest // shape.block_bytes(requantizing) or 1)
    if shape.places.plane_bytes:
        reached = min(reached, _LARGEST_OFFSET // (shape.channels * shape.places.plane_bytes) or 1)
    if reached == number and number * steps <= _ALL_STEPS:
        return number
    most = max(1, min(reached, _UNROLLED_STEPS // steps))
    even = [count for count in range(1, most + 1) if number % count <= 1]
    return min(even, key=lambda count: 2 * -(-number // count) + count + number % count)


@cache
def block(shape: Shape, requantizing: Requantizing, count: int = 1) -> Block:
    """All steps of a block, from the first terms to the stores, or of `count` blocks one after the other."""
    writer = _Writer(shape, requantizing)
    if shape.pairs <= STRAIGHT_PAIRS:
        parts = (_straight_steps(shape, requantizing, index) for index in range(count))
        made = reorder([step for part in parts for step in part])
        return Block(made.steps, (), (), 0, 0, made.cycles, writer.output, writer.output == STAGED)
    first = (shape.pairs - 1) % LOOP_PAIRS + 1
    loops = (shape.pairs - first) // LOOP_PAIRS
    head = reorder([*writer.begin(), *writer.multiply(0, first), *writer.advance(first)])
    writer.base = first
    loop = reorder([*writer.multiply(first, LOOP_PAIRS), *writer.advance(LOOP_PAIRS), *writer.compare_end()])
    writer.base = shape.pairs
    tail = reorder(list(writer.finish()))
    cycles = head.cycles + loops * (loop.cycles + 1) + tail.cycles
    advanced = 4 * shape.words * shape.pairs
    return Block(head.steps, loop.steps, tail.steps, loops, advanced, cycles, writer.output, True)


def _straight_steps(shape: Shape, requantizing: Requantizing, index: int = 0) -> list[Step]:
    writer = _Writer(shape, requantizing, index)
    again: list[Step] = [("load", STAGED, STACK, STAGED_OFFSET)] if index and writer.output == STAGED else []
    return [*again, *writer.begin(), *writer.multiply(0, shape.pairs), *writer.finish()]


class _Writer:
    """Writes the steps of one block in the order of need; `reorder` moves the loads ahead."""

    def __init__(self, shape: Shape, requantizing: Requantizing, index: int = 0) -> None:
        assert not requantizing.constant
        self.shape, self.how = shape, requantizing
        self.start = index * shape.block_bytes(requantizing)
        """From the stream pointer to the block."""
        self.first_channel = index * shape.channels
        needed = requantizing.words + requantizing.half_away
        self.spares_output = OPERAND_REGISTERS - shape.accumulators > needed
        self.output = OPERAND_REGISTERS - 1 if self.spares_output else STAGED
        self.base = 0
        """Pair at which both pointers stand."""
        self.last_pair = 0
        free = list(range(shape.accumulators, OPERAND_REGISTERS))
        self.in_place = shape.packed and shape.channels > 2
        self.by_channel = not shape.packed and len(free) < shape.channels + 2
        """Pixels are held and weights stream past them; otherwise it is the other way round."""
        held = shape.pixels if self.by_channel else min(shape.words, 2) if self.in_place else shape.channels
        names, free = free[:held], free[held:]
        streaming = shape.double_weights if self.by_channel else shape.double_pixels
        others = free[: 2 if streaming and len(free) < 4 else 4]
        self.two_pairs = self.in_place and shape.pixels == 1 and shape.double_pixels and len(others) >= 2
        """Staged words of two pairs are loaded at once."""
        self.pixels, self.weights = (names, others) if self.by_channel else (others, names)

    # Loads and multiplications.

    def stream_offset(self, pair: int, word: int) -> int:
        """From the stream pointer to a word of weights."""
        return self.start + 4 * (self.shape.channels + (pair - self.base) * self.shape.words + word)

    def begin(self) -> Iterator[Step]:
        """First terms: of all pixels, but they are only in the registers of pixel 0."""
        channels, first = range(self.shape.channels), self.start
        if first == 0 and len(channels) > 2:
            yield ("load_many", *channels, STREAM)
        else:
            near = first + 4 * len(channels) <= _LARGEST_PAIR_OFFSET
            yield from self.load(STREAM, channels, [first + 4 * c for c in channels], near)

    def advance(self, pairs: int) -> Iterator[Step]:
        """Move both pointers."""
        yield ("advance", STREAM, 4 * pairs * self.shape.words)
        yield ("advance", STAGED, 4 * pairs * self.shape.pixels)

    def compare_end(self) -> Iterator[Step]:
        """Compare the pointer to staged pixels with their end."""
        yield ("load", self.weights[0], STACK, END_OFFSET)
        yield ("compare", STAGED, self.weights[0])

    def multiply(self, first: int, count: int) -> Iterator[Step]:
        """Multiply `count` pairs of taps."""
        self.last_pair = first + count - 1
        for pair in range(first, first + count):
            if self.in_place:
                yield from self.multiply_in_place(pair)
            elif self.by_channel:
                yield from self.multiply_by_channel(pair)
            else:
                yield from self.multiply_by_pixel(pair)

    def load(self, base: int, names: Sequence[int], offsets: Sequence[int], double: bool) -> Iterator[Step]:
        """Load adjacent words, two at a time if wanted and possible."""
        if double and len(names) % 2 == 0:
            for at in range(0, len(names), 2):
                yield ("load_pair", names[at], names[at + 1], base, offsets[at])
        else:
            yield from (("load", name, base, offset) for name, offset in zip(names, offsets, strict=True))

    def staged_offset(self, pair: int, pixel: int) -> int:
        """From the pointer to staged pixels to one of them."""
        return 4 * ((pair - self.base) * self.shape.pixels + pixel)

    def turns(
        self, pair: int, count: int, names: Sequence[int], double: bool
    ) -> Iterator[tuple[int, int, bool]]:
        """Operands that stream past others: (index, register, whether it must be loaded with its neighbours from here on).

        In pair 0 they come last first: the sums of all pixels begin with the first terms, which are in the registers of pixel 0.
        """
        double = double and count % 2 == 0
        slots = len(names) // 2 * 2 if double else len(names)
        for visit in range(count):
            index = count - 1 - visit if pair == 0 and not self.by_channel else visit
            turn = pair * count + visit
            if double:
                yield index, names[(turn // 2 * 2 + index % 2) % slots], visit % 2 == 0
            else:
                yield index, names[turn % slots], True

    def accumulate(self, pair: int, pixel: int, channel: int, weight: int, x: int) -> Step:
        """One multiplication; in pair 0 the sums of all pixels begin with the first terms."""
        total = pixel * self.shape.channels + channel
        return ("smlad", total, weight, x, channel if pair == 0 else total)

    def multiply_by_pixel(self, pair: int) -> Iterator[Step]:
        """Weights in registers; pixel by pixel, all channels."""
        shape = self.shape
        channels: Sequence[int] = range(shape.channels)
        offsets = [self.stream_offset(pair, word) for word in range(shape.words)]
        if shape.packed and shape.channels == 2:
            channels = (1, 0)  # the packed word first: it is loaded anew first
            yield ("load", self.weights[1], STREAM, offsets[0])
            yield ("sxtb16", self.weights[0], self.weights[1])
        else:
            at_once = pair == 0 and offsets[-1] <= _LARGEST_PAIR_OFFSET  # no multiplication to go beside yet
            yield from self.load(STREAM, self.weights, offsets, shape.double_weights or at_once)
        for pixel, x, loads in self.turns(pair, shape.pixels, self.pixels, shape.double_pixels):
            if loads:
                yield from self.load_turn(
                    STAGED, pixel, x, self.staged_offset(pair, pixel), shape.double_pixels, self.pixels
                )
            yield from (self.accumulate(pair, pixel, c, self.weights[c], x) for c in channels)

    def load_turn(
        self, base: int, index: int, x: int, offset: int, double: bool, names: Sequence[int]
    ) -> Iterator[Step]:
        """The operand of a turn, or with `double` it and its neighbour."""
        count = self.shape.channels if names is self.weights else self.shape.pixels
        if double and count % 2 == 0:
            at = names.index(x) // 2 * 2
            yield ("load_pair", names[at], names[at + 1], base, offset - 4 * (index % 2))
        else:
            yield ("load", x, base, offset)

    def multiply_by_channel(self, pair: int) -> Iterator[Step]:
        """Pixels in registers; channel by channel, all pixels."""
        shape = self.shape
        order = range(shape.pixels - 1, -1, -1) if pair == 0 else range(shape.pixels)
        offsets = [self.staged_offset(pair, pixel) for pixel in range(shape.pixels)]
        yield from self.load(STAGED, self.pixels, offsets, shape.double_pixels)
        for channel, weight, loads in self.turns(pair, shape.channels, self.weights, shape.double_weights):
            if loads:
                offset = self.stream_offset(pair, channel)
                yield from self.load_turn(STREAM, channel, weight, offset, shape.double_weights, self.weights)
            yield from (self.accumulate(pair, pixel, channel, weight, self.pixels[pixel]) for pixel in order)

    def multiply_in_place(self, pair: int) -> Iterator[Step]:
        """Packed words are used for all pixels, then their low channels take their place."""
        shape = self.shape
        count = len(self.pixels) // shape.pixels * shape.pixels
        names = [self.pixels[(pair * shape.pixels + pixel) % count] for pixel in range(shape.pixels)]
        if self.two_pairs:
            names = [self.pixels[(pair - self.base) % 2]]
        order = range(shape.pixels - 1, -1, -1) if pair == 0 else range(shape.pixels)
        offsets = [self.staged_offset(pair, pixel) for pixel in range(shape.pixels)]
        for first in range(0, shape.words, len(self.weights)):
            words = range(first, min(first + len(self.weights), shape.words))
            weights = self.weights[: len(words)]
            yield from self.load(
                STREAM, weights, [self.stream_offset(pair, w) for w in words], shape.double_weights
            )
            if first == 0 and self.two_pairs:
                yield from self.load_two_pairs(pair)
            elif first == 0:
                yield from self.load(STAGED, names, offsets, shape.double_pixels)
            for channel in (1, 0):
                for word, weight in zip(words, weights, strict=True):
                    alone = 2 * word + 1 == shape.channels
                    if channel == 0 and not alone:
                        yield ("sxtb16", weight, weight)
                    if channel == 0 or not alone:
                        yield from (
                            self.accumulate(pair, p, 2 * word + channel, weight, names[p]) for p in order
                        )

    def load_two_pairs(self, pair: int) -> Iterator[Step]:
        """The staged words of this pair and the next of a single pixel, at every second pair."""
        if (pair - self.base) % 2 == 0:
            offset = self.staged_offset(pair, 0)
            if pair < self.last_pair:
                yield ("load_pair", self.pixels[0], self.pixels[1], STAGED, offset)
            else:
                yield ("load", self.pixels[0], STAGED, offset)

    # Requantization.

    def finish(self) -> Iterator[Step]:
        """Requantize and store all outputs of the block, as many channels at a time as their constants have registers."""
        yield ("load", self.output, STACK, OUTPUT_OFFSET)
        free = list(range(self.shape.accumulators, OPERAND_REGISTERS - self.spares_output))
        words = self.how.words
        temporaries = 0 if not self.how.half_away else max(1, min(2, len(free) - words))
        constants, free = free[: len(free) - temporaries], free[len(free) - temporaries :]
        sets = max(1, min(len(constants) // words, self.shape.channels))
        yield from self.unpack()
        for first in range(0, self.shape.channels, sets):
            group = range(first, min(first + sets, self.shape.channels))
            registers = {c: constants[(c - first) * words : (c - first + 1) * words] for c in group}
            yield from self.load_constants(registers)
            yield from self.requantize(registers, free)

    def unpack(self) -> Iterator[Step]:
        """Take apart the sums of two packed channels."""
        shape = self.shape
        if not shape.packed:
            return
        for pixel in range(shape.pixels):
            for even in range(0, shape.channels, 2):
                low = pixel * shape.channels + even
                if even + 1 < shape.channels:
                    yield ("sub", low + 1, low + 1, low)
                    if self.how.doubled:
                        yield ("shift_right", low + 1, low + 1, 7)
                if self.how.doubled:
                    yield ("add", low, low, low)

    def load_constants(self, registers: dict[int, list[int]]) -> Iterator[Step]:
        """Multipliers and constants of some channels."""
        start = self.stream_offset(self.shape.pairs, 0)
        for channel, names in registers.items():
            for index, register in enumerate(names):
                yield ("load", register, STREAM, start + 4 * (channel * self.how.words + index))

    def requantize(self, registers: dict[int, list[int]], free: Sequence[int]) -> Iterator[Step]:
        """From sums to stores, channel by channel."""
        how, turn = self.how, 0
        for channel, constants in registers.items():
            for pixel in range(self.shape.pixels):
                x = pixel * self.shape.channels + channel
                addend = constants[1] if how.constant is None else None
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


def product_steps(shape: Shape) -> list[Step]:
    """The multiplications of a block alone; its sums begin with nothing."""
    return list(_ProductWriter(shape, Requantizing(1, False, -128, 127)).multiply(0, shape.pairs))


class _ProductWriter(_Writer):
    def stream_offset(self, pair: int, word: int) -> int:
        """From the stream pointer to a word of weights."""
        return 4 * ((pair - self.base) * self.shape.words + word)

    def accumulate(self, pair: int, pixel: int, channel: int, weight: int, x: int) -> Step:
        """One multiplication, the first one of each sum without an addend."""
        if pair > 0:
            return super().accumulate(pair, pixel, channel, weight, x)
        return ("smuad", pixel * self.shape.channels + channel, weight, x)
