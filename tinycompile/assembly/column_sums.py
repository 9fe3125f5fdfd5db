"""The instructions that add up columns of int8: four channels, many pixels in a turn, to two words of int16 sums."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from tinycompile.assembly.reorder import reorder
from tinycompile.assembly.scheduler import Step

SOURCE, END, EVEN, ODD = range(4)
"""Registers that live through the loop: two pointers, and sums of channels 0 and 2, 1 and 3."""
_WORDS = (4, 5, 6, 7)
"""Registers of loaded words, in rotation."""
_TURN_CYCLES = 2.0
"""Moving the pointer, comparing and branching."""


@dataclass(frozen=True)
class Block:
    """One turn of the loop; the pointer is moved behind it."""

    steps: tuple[Step, ...]
    cycles: float


@cache
def block(pixels: int, channels: int) -> Block:
    """So many pixels, `channels` bytes apart."""
    ordered = reorder(list(_steps(pixels, channels)))
    return Block(ordered.steps, ordered.cycles + _TURN_CYCLES)


def _steps(pixels: int, channels: int) -> Iterator[Step]:
    for pixel in range(pixels):
        word = _WORDS[pixel % len(_WORDS)]
        yield ("load", word, SOURCE, pixel * channels)
        yield ("sxtab16", EVEN, EVEN, word)
        yield ("sxtab16_ror8", ODD, ODD, word)
