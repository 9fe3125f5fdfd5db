"""What kernels share in which four channels go along a row: pointers that are moved seldom, a loop, and the steps around it."""

from dataclasses import dataclass

from tinycompile.assembly.reorder import reorder
from tinycompile.assembly.scheduler import Step

OUT, FIRST_ROW = 0, 1
"""Registers of pointers: the output, and the input rows from there on."""
_LARGEST_OFFSET = 4095
"""How far behind its pointer a load or store may reach, and how far an ADD moves it."""


@dataclass(frozen=True)
class RowSteps:
    """Steps before a loop, of one of its turns, and behind it; the pointers then lie `moved` bytes (output, rows) ahead."""

    before: tuple[Step, ...]
    turn: tuple[Step, ...]
    turns: int
    turn_bytes: int
    """By which the output's pointer moves in a turn."""
    after: tuple[Step, ...]
    moved: tuple[int, int]
    cycles: int
    """Of all steps. Comparing and branching takes no longer than what turns overlap."""

    @property
    def holes(self) -> tuple[tuple[str, int | tuple[int, int] | tuple[Step, ...]], ...]:
        """What `macros/along_row.j2` prints, by name."""
        names = ("before", "turn", "turns", "turn_bytes", "after", "moved")
        return tuple((name, getattr(self, name)) for name in names)

    @property
    def count(self) -> int:
        """Steps that are printed."""
        return len(self.before) + len(self.turn) + len(self.after)


class AlongRow:
    """Collects steps. Places are bytes from the first of the row, of the output (pointer 0) or the input rows (1)."""

    def __init__(self, rows: int) -> None:
        self._rows = rows
        self._steps: list[Step] = []
        self._moved = [0, 0]
        """Bytes by which the pointers lie behind their first."""

    def reach(self, pointer: int, place: int) -> int:
        """Offset of a place, to which the pointers are moved when it is too far."""
        if place - self._moved[pointer] > _LARGEST_OFFSET:
            self._advance(pointer, place)
        return place - self._moved[pointer]

    def end_turn(self, starts: tuple[int, int], turn_bytes: tuple[int, int], turns: int) -> None:
        """Move the pointers by the bytes of a turn that began at `starts`; behind it all turns have run."""
        for pointer in (0, 1):
            self._advance(pointer, starts[pointer] + turn_bytes[pointer])
            self._moved[pointer] = starts[pointer] + turns * turn_bytes[pointer]

    @property
    def moved(self) -> tuple[int, int]:
        """Where the pointers lie."""
        return self._moved[0], self._moved[1]

    def ordered(self) -> tuple[tuple[Step, ...], int]:
        """What was collected, in a good order, and its cycles; the next steps stand alone."""
        found = reorder(self._steps)
        self._steps = []
        return found.steps, found.cycles

    def _advance(self, pointer: int, place: int) -> None:
        registers = range(FIRST_ROW, FIRST_ROW + self._rows) if pointer else (OUT,)
        while self._moved[pointer] < place:
            step = min(place - self._moved[pointer], _LARGEST_OFFSET)
            self._steps += [("advance", register, step) for register in registers]
            self._moved[pointer] += step
