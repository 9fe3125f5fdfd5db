"""The instructions of a table of 256 bytes: a load of the element, one of its output, a store; many elements in a turn."""

from dataclasses import dataclass
from functools import cache

from tinycompile.assembly.moving import moved_by_first_access
from tinycompile.assembly.scheduler import Step, Values, schedule

OUT, SOURCE, TABLE, END = range(4)
"""Registers that live through the loop: three pointers and the end of the input."""
_TEMPORARY = (4, 5, 6, 7, 8, 9, 10, 11, 12, 14)
_TURN_CYCLES = 3.0
"""Comparing, branching, and waiting for the first loads."""


@dataclass(frozen=True)
class Block:
    """One turn of the loop. `leads` are the bytes by which OUT and SOURCE lie before their next element, before and after it."""

    steps: tuple[Step, ...]
    leads: tuple[int, int]
    cycles: float


@cache
def block(elements: int) -> Block:
    """So many elements."""
    values = Values()
    for place in range(elements):
        index = values.emit("load_byte_unsigned", (SOURCE,), (place,))
        values.effect("store_byte", (values.emit("lookup", (TABLE, index)), OUT), (place,))
    ordered = schedule(values.ops, _TEMPORARY)
    assert ordered is not None
    steps = list(ordered.steps)
    out, source = (moved_by_first_access(steps, pointer, elements) for pointer in (OUT, SOURCE))
    return Block(tuple(steps), (out, source), ordered.cycles + _TURN_CYCLES)
