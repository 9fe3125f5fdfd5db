"""Puts steps that have their registers already in a better order for the core of `assembly/scheduler.py`.

Used where registers are assigned by hand: operands in rotation, accumulators that live through a loop.
"""

from collections.abc import Sequence
from functools import lru_cache

from tinycompile.assembly.packing import packing_wait
from tinycompile.assembly.scheduler import ACCUMULATING, SATURATING, STORES, Scheduled, Step
from tinycompile.assembly.units import UNITS, Unit, may_pair

_WINDOW = 40
_NO_RESULT = STORES | {"store_pair", "compare", "test"}
_SETS_FLAGS = frozenset({"compare", "test"})
_SETS_FLAGS_OF_BYTES = frozenset({"ssub8", "sadd16", "ssub16"})
_ADDS_TO = frozenset({"advance", "add_high", "extend_half_add", "constant_high"})
"""They read the register of their result."""
_REGISTERS = {
    "load": 2,
    "load_pair": 3,
    "load_byte": 2,
    "advance": 1,
    "add_high": 2,
    "extend_add": 3,
    "test": 1,
    "saturate": 2,
    "saturate_unsigned": 2,
    "shift_right": 2,
    "shift_left": 2,
    "clamp": 2,
    "store_pair": 3,
    "constant": 1,
    "constant_high": 1,
    "add_shifted": 3,
    "sub_shifted": 3,
    "sub_high": 3,
}
"""Leading numbers of a step that are registers, where they are not all; stores of one register have an offset at the end."""

_FLAGS, _FLAGS_OF_BYTES = 16, 17
"""Stand for the condition flags, and for those by which SEL takes bytes."""


@lru_cache(maxsize=4096)
def reads_and_writes(step: Step) -> tuple[frozenset[int], frozenset[int]]:
    """Registers that a step reads and writes."""
    kind, numbers = str(step[0]), [int(n) for n in step[1:]]
    count = _REGISTERS.get(kind, len(numbers) - (1 if kind in STORES else 0))
    registers = numbers[:count]
    if kind in _NO_RESULT:
        return frozenset(registers), frozenset({_FLAGS} if kind in _SETS_FLAGS else ())
    if kind in ("load_next", "load_pair_next", "load_many_next"):
        return frozenset(registers[-1:]), frozenset(registers)
    results = {"load_pair": 2, "load_many": len(registers) - 1}.get(kind, 1)
    return frozenset(registers if kind in _ADDS_TO else registers[results:]), frozenset(registers[:results])


def _with_flags_of_bytes(step: Step) -> tuple[frozenset[int], frozenset[int]]:
    reads, writes = reads_and_writes(step)
    flags = frozenset({_FLAGS_OF_BYTES})
    return reads | flags if step[0] == "sel" else reads, writes | flags if step[
        0
    ] in _SETS_FLAGS_OF_BYTES else writes


def reorder(steps: Sequence[Step]) -> Scheduled:
    """The same steps in an order that keeps both issue slots busy, as far as registers allow; multiplications come first."""
    order, cycles = _best_order(tuple(map(_structure, steps)))
    return Scheduled(tuple(steps[index] for index in order), cycles)


def in_order(steps: Sequence[Step]) -> int:
    """Cycles of steps in the order in which they stand.

    Multiplications read their factors late, so that a loaded byte is there in the next cycle.
    """
    return _Reorderer(steps, late_factors=True).cycles_as_given()


def _structure(step: Step) -> Step:
    """What the order depends on: the kind and the registers. Offsets and constants become 0."""
    kind = str(step[0])
    count = 1 + _REGISTERS.get(kind, len(step) - 1 - (kind in STORES))
    return step[:count] + (0,) * (len(step) - count)


@lru_cache(maxsize=256)
def _best_order(structure: tuple[Step, ...]) -> tuple[tuple[int, ...], int]:
    """Indices of the steps in their new order, and cycles; blocks that differ in offsets alone are ordered once."""
    return _Reorderer(structure).run()


