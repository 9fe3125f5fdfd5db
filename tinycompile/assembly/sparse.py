"""The instructions of a sparse matrix product: one output channel of a few pixels, over its non-zero weights alone.

Pixels are read as they are, int8, `distance` bytes apart; one pointer goes through the taps of all of them. Records are those of
`sparse_records.py`.

SINGLES: SXTB16 spreads both weights, SMLABB and SMLABT multiply a pixel's byte by one of them: two instructions for each weight
and pixel. From four pixels on the weights of a record are taken apart one record ahead. With less there are registers for all
pixels of a record, which are loaded one record ahead.

VECTOR: the same for one pixel, with addresses of their own, which do not wait for each other.

BLOCKS: SXTB16 spreads weights and pixels, SMLAD multiplies: five instructions for each four weights and pixel.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from tinycompile.assembly.reorder import in_order, reorder
from tinycompile.assembly.requantizing import Requantizing
from tinycompile.assembly.scheduler import Step
from tinycompile.assembly.sparse_records import BLOCKS, SINGLES, VECTOR, Group, Kind
from tinycompile.assembly.sparse_writer import STREAM, TAPS, Writer

_LEAST_AHEAD = 4
_BRANCH_CYCLES = {True: 1.75, False: 0.5}
"""By whether the turn ends with the next record's first step, for which the next turn waits."""


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
    writer = _WRITERS[group.kind](group, requantizing)
    head, tail = reorder(list(writer.head())), reorder(list(writer.tail()))
    turn = writer.turn()
    waits = str(turn[-1][0]) not in ("load_byte", "load_pair_next")
    return Block(
        head=head.steps,
        loop=turn,
        tail=tail.steps,
        left_words=writer.left_words,
        cycles=head.cycles + tail.cycles,
        record_cycles=(in_order(turn * 3) - in_order(turn)) / 2 + _BRANCH_CYCLES[waits],
    )


class _Singles(Writer):
    weight_registers = 1

    def __init__(self, group: Group, requantizing: Requantizing) -> None:
        super().__init__(group, requantizing)
        self.is_ahead = group.pixels >= _LEAST_AHEAD
        """Weights are taken apart one record ahead; otherwise pixels are loaded one record ahead."""
        count = group.pixels
        self.first, self.second = self.operands[:count], self.operands[count : 2 * count]
        """Registers of the pixels of both entries, when they are loaded ahead."""

    def take_apart(self) -> Iterator[Step]:
        """The next record's first step and weights."""
        yield ("extend_add", TAPS, TAPS, self.record, 8)
        yield ("sxtb16", self.weights[0], self.record)

    def begin(self) -> Iterator[Step]:
        """The first record's weights; or none, so that the first turn multiplies nothing."""
        weights = self.weights[0]
        yield ("load_next", self.record, STREAM)
        yield from self.take_apart() if self.is_ahead else (("sub", weights, weights, weights),)

    def turn(self) -> tuple[Step, ...]:
        """One record."""
        return reorder(list(self.weights_ahead())).steps if self.is_ahead else tuple(self.pixels_ahead())

    def load(self, register: int, pixel: int) -> Step:
        """A tap of a pixel."""
        return ("load_byte", register, TAPS, pixel * self.group.distance)

    def weights_ahead(self) -> Iterator[Step]:
        """Multiply this record, whose weights are apart already; take the next one apart."""
        turn = 0
        for kind in ("smlabb", "smlabt"):
            if kind == "smlabt":
                yield self.last_step()
            for pixel in self.pixels:
                x = self.operands[turn % len(self.operands)]
                turn += 1
                yield self.load(x, pixel)
                yield (kind, pixel, x, self.weights[0], pixel)
                if kind == "smlabt" and pixel == 1:
                    yield self.test()
                    yield ("load_next", self.record, STREAM)
        yield from self.take_apart()

    def pixels_ahead(self) -> Iterator[Step]:
        """Multiply the record before, load the pixels of this one."""
        yield ("extend_add", TAPS, TAPS, self.record, 8)
        yield from self.multiply("smlabb", self.first)
        yield self.test()
        yield from (self.load(self.first[pixel], pixel) for pixel in self.pixels)
        yield from self.multiply("smlabt", self.second)
        yield ("sxtb16", self.weights[0], self.record)
        yield self.last_step()
        yield ("load_next", self.record, STREAM)
        yield from (self.load(self.second[pixel], pixel) for pixel in self.pixels)

    def multiply(self, kind: str, operands: list[int]) -> Iterator[Step]:
        """One entry with all pixels."""
        for pixel in self.pixels:
            yield (kind, pixel, operands[pixel], self.weights[0], pixel)

    def end(self) -> Iterator[Step]:
        """Multiply the last record if that is left."""
        if not self.is_ahead:
            yield from self.multiply("smlabb", self.first)
            yield from self.multiply("smlabt", self.second)


