"""Puts straight-line assembly in order for a core that issues two instructions in a cycle, and gives it registers.

Input: operations on values in an order that is right. Output: the same operations in an order that keeps both issue slots busy,
with registers in place of values. The core is modelled as a Cortex-M7: in order, two instructions in a cycle, one of them a
multiplication, one a shift, extension or saturation, one a store, up to two loads; see `docs/kernels.md`. On cores that issue
one instruction at a time the order does no harm.

An operation may be issued early as long as every operation before it can still have its registers, so scheduling never fails
when the given order needs no more registers than there are.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial

Step = tuple[str | int, ...]
"""What a template prints: kind, registers (result first), then numbers."""

_LONGEST_WAIT = 8
"""Cycles after which every operand is there: what cannot be issued then lacks a register."""

_WINDOW = 48
"""Operations that are looked at ahead of the first one that is not issued."""


@dataclass(frozen=True)
class Unit:
    """What a kind of operation occupies: `name` once in a cycle (`count` times), `latency` cycles until its result is there."""

    name: str
    latency: int
    count: int = 1
    alone: bool = False
    """Nothing else is issued in its cycle."""
    late: bool = False
    """It ends a cycle later than others; since instructions end in order, none of the others can follow in its cycle."""
    leads: bool = False
    """It can only be the first one of its cycle."""


def may_pair(first: Unit, second: Unit) -> bool:
    """True when `second` may follow `first` in the same cycle."""
    return not (first.alone or second.alone or second.leads) and second.late >= first.late


def _may_precede(second: Unit, first: Unit) -> bool:
    """True when `first` may be issued just before `second` in the same cycle."""
    return may_pair(first, second)


_MULTIPLY = Unit("multiply", 1, late=True)
_LOAD = Unit("load", 1, count=2)
_SHIFT = Unit("shift", 1)
_EXTEND = Unit("shift", 1, leads=True)
UNITS: dict[str, Unit] = {
    "smlad": _MULTIPLY, "smlabb": _MULTIPLY, "smlabt": _MULTIPLY, "smlatb": _MULTIPLY, "smlatt": _MULTIPLY,
    "smuad": _MULTIPLY, "scale": Unit("multiply", 2, late=True),
    "load": _LOAD, "load_pair": Unit("load", 1, alone=True), "load_byte": Unit("load", 3, count=2, late=True),
    "sxtb16": _EXTEND, "sxtb16_ror8": _EXTEND, "pkhbt": _EXTEND, "pkhtb": _EXTEND, "sadd16": _EXTEND, "ssub16": _EXTEND,
    "sign": _SHIFT, "shift": _SHIFT, "shift_right": _SHIFT, "saturate": Unit("shift", 1, late=True, leads=True),
    "add": Unit("add", 1, count=2), "sub": Unit("add", 1, count=2), "move": Unit("add", 1, count=2),
    "advance": Unit("add", 1, count=2), "compare": Unit("add", 1, count=2),
    "clamp": Unit("shift", 2, alone=True, late=True),
    "store": Unit("store", 1, late=True), "store_byte": Unit("store", 1, late=True),
    "store_pair": Unit("store", 1, alone=True, late=True),
}  # fmt: skip
ACCUMULATING = frozenset({"smlad", "smlabb", "smlabt", "smlatb", "smlatt", "scale"})
"""Their results can be added to in the next cycle; any other use has to wait for one cycle more."""


@dataclass(frozen=True)
class Value:
    """A value that needs a register. Operands that are plain ints are registers that hold something for good."""

    number: int


Operand = Value | int


@dataclass(frozen=True)
class Op:
    """One instruction."""

    kind: str
    result: Operand | None
    sources: tuple[Operand, ...]
    numbers: tuple[int, ...] = ()


@dataclass
class Values:
    """Makes new values and collects operations."""

    ops: list[Op] = field(default_factory=list)
    count: int = 0

    def emit(self, kind: str, sources: Sequence[Operand] = (), numbers: Sequence[int] = ()) -> Value:
        """Append an operation with a result."""
        self.count += 1
        result = Value(self.count)
        self.ops.append(Op(kind, result, tuple(sources), tuple(numbers)))
        return result

    def effect(self, kind: str, sources: Sequence[Operand] = (), numbers: Sequence[int] = ()) -> None:
        """Append an operation without a result."""
        self.ops.append(Op(kind, None, tuple(sources), tuple(numbers)))


@dataclass(frozen=True)
class Scheduled:
    """Operations in order, with registers, and the cycles that the model takes for them."""

    steps: tuple[Step, ...]
    cycles: int


def schedule(ops: Sequence[Op], registers: Iterable[int]) -> Scheduled | None:
    """Order operations and assign `registers` to their values; None when the order given needs more registers."""
    return _Scheduler(ops, sorted(registers)).run()


class _Scheduler:
    def __init__(self, ops: Sequence[Op], registers: list[int]) -> None:
        self.ops = ops
        self.free = registers
        self.register: dict[Value, int] = {}
        self.ready_at: dict[Value, int] = {}
        self.producer: dict[Value, str] = {}
        self.uses: dict[Value, int] = {}
        for op in ops:
            for source in set(op.sources):
                if isinstance(source, Value):
                    self.uses[source] = self.uses.get(source, 0) + 1
        self.steps: list[Step] = []

    def run(self) -> Scheduled | None:
        left = list(self.ops)
        cycle = issued_at = 0
        while left:
            first = self._next(left, cycle, {}, lambda unit: True)
            if first is not None:
                unit = UNITS[left[first].kind]
                kept = max(0, self._gain(left[first], {}))
                before = self._next(left, cycle, {unit.name: 1}, partial(_may_precede, unit), first, kept)
                if before is not None and not may_pair(unit, UNITS[left[before].kind]):
                    self._take(left, before, cycle)
                    self._take(left, first - (before < first), cycle)
                else:
                    self._take(left, first, cycle)
                    second = self._next(left, cycle, {unit.name: 1}, partial(may_pair, unit))
                    if second is not None:
                        self._take(left, second, cycle)
                issued_at = cycle
            elif cycle > issued_at + _LONGEST_WAIT:
                return None
            cycle += 1
        return Scheduled(tuple(self.steps), cycle)

    def _take(self, left: list[Op], at: int, cycle: int) -> None:
        """Issue the operation at a position."""
        self._issue(left.pop(at), cycle)

    def _next(
        self,
        left: list[Op],
        cycle: int,
        busy: dict[str, int],
        allowed: Callable[[Unit], bool],
        skipped: int = -1,
        kept: int = 0,
    ) -> int | None:
        """Position of the first operation but `skipped` that can be issued now and leaves `kept` registers.

        On the way, the registers are counted that the operations passed over will take when they run in the order given.
        """
        taken = peak = 0
        used: dict[Value, int] = {}
        for at, op in enumerate(left[:_WINDOW]):
            unit = UNITS[op.kind]
            free_unit = at != skipped and busy.get(unit.name, 0) < unit.count and allowed(unit)
            if free_unit and self._ready(op, cycle):
                gain = self._gain(op, {})
                if max(kept, peak) + max(gain, 0) <= len(self.free):
                    return at
            taken += self._gain(op, used)
            peak = max(peak, taken)
            for source in set(op.sources):
                if isinstance(source, Value):
                    used[source] = used.get(source, 0) + 1
        return None

    def _gain(self, op: Op, used: dict[Value, int]) -> int:
        """Registers that an operation takes, minus those that it frees; `used` counts uses that come before it."""
        freed = sum(1 for s in set(op.sources) if isinstance(s, Value) and self.uses[s] - used.get(s, 0) == 1)
        return (1 if isinstance(op.result, Value) else 0) - freed

    def _ready(self, op: Op, cycle: int) -> bool:
        for position, source in enumerate(op.sources):
            if not isinstance(source, Value):
                continue
            if source not in self.register:
                return False
            ready = self.ready_at[source]
            late = op.kind in ACCUMULATING and position == len(op.sources) - 1
            if self.producer[source] in ACCUMULATING:
                ready += 0 if late and op.kind != "scale" else 1
            if self.producer[source] == "saturate" and op.kind not in ("store", "store_byte"):
                ready += 1
            if cycle < ready:
                return False
        return True

    def _issue(self, op: Op, cycle: int) -> None:
        sources = [self.register[s] if isinstance(s, Value) else s for s in op.sources]
        for source in set(op.sources):
            if isinstance(source, Value):
                self.uses[source] -= 1
                if self.uses[source] == 0:
                    self.free.append(self.register[source])
                    self.free.sort()
        result: list[int] = []
        if isinstance(op.result, Value):
            # Prefer the accumulator's own register: shorter encodings and nothing to explain.
            own = sources[-1] if op.kind in ACCUMULATING else (sources[0] if sources else -1)
            register = own if own in self.free else self.free[0]
            self.free.remove(register)
            self.register[op.result] = register
            self.ready_at[op.result] = cycle + UNITS[op.kind].latency
            self.producer[op.result] = op.kind
            result = [register]
            if self.uses.get(op.result, 0) == 0:
                self.free.append(register)
        elif op.result is not None:
            result = [op.result]
        self.steps.append((op.kind, *result, *sources, *op.numbers))
