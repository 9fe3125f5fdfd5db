"""The instructions of a weighted sum of two int8 tensors: out = saturate((offset + a * first + b * second) >> shift).

Four elements of a tensor are one word. A mask leaves every other byte as the high byte of an int16, with a shift it does so for
the other two; SMLAWB and SMLAWT multiply such an int16 by a factor of 32 bits and drop the 16 low bits of the product. So an
element takes one instruction to spread both operands, two to multiply, one to saturate and one to store.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from tinycompile.assembly.moving import moved_by_first_access
from tinycompile.assembly.reorder import reorder
from tinycompile.assembly.scheduler import Step

OUT, FIRST, SECOND, END, FIRST_FACTOR, SECOND_FACTOR, OFFSET, MASK = range(8)
"""Registers that live through the loop: three pointers, the end of the first operand, and numbers."""
_WORDS = (8, 9)
"""Registers of a word of each operand."""
_PAIRS = ((10, 11), (12, 14))
"""Registers of the other two bytes of both words, and of sums."""
_TURN_CYCLES = 6.0
"""Comparing, branching, moving pointers, and waiting for the last sums."""


@dataclass(frozen=True)
class Block:
    """One turn of the loop. The first access by each pointer moves it on.

    `leads` are the bytes by which OUT, FIRST and SECOND lie before their next element, before the loop and after it.
    """

    steps: tuple[Step, ...]
    leads: tuple[int, int, int]
    cycles: float


@cache
def block(elements: int, shift: int) -> Block:
    """So many elements, a multiple of four."""
    steps_in_order = [*_load(0, FIRST), *_load(0, SECOND)]
    for word in range(0, elements, 4):
        steps_in_order += _four(word, shift, is_last=word + 4 == elements)
    ordered = reorder(steps_in_order)
    steps = list(ordered.steps)
    out, first, second = (moved_by_first_access(steps, pointer, elements) for pointer in (OUT, FIRST, SECOND))
    return Block(tuple(steps), (out, first, second), ordered.cycles + _TURN_CYCLES)


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
