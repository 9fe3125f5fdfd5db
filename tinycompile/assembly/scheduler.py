"""Puts straight-line assembly in order for a core that issues two instructions in a cycle, and gives it registers.

Input: operations on values in an order that is right. Output: the same operations in an order that keeps both issue slots busy,
with registers in place of values. The core is modelled as a Cortex-M7: in order, two instructions in a cycle, one of them a
multiplication, one a shift, extension or saturation, one a store, up to two loads; see `docs/kernels.md`. On cores that issue
one instruction at a time the order does no harm.

An operation may be issued early as long as every operation before it can still have its registers, so scheduling never fails
when the given order needs no more registers than there are.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple

from tinycompile.assembly.packing import packing_wait
from tinycompile.assembly.units import UNITS, Unit, may_pair

Step = tuple[str | int, ...]
"""What a template prints: kind, registers (result first), then numbers."""

_LONGEST_WAIT = 8
"""Cycles after which every operand is there: what cannot be issued then lacks a register."""

_WINDOW = 48
"""Operations that are looked at ahead of the first one that is not issued."""


STORES = frozenset({"store", "store_byte", "store_half"})
"""They store the register that comes first."""

ACCUMULATING = frozenset(
    {"smlad", "smlabb", "smlabt", "smlatb", "smlatt", "smuad", "scale", "multiply_high", "multiply_add"}
)
"""Their results can be added to in the next cycle; any other use has to wait for one cycle more."""

SATURATING = frozenset({"saturate", "saturate_unsigned"})
"""Only a store can have their results in the next cycle."""

_PRODUCTS = ACCUMULATING | {"smulbb", "smultt", "smlawb", "smlawt"}


@dataclass(frozen=True)
class Value:
    """A value that needs a register. Operands that are plain ints are registers that hold something for good."""

    number: int


Operand = Value | int


@dataclass(frozen=True)
class Op:
    """One instruction."""

    kind: str
    results: tuple[Value, ...]
    sources: tuple[Operand, ...]
    numbers: tuple[int, ...] = ()


@dataclass
class Values:
    """Makes new values and collects operations."""

    ops: list[Op] = field(default_factory=list)
    count: int = 0

    def emit(self, kind: str, sources: Sequence[Operand] = (), numbers: Sequence[int] = ()) -> Value:
        """Append an operation with a result."""
        (result,) = self._append(kind, 1, sources, numbers)
        return result

    def emit_pair(self, kind: str, sources: Sequence[Operand], numbers: Sequence[int]) -> tuple[Value, Value]:
        """Append an operation with two results."""
        first, second = self._append(kind, 2, sources, numbers)
        return first, second

    def effect(self, kind: str, sources: Sequence[Operand] = (), numbers: Sequence[int] = ()) -> None:
        """Append an operation without a result."""
        self._append(kind, 0, sources, numbers)

    def _append(
        self, kind: str, count: int, sources: Sequence[Operand], numbers: Sequence[int]
    ) -> tuple[Value, ...]:
        results = tuple(Value(self.count + 1 + index) for index in range(count))
        self.count += count
        self.ops.append(Op(kind, results, tuple(sources), tuple(numbers)))
        return results


@dataclass(frozen=True)
class Scheduled:
    """Operations in order, with registers, and the cycles that the model takes for them."""

    steps: tuple[Step, ...]
    cycles: int


_Issued = tuple[int, tuple[int, ...]]
"""An operation by its index, and the registers of its results and sources."""


def schedule(ops: Sequence[Op], registers: Iterable[int]) -> Scheduled | None:
    """Order operations and assign `registers` to their values; None when the order given needs more registers."""
    made = _best_order(tuple(map(_structure, ops)), tuple(sorted(registers)))
    if made is None:
        return None
    issued, cycles = made
    return Scheduled(tuple((ops[at].kind, *names, *ops[at].numbers) for at, names in issued), cycles)


_Structure = tuple[str, tuple[int, ...], tuple[int, ...]]
"""What the order depends on: kind, results, and sources; values are negative, registers are not."""


def _structure(op: Op) -> _Structure:
    sources = tuple([-source.number if isinstance(source, Value) else source for source in op.sources])
    return op.kind, tuple([-result.number for result in op.results]), sources


@lru_cache(maxsize=256)
def _best_order(
    structure: tuple[_Structure, ...], registers: tuple[int, ...]
) -> tuple[tuple[_Issued, ...], int] | None:
    """The operations as they are issued, and cycles; those that differ in their numbers alone are ordered once."""
    return _Scheduler(structure, list(registers)).run()


class _Pending:
    """An operation that is not issued: the values that it reads and writes, and when it can be issued."""

    __slots__ = ("at", "earliest", "kind", "missing", "reads", "sources", "unit", "writes")

    def __init__(self, at: int, op: _Structure) -> None:
        self.at = at
        self.kind, self.writes, self.sources = op
        self.unit = UNITS[self.kind]
        self.reads = tuple({source for source in self.sources if source < 0})
        self.missing = len(self.reads)
        """Values that no operation issued so far has made."""
        self.earliest = 0


class _Candidate(NamedTuple):
    """An operation that could be issued now: its registers, and the most that those before it in the order given will take."""

    at: int
    unit: Unit
    gain: int
    peak: int


class _Scheduler:
    def __init__(self, ops: Sequence[_Structure], registers: list[int]) -> None:
        self.left = [_Pending(at, op) for at, op in enumerate(ops)]
        self.free = registers
        self.register: dict[int, int] = {}
        self.uses: dict[int, int] = {}
        self.readers: dict[int, list[_Pending]] = {}
        for pending in self.left:
            for number in pending.reads:
                self.uses[number] = self.uses.get(number, 0) + 1
                self.readers.setdefault(number, []).append(pending)
        self.issued: list[_Issued] = []

    def run(self) -> tuple[tuple[_Issued, ...], int] | None:
        cycle = issued_at = 0
        while self.left:
            issued = self._choose(self._candidates(cycle))
            for pending in [self.left[at] for at in issued]:
                self.left.remove(pending)
                self._issue(pending, cycle)
                issued_at = cycle
            if cycle > issued_at + _LONGEST_WAIT:
                return None
            cycle += 1
        return tuple(self.issued), cycle

    def _choose(self, candidates: Iterator[_Candidate]) -> list[int]:
        """Up to two operations in the order in which they are issued: the first one that can be, and a later one beside it."""
        free = len(self.free)
        first = next((c for c in candidates if c.peak + max(c.gain, 0) <= free), None)
        if first is None:
            return []
        kept = first.peak + max(0, first.gain)
        for other in candidates:
            shared = other.unit.name == first.unit.name and other.unit.count == 1
            if shared or max(kept, other.peak) + max(other.gain, 0) > free:
                continue
            if may_pair(first.unit, other.unit):
                return [first.at, other.at]
            if may_pair(other.unit, first.unit):
                return [other.at, first.at]
        return [first.at]

    def _candidates(self, cycle: int) -> Iterator[_Candidate]:
        """Operations whose operands are there; how many registers those before will take, when they run in the order given."""
        taken = peak = 0
        used: dict[int, int] = {}
        uses, free = self.uses, len(self.free)
        for at, pending in enumerate(self.left[:_WINDOW]):
            writes = len(pending.writes)
            if pending.missing == 0 and pending.earliest <= cycle:
                gain = writes - sum([uses[number] == 1 for number in pending.reads])
                yield _Candidate(at, pending.unit, gain, peak)
            for number in pending.reads:
                count = used[number] = used.get(number, 0) + 1
                if count == uses[number]:
                    taken -= 1
            taken += writes
            if taken > peak:
                peak = taken
                if peak > free:
                    return  # those before it take all registers: nothing behind can be issued

    def _issue(self, pending: _Pending, cycle: int) -> None:
        sources = [self.register[source] if source < 0 else source for source in pending.sources]
        for number in pending.reads:
            self.uses[number] -= 1
            if self.uses[number] == 0:
                self.free.append(self.register[number])
        # Prefer the accumulator's own register: shorter encodings and nothing to explain.
        own = sources[-1] if pending.kind in ACCUMULATING else (sources[0] if sources else -1)
        results: list[int] = []
        for number in pending.writes:
            register = own if own in self.free else min(self.free)
            self.free.remove(register)
            self.register[number] = register
            results.append(register)
        for number in pending.writes:
            if number not in self.uses:
                self.free.append(self.register[number])
            self._announce(pending, number, cycle)
        self.issued.append((pending.at, (*results, *sources)))

    def _announce(self, producer: _Pending, number: int, cycle: int) -> None:
        """Tell the readers of a new value when they can have it."""
        for reader in self.readers.get(number, ()):
            reader.missing -= 1
            ready = cycle + producer.unit.latency
            packing = packing_wait(producer.kind, reader.kind, reader.sources[-1] == number)
            if packing is not None:
                ready += packing
            elif producer.kind in _PRODUCTS:
                adds = reader.kind in ACCUMULATING and reader.sources[-1] == number
                shifts = reader.kind == "sign" and reader.sources[-1] == number
                ready += 0 if adds and reader.kind != "scale" else 1 + shifts
            elif producer.kind in SATURATING and reader.kind not in STORES:
                ready += 1
            reader.earliest = max(reader.earliest, ready)
