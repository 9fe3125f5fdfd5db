"""Puts steps that have their registers already in a better order for the core of `_asm_scheduler.py`.

Used where registers are assigned by hand: operands in rotation, accumulators that live through a loop.
"""

from collections.abc import Sequence

from tinycompile.ops._asm_scheduler import ACCUMULATING, UNITS, Scheduled, Step, Unit, may_pair

_WINDOW = 40
_NO_RESULT = frozenset({"store", "store_byte", "store_pair", "compare"})
_REGISTERS = {
    "load": 2,
    "load_pair": 3,
    "load_byte": 2,
    "advance": 1,
    "saturate": 2,
    "shift_right": 2,
    "clamp": 2,
    "store_pair": 3,
}
"""Leading numbers of a step that are registers, where they are not all; "store" and "store_byte" have an offset at the end."""

_FLAGS = 16
"""Stands for the condition flags."""


def reads_and_writes(step: Step) -> tuple[frozenset[int], frozenset[int]]:
    """Registers that a step reads and writes."""
    kind, numbers = str(step[0]), [int(n) for n in step[1:]]
    count = _REGISTERS.get(kind, len(numbers) - (1 if kind in ("store", "store_byte") else 0))
    registers = numbers[:count]
    if kind in _NO_RESULT:
        return frozenset(registers), frozenset({_FLAGS} if kind == "compare" else ())
    results = 2 if kind == "load_pair" else 1
    reads = registers if kind == "advance" else registers[results:]
    return frozenset(reads), frozenset(registers[:results])


def reorder(steps: Sequence[Step]) -> Scheduled:
    """The same steps in an order that keeps both issue slots busy, as far as registers allow; multiplications come first."""
    return _Reorderer(steps).run()


class _Reorderer:
    def __init__(self, steps: Sequence[Step]) -> None:
        self.left = list(range(len(steps)))
        self.steps = list(steps)
        self.units = [UNITS[str(step[0])] for step in steps]
        self.sets = [reads_and_writes(step) for step in steps]
        self.waits: list[list[tuple[int, int]]] = [self._waits(i) for i in range(len(steps))]
        self.issued: dict[int, int] = {}
        self.order: list[int] = []

    def _waits(self, index: int) -> list[tuple[int, int]]:
        """Steps that must come before, with the cycles between; 0 is only possible for the first of a pair."""
        reads, writes = self.sets[index]
        found: dict[int, int] = {}
        pending = set(reads | writes)
        for before in range(index - 1, max(index - 200, -1), -1):
            their_reads, their_writes = self.sets[before]
            if their_writes & reads & pending:
                found[before] = self._latency(before, index)
            elif their_writes & writes & pending:
                found[before] = 1
            elif their_reads & writes:
                found[before] = 0
            pending -= their_writes - writes
        return list(found.items())

    def _latency(self, before: int, index: int) -> int:
        first, second = str(self.steps[before][0]), str(self.steps[index][0])
        late = self.units[before].latency
        if first in ACCUMULATING:
            adds = (
                second in ACCUMULATING
                and second != "scale"
                and self.steps[index][-1] == self.steps[before][1]
            )
            return late if adds else late + 1
        return late + (first == "saturate" and second not in ("store", "store_byte"))

    def run(self) -> Scheduled:
        cycle = 0
        while self.left:
            ready = [i for i in self.left[:_WINDOW] if self._ready(i, cycle, ())]
            first = self._choose(ready)
            if first is not None:
                self._pair(first, ready, cycle)
            cycle += 1
        return Scheduled(tuple(self.steps[i] for i in self.order), cycle)

    def _choose(self, ready: list[int]) -> int | None:
        """A multiplication if there is one, else what fits beside none, else the first."""
        multiplications = (index for index in ready if self.units[index].name == "multiply")
        lonely = (index for index in ready if self.units[index].alone)
        return next(multiplications, next(lonely, ready[0] if ready else None))

    def _pair(self, first: int, ready: list[int], cycle: int) -> None:
        """Issue a step and one that fits beside it, before it or after it."""
        unit = self.units[first]
        for other in ready:
            independent = not self._depends(other, first) and not self._depends(first, other)
            if other != first and _fit(self.units[other], unit) and independent:
                self._issue(other, cycle)
                self._issue(first, cycle)
                return
        self._issue(first, cycle)
        for other in self.left[:_WINDOW]:
            if _fit(unit, self.units[other]) and self._ready(other, cycle, (first,)):
                self._issue(other, cycle)
                return

    def _depends(self, later: int, earlier: int) -> bool:
        return any(before == earlier for before, _ in self.waits[later])

    def _ready(self, index: int, cycle: int, beside: tuple[int, ...]) -> bool:
        """True when all that must come before is issued and done."""
        for before, cycles in self.waits[index]:
            at = self.issued.get(before)
            if at is None or at + max(cycles, 0 if before in beside else cycles) > cycle:
                return False
        return True

    def _issue(self, index: int, cycle: int) -> None:
        self.left.remove(index)
        self.issued[index] = cycle
        self.order.append(index)


def _fit(first: Unit, second: Unit) -> bool:
    """True when the two may be issued in one cycle in this order."""
    return may_pair(first, second) and (first.name != second.name or first.count > 1)
