"""The instructions of a weighted sum of two int8 tensors: out = saturate((offset + a * first + b * second) >> shift).

Four elements of a tensor are one word. A mask leaves every other byte as the high byte of an int16, with a shift it does so for
the other two; SMLAWB and SMLAWT multiply such an int16 by a factor of 32 bits and drop the 16 low bits of the product. So an
element takes one instruction to spread both operands, two to multiply, one to saturate and one to store.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from tinycompile.assembly.byte_outputs import ByteOutputs
from tinycompile.assembly.moving import moved_by_first_access
from tinycompile.assembly.reorder import reorder
from tinycompile.assembly.scheduler import Scheduled, Step, Values, schedule

OUT, FIRST, SECOND, END, FIRST_FACTOR, SECOND_FACTOR, OFFSET, MASK = range(8)
"""Registers that live through the loop: three pointers, the end of the first operand, and numbers."""
_WORDS = (8, 9)
"""Registers of a word of each operand."""
_PAIRS = ((10, 11), (12, 14))
"""Registers of the other two bytes of both words, and of sums."""
_TURN_CYCLES = 6.0
"""Comparing, branching, moving pointers, and waiting for the last sums."""

_COLUMN_TURN_CYCLES = 3.0
"""The same where one operand stays."""

COLUMN_OUT, COLUMN_SOURCE, COLUMN_END, COLUMN_FACTOR, COLUMN_MASK, COLUMN_OFFSETS = range(6)
"""Registers of `column`; the offsets of four channels are in COLUMN_OFFSETS and the next ones, those of bytes 0, 2, 1 and 3."""
_COLUMN_TEMPORARY = (9, 10, 11, 12, 14)
_BYTES = (0, 2, 1, 3)


@dataclass(frozen=True)
class Block:
    """One turn of the loop. The first access by each pointer moves it on.

    `leads` are the bytes by which OUT, FIRST and SECOND lie before their next element, before the loop and after it.
    """

    steps: tuple[Step, ...]
    leads: tuple[int, int, int]
    cycles: float


@cache
def block(elements: int, shift: int, bounded: bool = False) -> Block:
    """So many elements, a multiple of four; `bounded`: outputs have other bounds than those of int8."""
    ordered = _bounded(elements, shift) if bounded else _saturated(elements, shift)
    steps = list(ordered.steps)
    out, first, second = (moved_by_first_access(steps, pointer, elements) for pointer in (OUT, FIRST, SECOND))
    return Block(tuple(steps), (out, first, second), ordered.cycles + _TURN_CYCLES)


@cache
def column(pixels: int, channels: int, shift: int, bounded: bool) -> Block:
    """Four channels of so many pixels; the second operand has one element for each channel, whose product is in the offsets."""
    values = Values()
    outputs = ByteOutputs(values, COLUMN_OUT, shift, bounded)
    for place in range(0, pixels * channels, channels):
        word = values.emit("load", (COLUMN_SOURCE,), (place,))
        for parity, kind in enumerate(("mask_shifted", "mask")):
            pair = values.emit(kind, (COLUMN_MASK, word))
            for half, multiply in enumerate(("smlawb", "smlawt")):
                offset = COLUMN_OFFSETS + 2 * parity + half
                total = values.emit(multiply, (COLUMN_FACTOR, pair, offset))
                outputs.put(total, place, _BYTES[2 * parity + half])
    ordered = schedule(values.ops, _COLUMN_TEMPORARY)
    assert ordered is not None
    return Block(ordered.steps, (0, 0, 0), ordered.cycles + _COLUMN_TURN_CYCLES)


def _bounded(elements: int, shift: int) -> Scheduled:
    """Four outputs wait for each other until they are a word: registers are assigned by the scheduler."""
    values = Values()
    outputs = ByteOutputs(values, OUT, shift, bounded=True)
    for place in range(0, elements, 4):
        words = [values.emit("load", (pointer,), (place,)) for pointer in (FIRST, SECOND)]
        for parity, kind in enumerate(("mask_shifted", "mask")):
            first, second = (values.emit(kind, (MASK, word)) for word in words)
            for half, multiply in enumerate(("smlawb", "smlawt")):
                one = values.emit(multiply, (FIRST_FACTOR, first, OFFSET))
                both = values.emit(multiply, (SECOND_FACTOR, second, one))
                outputs.put(both, place, _BYTES[2 * parity + half])
    ordered = schedule(values.ops, (*_WORDS, *_PAIRS[0], *_PAIRS[1]))
    assert ordered is not None
    return ordered


def _saturated(elements: int, shift: int) -> Scheduled:
    """Outputs are stored one by one; registers are assigned by hand."""
    steps_in_order = [*_load(0, FIRST), *_load(0, SECOND)]
    for word in range(0, elements, 4):
        steps_in_order += _four(word, shift, is_last=word + 4 == elements)
    return reorder(steps_in_order)


def _four(word: int, shift: int, is_last: bool) -> Iterator[Step]:
    """Four elements from byte `word` on, and the loads of the next ones.

    Words in turn exchange the registers of bytes and sums: so one begins while the one before it is stored.
    """
    (x, y), ((even_x, even_y), (low, high)) = _WORDS, _PAIRS[:: -1 if word % 8 else 1]
    yield ("mask_shifted", even_x, MASK, x)
    yield ("mask_shifted", even_y, MASK, y)
    yield ("smlawt", high, FIRST_FACTOR, even_x, OFFSET)
    yield ("smlawb", low, FIRST_FACTOR, even_x, OFFSET)
    yield ("mask", x, MASK, x)
    yield ("smlawb", low, SECOND_FACTOR, even_y, low)
    yield ("smlawt", high, SECOND_FACTOR, even_y, high)
    yield ("mask", y, MASK, y)
    odd_low, odd_high = even_x, even_y
    yield ("smlawb", odd_low, FIRST_FACTOR, x, OFFSET)
    yield ("smlawb", odd_low, SECOND_FACTOR, y, odd_low)
    yield ("smlawt", odd_high, FIRST_FACTOR, x, OFFSET)
    yield ("smlawt", odd_high, SECOND_FACTOR, y, odd_high)
    yield ("saturate", low, low, shift)
    yield from () if is_last else _load(word + 4, FIRST)
    yield ("store_byte", low, OUT, word)
    yield ("saturate", high, high, shift)
    yield from () if is_last else _load(word + 4, SECOND)
    yield ("store_byte", high, OUT, word + 2)
    yield ("saturate", odd_low, odd_low, shift)
    yield ("saturate", odd_high, odd_high, shift)
    yield ("store_byte", odd_high, OUT, word + 3)
    yield ("store_byte", odd_low, OUT, word + 1)


def _load(word: int, pointer: int) -> Iterator[Step]:
    """Four bytes of an operand."""
    yield ("load", _WORDS[pointer - FIRST], pointer, word)
