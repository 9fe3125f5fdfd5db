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

from tinycompile.assembly.along_row import FIRST_ROW, AlongRow, RowSteps
from tinycompile.assembly.pool_folds import Fold
from tinycompile.assembly.scheduler import Step

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


def pooled_row(shape: RowShape, fold: Fold) -> RowSteps:
    """All windows of a row."""
    return _Row(shape, fold).walk()


class _Row(AlongRow):
    """Walks along the row."""

    def __init__(self, shape: RowShape, fold: Fold) -> None:
        super().__init__(shape.rows)
        self._shape, self._fold = shape, fold
        self._loaded = [0, 0]
        """Periods whose first and second atoms are there, or were."""
        self._filled: set[int] = set()
        """Slots that hold something."""

    def walk(self) -> RowSteps:
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
            before, cycles = self.ordered()
            turn, turn_cycles = self._turn(begin, together, turns)
        else:
            before, cycles = self.ordered()
        for window in range(begin + together * turns, shape.out_columns):
            self._window(window)
        after, after_cycles = self.ordered()
        return RowSteps(
            before,
            turn,
            turns,
            together * shape.channels,
            after,
            self.moved,
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
        starts = self.moved
        for index in range(together):
            self._window(window + index)
        self.end_turn(starts, (together * shape.channels, together * shape.stride * shape.channels), turns)
        self._loaded = [periods + together * (turns - 1) for periods in self._loaded]
        return self.ordered()

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
        offset = self.reach(0, window * shape.channels)
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
            offset = self.reach(1, column * shape.channels)
            for row in range(shape.rows):
                is_first = slot not in self._filled
                self._steps += self._fold.take(slot, FIRST_ROW + row, offset, is_first)
                self._filled.add(slot)
