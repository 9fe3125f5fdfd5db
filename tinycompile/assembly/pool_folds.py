"""The instructions by which pooling folds words of four int8: sums in int16 lanes and their means, or the greater of four bytes.

A fold has a few slots, each with what is found of some columns of a window: for sums two registers (channels 0 and 2, 1 and 3),
for maxima one. Words are loaded into registers that take turns.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import ClassVar

from tinycompile.assembly.along_row import OUT
from tinycompile.assembly.scheduler import Step

_REGISTERS = (*range(13), 14)
_STACK = 13
BOUND_OFFSETS = (8, 12)
"""Where on the stack the words of the least and the greatest output lie."""
_LEAST_COUNT = 3
"""The factor of smaller counts does not fit int32."""
MEAN_OFFSET = (128 << 16) + (1 << 15)
"""128 makes means unsigned bytes of the upper halves, and a half rounds them."""


def mean_factor(count: int) -> int:
    """A little above 2**32 / count: so ties go away from zero, and nothing else crosses a threshold."""
    return (1 << 32) // count + 1


class Fold(ABC):
    """What is done with words; methods yield steps."""

    slot_registers: ClassVar[int]
    fixed_registers: ClassVar[int]
    """Registers that hold something for the whole row, beside the pointers."""
    least_words: ClassVar[int]

    def __init__(self, rows: int, slots: int, bounds: tuple[bool, bool]) -> None:
        """`bounds`: the activation has a least, a greatest output other than those of int8."""
        assert self.fits(rows, slots)
        free = _REGISTERS[1 + rows + self.fixed_registers :]
        count = self.slot_registers
        self._slots = [free[slot * count : (slot + 1) * count] for slot in range(slots)]
        self._words = free[slots * count :]
        self._bounds = bounds
        self._next_word = 0

    @classmethod
    def fits(cls, rows: int, slots: int) -> bool:
        """True when there are registers for so many pointers and slots."""
        taken = 1 + rows + cls.fixed_registers + slots * cls.slot_registers
        return taken + cls.least_words <= len(_REGISTERS)

    @abstractmethod
    def take(self, slot: int, pointer: int, offset: int, is_first: bool) -> Iterator[Step]:
        """Load a word and fold it into a slot, which holds nothing before the first one."""

    @abstractmethod
    def join(self, slot: int, first: int, second: int) -> Iterator[Step]:
        """slot = what is found in two slots."""

    @abstractmethod
    def copy(self, slot: int, source: int) -> Iterator[Step]:
        """slot = source."""

    def prepare(self, count: int) -> Iterator[Step]:
        """What outputs of windows with `count` elements need in a register."""
        yield from ()

    @abstractmethod
    def store(self, slot: int, offset: int, count: int) -> Iterator[Step]:
        """Store four outputs of windows with `count` elements; the slot is lost."""

    def _word(self) -> int:
        register: int = self._words[self._next_word % len(self._words)]
        self._next_word += 1
        return register

    def _clamped(self, register: int, dead: int) -> Iterator[Step]:
        """Four bytes between the bounds; what is loaded for them changes no other word."""
        for index, offset in enumerate(BOUND_OFFSETS):
            if self._bounds[index]:
                bound = self._word()
                yield ("load", bound, _STACK, offset)
                yield ("ssub8", dead, *((bound, register) if index else (register, bound)))
                yield ("sel", register, register, bound)


class Sums(Fold):
    """AVERAGE_POOL_2D of windows with at most 256 elements."""

    slot_registers = 2
    fixed_registers = 2
    least_words = 2

    def __init__(self, rows: int, slots: int, bounds: tuple[bool, bool]) -> None:
        super().__init__(rows, slots, bounds)
        self._factor, self._offset = 1 + rows, self.offset_register(rows)
        self._count = 0

    @staticmethod
    def offset_register(rows: int) -> int:
        """Where MEAN_OFFSET is expected."""
        return 2 + rows

    def take(self, slot: int, pointer: int, offset: int, is_first: bool) -> Iterator[Step]:
        """Two instructions take four bytes out of a word and add them."""
        word, (even, odd) = self._word(), self._slots[slot]
        yield ("load", word, pointer, offset)
        if is_first:
            yield ("sxtb16", even, word)
            yield ("sxtb16_ror8", odd, word)
        else:
            yield ("sxtab16", even, even, word)
            yield ("sxtab16_ror8", odd, odd, word)

    def join(self, slot: int, first: int, second: int) -> Iterator[Step]:
        """Sums of both pairs."""
        for to, a, b in zip(self._slots[slot], self._slots[first], self._slots[second], strict=True):
            yield ("sadd16", to, a, b)

    def copy(self, slot: int, source: int) -> Iterator[Step]:
        """Both pairs."""
        for to, found in zip(self._slots[slot], self._slots[source], strict=True):
            yield ("move", to, found)

    def store(self, slot: int, offset: int, count: int) -> Iterator[Step]:
        """Products with the factor have means in their upper halves, as bytes from 0 on."""
        for _ in range(_doublings(count)):
            yield from self.join(slot, slot, slot)
        yield from self.prepare(count)
        even, odd = self._slots[slot]
        for pair in (even, odd):
            low = self._word()
            yield ("smlawb", low, self._factor, pair, self._offset)
            yield ("smlawt", pair, self._factor, pair, self._offset)
            yield ("pkhtb", pair, pair, low)
        yield ("add_shifted", even, even, odd, 8)
        yield ("flip_signs", even, even)
        yield from self._clamped(even, odd)
        yield ("store", even, OUT, offset)

    def prepare(self, count: int) -> Iterator[Step]:
        """The factor, unless it is there."""
        count <<= _doublings(count)
        if count != self._count:
            self._count = count
            yield ("constant", self._factor, mean_factor(count) % 65536)
            yield ("constant_high", self._factor, mean_factor(count) // 65536)


def _doublings(count: int) -> int:
    """How often sums of so few elements are doubled."""
    return 2 if count == 1 else int(count < _LEAST_COUNT)


class Maxima(Fold):
    """MAX_POOL_2D: SSUB8 compares four bytes, SEL takes the greater ones."""

    slot_registers = 1
    fixed_registers = 1
    least_words = 2

    def __init__(self, rows: int, slots: int, bounds: tuple[bool, bool]) -> None:
        super().__init__(rows, slots, bounds)
        self._dead = _REGISTERS[1 + rows]

    def take(self, slot: int, pointer: int, offset: int, is_first: bool) -> Iterator[Step]:
        """The greater bytes of a word and the slot."""
        (found,) = self._slots[slot]
        word = found if is_first else self._word()
        yield ("load", word, pointer, offset)
        if not is_first:
            yield from self._greater(found, found, word)

    def join(self, slot: int, first: int, second: int) -> Iterator[Step]:
        """The greater bytes of two slots."""
        yield from self._greater(self._slots[slot][0], self._slots[first][0], self._slots[second][0])

    def copy(self, slot: int, source: int) -> Iterator[Step]:
        """One word."""
        yield ("move", self._slots[slot][0], self._slots[source][0])

    def store(self, slot: int, offset: int, count: int) -> Iterator[Step]:
        """The word as it is, between the bounds."""
        (found,) = self._slots[slot]
        yield from self._clamped(found, self._dead)
        yield ("store", found, OUT, offset)

    def _greater(self, to: int, first: int, second: int) -> Iterator[Step]:
        yield ("ssub8", self._dead, first, second)
        yield ("sel", to, first, second)
