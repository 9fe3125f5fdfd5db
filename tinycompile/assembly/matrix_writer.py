"""Loads and multiplications of a block of a matrix product, in the order of need; `reorder` moves the loads ahead.

Registers: r0.. sums [pixel][sum], then operands up to r11; r12 points to the stream, lr to the staged pixels. Staged pixels:
[pair][pixel], one word of two int16 each. A vector that is not staged is extended to pairs beside multiplications.

Two loads at a time (LDRD) save an instruction and cost a cycle where a load can be issued beside a multiplication.
"""

from collections.abc import Iterator, Sequence

from tinycompile.assembly.matrix_shape import (
    END_OFFSET,
    LARGEST_PAIR_OFFSET,
    OPERAND_REGISTERS,
    STACK,
    STAGED,
    STREAM,
    Shape,
    Weights,
)
from tinycompile.assembly.scheduler import Step


class Products:
    """The multiplications of a block whose part of the stream begins `start` bytes behind the stream pointer."""

    def __init__(self, shape: Shape, start: int = 0) -> None:
        self.shape, self.start = shape, start
        self.base = 0
        """Pair at which both pointers stand."""
        self.last_pair = 0
        free = list(range(shape.accumulators, OPERAND_REGISTERS))
        packed = shape.weights is Weights.PACKED
        self.in_place = packed and shape.channels > 2
        self.by_sum = shape.multiple or (not packed and len(free) < shape.sums + 2)
        """Pixels are held and weights stream past them; otherwise it is the other way round."""
        self.alone = shape.pixels == 1 and (shape.double_pixels or shape.vector_bytes > 0)
        """Words of a single pixel are loaded for two pairs at once."""
        held = shape.pixels if self.by_sum else min(shape.words, 2) if self.in_place else shape.sums
        held += self.by_sum and self.alone
        names, free = free[:held], free[held:]
        streaming = shape.double_words > 0 if self.by_sum else shape.double_pixels
        others = free[: 2 if streaming and len(free) < 4 else 4]
        if not shape.vector_bytes:
            self.alone = self.alone and (self.by_sum or (self.in_place and len(others) >= 2))
        self.pixels, self.weights = (names, others) if self.by_sum else (others, names)

    def stream_offset(self, pair: int, word: int) -> int:
        """From the stream pointer to a word of weights."""
        return self.start + 4 * (self.shape.sums + (pair - self.base) * self.shape.words + word)

    @property
    def stream_end(self) -> int:
        """From the stream pointer, where it stands behind the multiplications, to what follows the weights."""
        return 0 if self.shape.multiple else self.stream_offset(self.shape.pairs, 0)

    def begin(self) -> Iterator[Step]:
        """First terms: of all pixels, but they are only in the registers of pixel 0."""
        sums, first = range(self.shape.sums), self.start
        if self.shape.multiple:
            yield from self.load_next(sums)
        elif first == 0 and len(sums) > 2:
            yield ("load_many", *sums, STREAM)
        else:
            near = first + 4 * len(sums) <= LARGEST_PAIR_OFFSET
            yield from self.load(STREAM, sums, [first + 4 * index for index in sums], near)

    def advance(self, pairs: int) -> Iterator[Step]:
        """Move both pointers, or the one that loads do not move."""
        if not self.shape.multiple:
            yield ("advance", STREAM, 4 * pairs * self.shape.words)
        yield ("advance", STAGED, pairs * self.shape.pair_bytes)

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
            elif self.by_sum:
                yield from self.multiply_by_sum(pair, (pair - first) * self.shape.words)
            else:
                yield from self.multiply_by_pixel(pair)

    def load(self, base: int, names: Sequence[int], offsets: Sequence[int], double: bool) -> Iterator[Step]:
        """Load adjacent words, two at a time if wanted and possible."""
        if double and len(names) % 2 == 0:
            for at in range(0, len(names), 2):
                yield ("load_pair", names[at], names[at + 1], base, offsets[at])
        else:
            yield from (("load", name, base, offset) for name, offset in zip(names, offsets, strict=True))

    def load_next(self, names: Sequence[int]) -> Iterator[Step]:
        """Load the next words of the stream and move its pointer behind them."""
        yield ("load_many_next", *names, STREAM) if len(names) > 1 else ("load_next", *names, STREAM)

    def staged_offset(self, pair: int, pixel: int) -> int:
        """From the pointer to staged pixels to one of them."""
        return 4 * ((pair - self.base) * self.shape.pixels + pixel)

    def vector_offset(self, pair: int) -> int:
        """From the pointer into a vector that is not staged to the four bytes of a pair and the next; see `vector_halves`."""
        left_over = self.shape.vector_bytes % 4 > 0
        if pair == 0 and left_over:
            return self.shape.vector_bytes - 4
        return (pair - self.base) * self.shape.pair_bytes - 4 * left_over

    def turns(
        self, pair: int, count: int, names: Sequence[int], doubled: int
    ) -> Iterator[tuple[int, int, bool]]:
        """Operands that stream past others: (index, register, whether it must be loaded from here on).

        The first `doubled` of each pair of taps are loaded two at a time, if their number is even.

        In pair 0 they come last first: the sums of all pixels begin with the first terms, which are in the registers of pixel 0.
        """
        doubled = doubled if count % 2 == 0 else 0
        slots = len(names) // 2 * 2 if doubled else len(names)
        for visit in range(count):
            index = count - 1 - visit if pair == 0 and not self.by_sum else visit
            turn = pair * count + visit
            if visit < doubled:
                yield index, names[(turn // 2 * 2 + index % 2) % slots], visit % 2 == 0
            else:
                yield index, names[turn % slots], True

    def accumulate(self, pair: int, pixel: int, index: int, weight: int, x: int) -> Step:
        """One multiplication for a pixel's sum `index`; in pair 0 the sums of all pixels begin with the first terms."""
        total = pixel * self.shape.sums + index
        return ("smlad", total, weight, x, index if pair == 0 else total)

    def multiply_by_pixel(self, pair: int) -> Iterator[Step]:
        """Weights in registers; pixel by pixel, all sums."""
        shape = self.shape
        sums: Sequence[int] = range(shape.sums)
        offsets = [self.stream_offset(pair, word) for word in range(shape.words)]
        if shape.weights is Weights.PACKED and shape.channels == 2:
            sums = (1, 0)  # the packed word first: it is loaded anew first
            yield ("load", self.weights[1], STREAM, offsets[0])
            yield ("sxtb16", self.weights[0], self.weights[1])
        else:
            at_once = pair == 0 and offsets[-1] <= LARGEST_PAIR_OFFSET  # no multiplication to go beside yet
            yield from self.load(STREAM, self.weights, offsets, shape.double_words > 0 or at_once)
        if self.shape.vector_bytes:
            yield from self.load_two_pairs(pair)
            x = self.pixels[(pair - self.base) % 2]
            yield from (self.accumulate(pair, 0, index, self.weights[index], x) for index in sums)
            return
        doubled = shape.double_pixels
        for pixel, x, loads in self.turns(pair, shape.pixels, self.pixels, shape.pixels * doubled):
            if loads:
                yield from self.load_turn(
                    STAGED, pixel, x, self.staged_offset(pair, pixel), doubled, self.pixels
                )
            yield from (self.accumulate(pair, pixel, index, self.weights[index], x) for index in sums)

    def load_turn(
        self, base: int, index: int, x: int, offset: int, double: bool, names: Sequence[int]
    ) -> Iterator[Step]:
        """The operand of a turn, or with `double` it and its neighbour."""
        count = self.shape.sums if names is self.weights else self.shape.pixels
        if double and count % 2 == 0:
            at = names.index(x) // 2 * 2
            yield ("load_pair", names[at], names[at + 1], base, offset - 4 * (index % 2))
        else:
            yield ("load", x, base, offset)

    def multiply_by_sum(self, pair: int, position: int) -> Iterator[Step]:
        """Pixels in registers; sum by sum, all pixels. `position` counts words since the pointers have moved."""
        shape = self.shape
        names = self.pixels
        if self.alone:
            names = [self.pixels[(pair - self.base) % 2]]
            yield from self.load_two_pairs(pair)
        else:
            offsets = [self.staged_offset(pair, pixel) for pixel in range(shape.pixels)]
            yield from self.load(STAGED, names, offsets, shape.double_pixels)
        order = range(shape.pixels - 1, -1, -1) if pair == 0 else range(shape.pixels)
        if shape.multiple:
            for index in range(shape.sums):
                slot = (position + index) % len(self.weights)
                if slot == 0:
                    left = (self.last_pair - pair + 1) * shape.words - index
                    yield from self.load_next(self.weights[:left])
                yield from (self.accumulate(pair, p, index, self.weights[slot], names[p]) for p in order)
            return
        for index, weight, loads in self.turns(pair, shape.sums, self.weights, shape.double_words):
            if loads:
                offset, double = self.stream_offset(pair, index), index < shape.double_words
                yield from self.load_turn(STREAM, index, weight, offset, double, self.weights)
            yield from (self.accumulate(pair, pixel, index, weight, names[pixel]) for pixel in order)

    def multiply_in_place(self, pair: int) -> Iterator[Step]:
        """Packed words are used for all pixels, then their low channels take their place."""
        shape = self.shape
        count = len(self.pixels) // shape.pixels * shape.pixels
        names = [self.pixels[(pair * shape.pixels + pixel) % count] for pixel in range(shape.pixels)]
        if self.alone:
            names = [self.pixels[(pair - self.base) % 2]]
        order = range(shape.pixels - 1, -1, -1) if pair == 0 else range(shape.pixels)
        offsets = [self.staged_offset(pair, pixel) for pixel in range(shape.pixels)]
        for first in range(0, shape.words, len(self.weights)):
            words = range(first, min(first + len(self.weights), shape.words))
            weights = self.weights[: len(words)]
            yield from self.load(
                STREAM, weights, [self.stream_offset(pair, w) for w in words], shape.double_words > 0
            )
            if first == 0 and self.alone:
                yield from self.load_two_pairs(pair)
            elif first == 0:
                yield from self.load(STAGED, names, offsets, shape.double_pixels)
            for channel in (1, 0):
                for word, weight in zip(words, weights, strict=True):
                    single = 2 * word + 1 == shape.channels
                    if channel == 0 and not single:
                        yield ("sxtb16", weight, weight)
                    if channel == 0 or not single:
                        yield from (
                            self.accumulate(pair, p, 2 * word + channel, weight, names[p]) for p in order
                        )

    def load_two_pairs(self, pair: int) -> Iterator[Step]:
        """The words of this pair and the next of a single pixel, at every second pair."""
        if (pair - self.base) % 2 == 0 and self.shape.vector_bytes:
            even, odd = self.pixels[:2]
            yield ("load", odd, STAGED, self.vector_offset(pair))
            yield ("sxtb16", even, odd)
            yield ("sxtb16_ror8", odd, odd)
        elif (pair - self.base) % 2 == 0:
            offset = self.staged_offset(pair, 0)
            if pair < self.last_pair:
                yield ("load_pair", self.pixels[0], self.pixels[1], STAGED, offset)
            else:
                yield ("load", self.pixels[0], STAGED, offset)


def product_steps(shape: Shape) -> list[Step]:
    """The multiplications of a block alone; its sums begin with nothing."""
    return list(_Bare(shape).multiply(0, shape.pairs))


class _Bare(Products):
    def stream_offset(self, pair: int, word: int) -> int:
        """From the stream pointer to a word of weights."""
        return 4 * ((pair - self.base) * self.shape.words + word)

    def accumulate(self, pair: int, pixel: int, index: int, weight: int, x: int) -> Step:
        """One multiplication, the first one of each sum without an addend."""
        if pair > 0:
            return super().accumulate(pair, pixel, index, weight, x)
        return ("smuad", pixel * self.shape.sums + index, weight, x)