class _Reorderer:
    def __init__(self, steps: Sequence[Step], late_factors: bool = False) -> None:
        self.steps = list(steps)
        self.late_factors = late_factors
        self.units = [UNITS[str(step[0])] for step in steps]
        self.missing = [0] * len(steps)
        """Steps that must come before and are not issued."""
        self.earliest = [0] * len(steps)
        self.followers: list[list[tuple[int, int]]] = [[] for _ in steps]
        """Steps that must come after, with the cycles between; 0: at once, as the second of a pair."""
        self._connect()
        self.left = list(range(len(steps)))
        self.order: list[int] = []

    def _connect(self) -> None:
        """Find what must come before what: results before their uses, uses before the register's next result."""
        writer: dict[int, int] = {}
        readers: dict[int, list[int]] = {}
        selects = any(step[0] == "sel" for step in self.steps)
        effects = _with_flags_of_bytes if selects else reads_and_writes
        for index, step in enumerate(self.steps):
            reads, writes = effects(step)
            before: dict[int, int] = {}
            for register in writes:
                for reader in readers.pop(register, ()):
                    before.setdefault(reader, 0)
                at = writer.get(register)
                if at is not None and register not in reads:
                    before[at] = max(before.get(at, 0), 1)
            for register in reads:
                at = writer.get(register)
                if at is not None:
                    before[at] = max(before.get(at, 0), self._latency(at, index))
            for at, cycles in before.items():
                self.followers[at].append((index, cycles))
            self.missing[index] = len(before)
            for register in writes:
                writer[register] = index
            for register in reads:
                readers.setdefault(register, []).append(index)

    def _latency(self, before: int, index: int) -> int:
        first, second = str(self.steps[before][0]), str(self.steps[index][0])
        late = self.units[before].latency
        if self.late_factors and first == "load_byte" and self.units[index].name == "multiply":
            late = 1
        if first in ACCUMULATING:
            adds = (
                second in ACCUMULATING
                and second != "scale"
                and self.steps[index][-1] == self.steps[before][1]
            )
            return late if adds else late + 1
        packing = packing_wait(first, second, self.steps[index][3:4] == self.steps[before][1:2])
        if packing is not None:
            return late + packing
        return late + (first in SATURATING and second not in STORES)

    def run(self) -> tuple[tuple[int, ...], int]:
        """The order in which steps are issued, and the cycles that it takes."""
        cycle = 0
        while self.left:
            ready = [i for i in self.left[:_WINDOW] if self.missing[i] == 0 and self.earliest[i] <= cycle]
            first = self._choose(ready)
            if first is not None:
                self._pair(first, ready, cycle)
            cycle += 1
        return tuple(self.order), cycle + sum(map(_further_cycles, self.steps))

    def cycles_as_given(self) -> int:
        """Cycles without changing the order."""
        cycle = 0
        while self.left:
            first = self.left[0]
            if self.earliest[first] <= cycle:
                self._issue(first, cycle)
                second = self.left[0] if self.left else None
                if (
                    second is not None
                    and self.earliest[second] <= cycle
                    and _fit(self.units[first], self.units[second])
                ):
                    self._issue(second, cycle)
            cycle += 1
        return cycle + sum(map(_further_cycles, self.steps))

    def _choose(self, ready: list[int]) -> int | None:
        """A multiplication if there is one, else what fits beside none, else the first."""
        for index in ready:
            if self.units[index].name == "multiply":
                return index
        for index in ready:
            if self.units[index].alone:
                return index
        return ready[0] if ready else None

    def _pair(self, first: int, ready: list[int], cycle: int) -> None:
        """Issue a step and one that fits beside it, before it or after it."""
        unit = self.units[first]
        for other in ready:
            if other != first and _fit(self.units[other], unit):
                self._issue(other, cycle)
                self._issue(first, cycle)
                return
        self._issue(first, cycle)
        for other in self.left[:_WINDOW]:
            if self.missing[other] == 0 and self.earliest[other] <= cycle and _fit(unit, self.units[other]):
                self._issue(other, cycle)
                return

    def _issue(self, index: int, cycle: int) -> None:
        self.left.remove(index)
        self.order.append(index)
        for follower, cycles in self.followers[index]:
            self.missing[follower] -= 1
            self.earliest[follower] = max(self.earliest[follower], cycle + cycles)


def _further_cycles(step: Step) -> int:
    """Cycles of a multiple load beyond its first: two words in each."""
    return (len(step) - 3) // 2 if step[0] in ("load_many", "load_many_next") else 0


def _fit(first: Unit, second: Unit) -> bool:
    """True when the two may be issued in one cycle in this order."""
    return may_pair(first, second) and (first.name != second.name or first.count > 1)
