"""Pointers that the first access by them moves on: that saves the additions at the end of a turn of a loop."""

from tinycompile.assembly.scheduler import Step

_ACCESSES = frozenset({"load", "load_byte", "load_byte_unsigned", "store", "store_byte"})
"""Kinds (kind, register, pointer, offset) that have a form which moves the pointer."""


def moved_by_first_access(steps: list[Step], pointer: int, count: int) -> int:
    """Let the first access by a pointer move it on by `count` bytes, at most 255, and the others count from there.

    Returns by how many bytes the pointer has to lie before its next element, before the loop and after it.
    """
    places = [at for at, step in enumerate(steps) if step[0] in _ACCESSES and step[2] == pointer]
    start = int(steps[places[0]][3])
    for at in places:
        kind, register, base, offset = steps[at]
        steps[at] = (kind, register, base, int(offset) - start)
    kind, register, base, _ = steps[places[0]]
    steps[places[0]] = (f"{kind}_moving", register, base, count)
    return count - start
