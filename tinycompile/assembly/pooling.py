"""One row of pooling in assembly: four channels go along the row, and what windows share is folded once.

The columns of windows fall into *atoms*: neighbours that the same windows have. With a window of `taps` columns and a stride,
each period of `stride` columns has two: the first `taps % stride` columns (or all, when that is 0), and the others. An atom is
folded into a slot when the first window that has it is computed, and the windows behind it find it there; the last one that has
the first atom of a period takes that slot as its own, since nobody needs it any more. After as many windows as share an atom
slots are again what they were: that many windows, or a multiple, are a turn of a loop. Windows at the borders of the
image, where atoms are smaller or missing, stand before and behind the loop.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from tinycompile.assembly.pool_folds import FIRST_ROW, OUT, Fold
from tinycompile.assembly.reorder import reorder
from tinycompile.assembly.scheduler import Step

_LARGEST_OFFSET = 4095
"""How far behind its pointer a load or store may reach, and how far an ADD moves it."""
_SHORT_LOOP, _LONG_LOOP = 2, 4


@dataclass(frozen=True)
class RowShape:
    """A row of windows: the rows that they have, and columns of input and output; `pad` columns are missing on the left."""

    rows: int
    taps: int
    stride: int
    pad: int
    in_columns: int
    out_columns: int
    channels: int

    @cached_property
    def sharing(self) -> int:
        """Windows that have the first atom of a period."""
        return -(-self.taps // self.stride)

    @cached_property
    def first_atom(self) -> int:
        """Columns of it."""
        return self.taps % self.stride or self.stride

    @cached_property
    def slots(self) -> int:
        """Slots for both atoms, as long as windows to come need them."""
        second = self.sharing if self.first_atom < self.stride and self.sharing > 2 else 0
        return max(self.sharing, 2) + second

    def columns(self, window: int) -> int:
        """Columns of a window that lie in the image."""
        start = window * self.stride - self.pad
        return min(start + self.taps, self.in_columns) - max(start, 0)

    @cached_property
    def whole(self) -> range:
        """Windows that lie in the image."""
        begin = min(-(-self.pad // self.stride), self.out_columns)
        end = (self.in_columns - self.taps + self.pad) // self.stride + 1
        return range(begin, max(begin, min(end, self.out_columns)))


@dataclass(frozen=True)
class PooledRow:
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


def pooled_row(shape: RowShape, fold: Fold) -> PooledRow:
    """All windows of a row."""
    return _Row(shape, fold).walk()


class _Row:
    """Walks along the row and collects steps."""

    def __init__(self, shape: RowShape, fold: Fold) -> None:
        self._shape, self._fold = shape, fold
        self._steps: list[Step] = []
        self._loaded = [0, 0]
        """Periods whose first and second atoms are there, or were."""
        self._filled: set[int] = set()
        """Slots that hold something."""
        self._moved = [0, 0]
        """Bytes by which the pointers of output and rows lie behind their first."""

    def walk(self) -> PooledRow:
        shape = self._shape
        together, turns = self._loop()
        whole = shape.whole
        begin = whole.start if turns else shape.out_columns
        for window in range(begin):
            self._window(window)
        turn: tuple[Step, ...] = ()
        turn_cycles = 0
        if turns:
            self._preload(begin)
            self._steps += self._fold.prepare(shape.rows * shape.taps)
            before, cycles = self._ordered()
            turn, turn_cycles = self._turn(begin, together, turns)
        else:
            before, cycles = self._ordered()
        for window in range(begin + together * turns, shape.out_columns):
            self._window(window)
        after, after_cycles = self._ordered()
        return PooledRow(
            before,
            turn,
            turns,
            together * shape.channels,
            after,
            (self._moved[0], self._moved[1]),
            cycles + after_cycles + turns * turn_cycles,
        )

    def _loop(self) -> tuple[int, int]:
        """Windows of a turn, and turns; none for few windows."""
        whole, sharing = len(self._shape.whole), self._shape.sharing
        long = -(-_LONG_LOOP // sharing) * sharing
        short = max(_SHORT_LOOP, sharing)
        together = long if whole >= 2 * long and whole % long < short else short
        turns = whole // together
        return together, turns if turns > 1 else 0

    def _turn(self, window: int, together: int, turns: int) -> tuple[tuple[Step, ...], int]:
        """One turn, behind which everything is as if all of them had run."""
        shape = self._shape
        starts = list(self._moved)
        for index in range(together):
            self._window(window + index)
        steps = (together * shape.channels, together * shape.stride * shape.channels)
        for pointer in (0, 1):
            self._advance(pointer, starts[pointer] + steps[pointer])
            self._moved[pointer] = starts[pointer] + turns * steps[pointer]
        self._loaded = [periods + together * (turns - 1) for periods in self._loaded]
        turn, cycles = self._ordered()
        return turn, cycles

    def _ordered(self) -> tuple[tuple[Step, ...], int]:
        found = reorder(self._steps)
        self._steps = []
        return found.steps, found.cycles

    def _preload(self, window: int) -> None:
        """Load what a window would find from the windows before it."""
        sharing = self._shape.sharing
        for period in range(window, window + sharing - 1):
            self._load(period, 0, window)
            if period < window + sharing - 2:
                self._load(period, 1, window)

    def _window(self, window: int) -> None:
        """Fold the new atoms, join those of the window, and store."""
        shape, fold = self._shape, self._fold
        own, last = self._slot(window, 0, window), window + shape.sharing - 1
        for period in range(window, last + 1):
            self._load(period, 0, window)
            if period < last:
                self._load(period, 1, window)
        others = [self._slot(period, 0, window) for period in range(window + 1, last + 1)]
        others += [self._slot(period, 1, window) for period in range(window, last)]
        found = [slot for slot in dict.fromkeys(others) if slot in self._filled and slot != own]
        self._steps += self._joined(own, found)
        offset = self._reach(0, window * shape.channels)
        self._steps += fold.store(own, offset, shape.rows * shape.columns(window))
        self._filled -= {own, self._slot(window, 1, window)}

    def _joined(self, own: int, found: list[int]) -> Iterator[Step]:
        fold = self._fold
        if own in self._filled:
            for slot in found:
                yield from fold.join(own, own, slot)
        elif len(found) == 1:
            yield from fold.copy(own, found[0])
        else:
            yield from fold.join(own, found[0], found[1])
            for slot in found[2:]:
                yield from fold.join(own, own, slot)

    def _slot(self, period: int, atom: int, window: int) -> int:
        """Slot of an atom; one that no other window has goes to the slot of the window."""
        sharing = self._shape.sharing
        count = max(sharing, 2)
        if atom == 0:
            return period % count
        return count + period % sharing if sharing > 2 else window % count

    def _load(self, period: int, atom: int, window: int) -> None:
        """Fold the columns of an atom that lie in the image, unless that is done."""
        shape = self._shape
        if period < self._loaded[atom]:
            return
        self._loaded[atom] = period + 1
        start = period * shape.stride - shape.pad
        columns = (
            (start, start + shape.first_atom)
            if atom == 0
            else (start + shape.first_atom, start + shape.stride)
        )
        slot = self._slot(period, atom, window)
        for column in range(max(columns[0], 0), min(columns[1], shape.in_columns)):
            offset = self._reach(1, column * shape.channels)
            for row in range(shape.rows):
                is_first = slot not in self._filled
                self._steps += self._fold.take(slot, FIRST_ROW + row, offset, is_first)
                self._filled.add(slot)

    def _reach(self, pointer: int, place: int) -> int:
        """Offset of a place in the row, to which the pointers are moved when it is too far."""
        if place - self._moved[pointer] > _LARGEST_OFFSET:
            self._advance(pointer, place)
        return place - self._moved[pointer]

    def _advance(self, pointer: int, place: int) -> None:
        """Move the output's pointer (0) or those of the rows (1)."""
        registers = range(FIRST_ROW, FIRST_ROW + self._shape.rows) if pointer else (OUT,)
        while self._moved[pointer] < place:
            step = min(place - self._moved[pointer], _LARGEST_OFFSET)
            self._steps += [("advance", register, step) for register in registers]
            self._moved[pointer] += step
