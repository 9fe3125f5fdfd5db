"""The instructions of a scaled product of int8: out = saturate((offset + round(2 * a * b * multiplier / 2**32)) >> shift).

a and b are elements without their zero points, which SXTAB16 takes off two bytes of a word at once; a second SXTAB16 doubles a,
so that the high word of a product is TFLite's first rounding. The second one takes ties away from zero, for which negative
products have an offset that is less by one.
"""

from dataclasses import dataclass
from functools import cache

from tinycompile.assembly.byte_outputs import ByteOutputs
from tinycompile.assembly.moving import moved_by_first_access
from tinycompile.assembly.scheduler import Operand, Step, Value, Values, schedule

OUT, FIRST, SECOND, END, MULTIPLIER, OFFSET, FIRST_ZERO, SECOND_ZERO = range(8)
"""Registers that live through the loop: three pointers, the end of the first operand, and numbers.

The zeros are pairs of -zero point, the first one's twice that. Where the second operand stays, its doubled pairs are in SECOND
and SECOND_ZERO, and FIRST_ZERO is -zero point once.
"""
_TEMPORARY = (8, 9, 10, 11, 12, 14)
_TURN_CYCLES = 5.0
"""Comparing, branching, and waiting for the first loads and the last sums."""


@dataclass(frozen=True)
class Block:
    """One turn of the loop.

    `leads` are the bytes by which the pointers that move with an access lie before their next element, before and after the loop.
    """

    steps: tuple[Step, ...]
    leads: tuple[int, ...]
    cycles: float


@cache
def block(elements: int, shift: int, signed: bool, bounded: bool = False) -> Block:
    """So many elements of two tensors of one shape, a multiple of four.

    `signed`: products may be negative; `bounded`: outputs have other bounds than those of int8.
    """
    turn = _Turn(shift, signed, bounded)
    words = turn.load(0, FIRST, SECOND)
    for place in range(0, elements, 4):
        words = turn.four(place, words, following=place + 4 if place + 4 < elements else None)
    steps, cycles = turn.ordered()
    leads = tuple(moved_by_first_access(steps, pointer, elements) for pointer in (OUT, FIRST, SECOND))
    return Block(tuple(steps), leads, cycles + _TURN_CYCLES)


@cache
def column(pixels: int, channels: int, shift: int, signed: bool, bounded: bool = False) -> Block:
    """Four channels of so many pixels; the second operand has one element for each channel, and its doubled pairs stay."""
    turn = _Turn(shift, signed, bounded)
    words, end = turn.load(0, FIRST), pixels * channels
    for place in range(0, end, channels):
        words = turn.four(place, words, following=place + channels if place + channels < end else None)
    steps, cycles = turn.ordered()
    return Block(tuple(steps), (), cycles + _TURN_CYCLES)


class _Turn:
    """Collects the operations of a turn. Words are loaded one ahead, and their bytes taken when they are multiplied.

    Within bounds four outputs wait for each other: then nothing is loaded ahead, as registers are few.
    """

    def __init__(self, shift: int, signed: bool, bounded: bool) -> None:
        self._values = Values()
        self._outputs = ByteOutputs(self._values, OUT, shift, bounded)
        self._signed = signed
        self._ahead = not bounded

    def load(self, place: int, *pointers: int) -> tuple[Value, ...]:
        """The words at byte `place` of the operands that are loaded."""
        return tuple(self._values.emit("load", (pointer,), (place,)) for pointer in pointers)

    def four(self, place: int, words: tuple[Value, ...], following: int | None) -> tuple[Value, ...]:
        """Four outputs from byte `place` on, of these words; returns those of the place that follows, if there is one."""
        found = words
        pointers = (FIRST, SECOND)[: len(words)]
        for parity, kind in enumerate(("sxtab16", "sxtab16_ror8")):
            first, second = self._pairs(kind, words, (SECOND, SECOND_ZERO)[parity])
            if parity == 1 and following is not None and self._ahead:
                found = self.load(following, *pointers)
            for half, multiply in enumerate(("smulbb", "smultt")):
                product = self._values.emit(multiply, (first, second))
                self._outputs.put(self._scaled(product), place, parity + 2 * half)
        return found if following is None or self._ahead else self.load(following, *pointers)

    def _pairs(self, kind: str, words: tuple[Value, ...], stays: int) -> tuple[Value, Operand]:
        """Two elements of each operand less its zero point; one of them doubled."""
        first = self._values.emit(kind, (FIRST_ZERO, words[0]))
        if len(words) == 1:
            return first, stays
        doubled = self._values.emit(kind, (first, words[0]))
        return doubled, self._values.emit(kind, (SECOND_ZERO, words[1]))

    def _scaled(self, product: Value) -> Value:
        offset = self._values.emit("sign", (OFFSET, product)) if self._signed else OFFSET
        return self._values.emit("scale", (product, MULTIPLIER, offset))

    def ordered(self) -> tuple[list[Step], int]:
        """The operations with registers, and their cycles."""
        ordered = schedule(self._values.ops, _TEMPORARY)
        assert ordered is not None
        return list(ordered.steps), ordered.cycles
