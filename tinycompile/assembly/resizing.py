"""One row of a bilinear resize in assembly, where weights have few bits: two channels in the halves of a word.

An element plus 128 is a byte from 0 on, and all weights of an output together are WHOLE = 256: so a plain multiplication of a
word by a weight multiplies both of its halves, and no sum leaves its half. A column of both input rows is blended when an
output needs it first, and stays in registers for those behind it; then two columns are blended to each output.

Sums have 127 added. Where the upper bit of such a half is set, the mean is positive or zero, and one more takes ties away from
zero; otherwise ties go down. Then the upper byte of each half is the output plus 128.
"""

from dataclasses import dataclass

from tinycompile.assembly.along_row import FIRST_ROW, OUT, AlongRow, RowSteps

WHOLE = 256
LOWER_WEIGHT, UPPER_WEIGHT, ROUNDING, LOWEST_BITS = range(3, 7)
"""Registers of the weights of both rows, of 127 in both halves, and of 1 in both."""
ROUNDING_VALUE, LOWEST_BITS_VALUE = 127 * 65537, 65537
_COLUMNS = ((7, 8), (9, 10))
"""Registers of even and odd channels of a blended column; neighbours take turns."""
_WORDS, _FREE = (11, 12), 14
_MOST_TOGETHER, _MOST_WRITTEN = 16, 40
"""Outputs of a turn, and those that are written out in all."""
_FEW_TOGETHER = 4


@dataclass(frozen=True)
class Place:
    """An output column: the input column before it, and the weight of the one behind that."""

    before: int
    weight: int


@dataclass(frozen=True)
class _Loop:
    """Turns of `together` outputs from `begin` on, of which each reads `columns` columns ahead of the one before."""

    begin: int
    together: int = 0
    turns: int = 0
    columns: int = 0

    def written(self, outputs: int) -> int:
        """Outputs whose code is printed; turns of few outputs count for more."""
        few = _FEW_TOGETHER if 0 < self.together < _FEW_TOGETHER else 0
        return outputs - (self.turns - 1) * self.together + few if self.turns else outputs


def resized_row(places: tuple[Place, ...], whole: int, channels: int) -> RowSteps | None:
    """The outputs at `places`, where the weights of two columns are `whole` together; None for a row without a short period."""
    loop = _loop(places)
    if loop.written(len(places)) > _MOST_WRITTEN:
        return None
    return _Row(places, whole, channels).walk(loop)


def _loop(places: tuple[Place, ...]) -> _Loop:
    """The loop that leaves the fewest outputs to be written out."""
    found = [_Loop(len(places))]
    for together in range(2, min(_MOST_TOGETHER, len(places) // 2) + 1):
        found += _runs(places, together)
    return min(found, key=lambda loop: loop.written(len(places)))


def _runs(places: tuple[Place, ...], together: int) -> list[_Loop]:
    """All runs in which every place is that of `together` outputs before, an even number of columns ahead."""
    found, begin = [], 0
    steps = [_step(a, b) for a, b in zip(places, places[together:], strict=False)]
    for at in range(1, len(steps) + 1):
        if at < len(steps) and steps[at] == steps[begin]:
            continue
        columns, turns = steps[begin], (at + together - begin - 1) // together
        if columns is not None and turns > 1:
            # The first one only shows what the loop finds in registers.
            found.append(_Loop(begin + 1, together, turns, columns))
        begin = at
    return found


def _step(first: Place, second: Place) -> int | None:
    columns = second.before - first.before
    return columns if second.weight == first.weight and columns % 2 == 0 else None


class _Row(AlongRow):
    """Walks along the row."""

    def __init__(self, places: tuple[Place, ...], whole: int, channels: int) -> None:
        super().__init__(rows=2)
        self._places, self._whole, self._channels = places, whole, channels
        self._loaded = -1
        """The last column that is blended."""

    def walk(self, loop: _Loop) -> RowSteps:
        """Code before the loop, of a turn, and behind it."""
        turn_bytes = (loop.together * self._channels, loop.columns * self._channels)
        for index in range(loop.begin):
            self._output(index)
        before, cycles = self.ordered()
        turn, turn_cycles = self.ordered()
        if loop.turns:
            starts = self.moved
            for index in range(loop.begin, loop.begin + loop.together):
                self._output(index)
            self.end_turn(starts, turn_bytes, loop.turns)
            self._loaded += (loop.turns - 1) * loop.columns
            turn, turn_cycles = self.ordered()
        for index in range(loop.begin + loop.turns * loop.together, len(self._places)):
            self._output(index)
        after, after_cycles = self.ordered()
        cycles += after_cycles + loop.turns * turn_cycles
        return RowSteps(before, turn, loop.turns, turn_bytes[0], after, self.moved, cycles)

    def _output(self, index: int) -> None:
        """Blend the columns that are new, and four outputs."""
        place, whole = self._places[index], self._whole
        behind = place.before + (place.weight > 0)
        for column in range(max(place.before, self._loaded + 1), behind + 1):
            self._blend_rows(column)
        self._loaded = max(self._loaded, behind)
        sums: tuple[int, ...] = (ROUNDING, ROUNDING)
        for column, weight in ((behind, place.weight), (place.before, whole - place.weight)):
            if weight:
                self._steps.append(("constant", _FREE, weight))
                for word, pair, so_far in zip(_WORDS, _COLUMNS[column % 2], sums, strict=True):
                    self._steps.append(("multiply_add", word, pair, _FREE, so_far))
                sums = _WORDS
        self._store(index * self._channels)

    def _blend_rows(self, column: int) -> None:
        even, odd = _COLUMNS[column % 2]
        (upper, lower), offset = _WORDS, self.reach(1, column * self._channels)
        for row, word in enumerate(_WORDS):
            self._steps += [("load", word, FIRST_ROW + row, offset), ("flip_signs", word, word)]
        self._steps += [
            ("uxtb16", even, upper),
            ("uxtb16_ror8", odd, upper),
            ("multiply", even, even, UPPER_WEIGHT),
            ("multiply", odd, odd, UPPER_WEIGHT),
            ("uxtb16", upper, lower),
            ("uxtb16_ror8", lower, lower),
            ("multiply_add", even, upper, LOWER_WEIGHT, even),
            ("multiply_add", odd, lower, LOWER_WEIGHT, odd),
        ]

    def _store(self, place: int) -> None:
        even, odd = _WORDS
        for word in _WORDS:
            self._steps += [("highest_bits", _FREE, LOWEST_BITS, word), ("add", word, word, _FREE)]
        self._steps += [
            ("high_bytes", odd, odd),
            ("uxtab16_ror8", even, odd, even),
            ("flip_signs", even, even),
            ("store", even, OUT, self.reach(0, place)),
        ]