class _Vector(Writer):
    weight_registers = 3
    words_ahead = 2

    def begin(self) -> Iterator[Step]:
        """The first record; the first turn multiplies nothing."""
        packed, even, odd = self.weights
        yield ("load_pair_next", self.record, packed, STREAM)
        yield ("sub", even, even, even)
        yield ("sub", odd, odd, odd)

    def products(self) -> list[Step]:
        """The weights of a record with their taps."""
        _, even, odd = self.weights
        kinds = (("smlabb", even), ("smlabb", odd), ("smlabt", even), ("smlabt", odd))
        return [(kind, 0, x, weights, 0) for (kind, weights), x in zip(kinds, self.operands[3:], strict=True)]

    def turn(self) -> tuple[Step, ...]:
        """Multiply the record before, load the taps of this one."""
        packed, even, odd = self.weights
        places, x, products = [*self.operands[:3], TAPS], self.operands[3:], self.products()
        address: list[Step] = [
            ("extend_add", place, TAPS, self.record, 8 * k) for k, place in enumerate(places[:3])
        ]
        loads: list[Step] = [("load_byte", x[k], place, 0) for k, place in enumerate(places)]
        return (
            address[0], products[0], address[1], products[1], address[2], products[2], self.last_step(),
            loads[1], products[3], loads[0], ("sxtb16", even, packed), self.test(), ("sxtb16_ror8", odd, packed),
            loads[3], ("load_pair_next", self.record, packed, STREAM), loads[2],
        )  # fmt: skip

    def end(self) -> Iterator[Step]:
        """Multiply the last record."""
        yield from self.products()


class _Blocks(Writer):
    weight_registers = 2

    def begin(self) -> Iterator[Step]:
        """The first step of the first record."""
        yield ("load_next", self.record, STREAM)
        yield ("extend_half_add", TAPS, self.record)

    def turn(self) -> tuple[Step, ...]:
        """One record."""
        return reorder(list(self.steps())).steps

    def steps(self) -> Iterator[Step]:
        """Both entries, and the next record's first step."""
        even, odd = self.weights
        turn = 0
        for entry in range(2):
            if entry == 1:
                yield self.last_step()
            yield ("load", even, STREAM, 4 * entry)
            yield ("sxtb16_ror8", odd, even)
            yield ("sxtb16", even, even)
            for pixel in self.pixels:
                x, low = (self.operands[(turn + k) % len(self.operands)] for k in (0, 1))
                turn += 2
                yield ("load", x, TAPS, pixel * self.group.distance)
                yield ("sxtb16", low, x)
                yield ("smlad", pixel, low, even, pixel)
                yield ("sxtb16_ror8", x, x)
                yield ("smlad", pixel, x, odd, pixel)
        yield self.test()
        yield ("load", self.record, STREAM, 8)
        yield ("advance", STREAM, 12)
        yield ("extend_half_add", TAPS, self.record)


_WRITERS: dict[Kind, type[Writer]] = {SINGLES: _Singles, VECTOR: _Vector, BLOCKS: _Blocks}
