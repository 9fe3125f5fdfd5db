"""Rows streaming through several steps: the run by demand that generated code follows, in numbers of rows.

Running it once tells how many rows of each inner storage exist at a time (its ring), which rings hold needed rows during which
calls (others may share their bytes), and how far outputs and rings run ahead of the rows still needed of an input that
dies in the region (their lead). Inner storages are those whose readers are all inside.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tinycompile.planning.liveness import LiveRange, Step, Work
from tinycompile.planning.overlap import Overlap
from tinycompile.planning.rows import RowStep


@dataclass(frozen=True)
class Stream:
    """Steps `first` to `last` of the work run by demand (see `tinycompile.plan.Region` for targets and pulls).

    `ring_rows` holds the rows that must be kept of each inner storage (equal to all of its rows: no ring, a full buffer), and
    `ring_bytes` what they take.
    `accumulates` tells which steps take in input rows instead of making output rows. `live` holds for each step the largest
    sets of inner storages with needed rows during its calls, its output among them; `live_bytes` is the most that one takes.
    """

    first: int
    last: int
    targets: tuple[int, ...]
    pulls: tuple[tuple[int, ...], ...]
    ring_rows: Mapping[int, int]
    ring_bytes: Mapping[int, int]
    live: tuple[frozenset[frozenset[int]], ...]
    live_bytes: tuple[int, ...]
    overlaps: tuple[Overlap, ...]
    accumulates: tuple[bool, ...]


class _Run:
    """State of one run by demand. Steps are counted from the start of the region."""

    def __init__(
        self, steps: Sequence[RowStep], outputs: Sequence[int], inner: set[int], dying: set[int]
    ) -> None:
        self.steps = steps
        self.outputs = outputs
        self.inner = inner
        self.dying = dying
        self.next = [0] * len(steps)
        self.readers: dict[int, list[tuple[int, tuple[int, ...]]]] = {}
        self.row_bytes: dict[int, int] = {}
        for index, step in enumerate(steps):
            for read in step.reads:
                self.readers.setdefault(read.storage, []).append((index, read.low))
                self.row_bytes[read.storage] = read.row_bytes
        producer = {storage: index for index, storage in enumerate(outputs)}
        self.depth: list[int] = []
        self.pulls: list[list[tuple[int, tuple[int, ...]]]] = []
        for index, step in enumerate(steps):
            pulled = [
                (source, _in_calls(steps[source], read.goal))
                for read in step.reads
                if (source := producer.get(read.storage, index)) != index
            ]
            # The shallow branch first: a shortcut then takes its rows while the deep branch's window still holds them.
            pulled.sort(key=lambda pull: (self.depth[pull[0]], pull[0]))
            self.depth.append(1 + max((self.depth[index] for index, _ in pulled), default=0))
            self.pulls.append(pulled)
        self.overwritten = [{r.storage: r.low for r in step.reads if r.overwritten} for step in steps]
        self.touched = [
            inner.intersection((storage, *(read.storage for read in step.reads)))
            for step, storage in zip(steps, outputs, strict=True)
        ]
        """Inner storages whose rows a call may make or release."""
        self.held: dict[int, int] = dict.fromkeys(inner, 1)
        self.written: dict[int, int] = dict.fromkeys(inner, 0)
        self.holding: frozenset[int] = frozenset()
        self.live: list[set[frozenset[int]]] = [set() for _ in steps]
        self.needed: dict[tuple[int, int], list[int]] = {}
        self.exact: dict[tuple[int, int], bool] = {}

    def demand(self, index: int, goal: int) -> None:
        """Run calls of a step until `goal` are done."""
        while self.next[index] < goal:
            for producer, goals in self.pulls[index]:
                self.demand(producer, goals[self.next[index]])
            self._call(index)

    def _call(self, index: int) -> None:
        step, storage = self.steps[index], self.outputs[index]
        row = self.next[index]
        if step.accumulates:
            row = 0 if row + 1 == step.calls else -1  # -1: this call writes nothing
        if row >= 0 and storage in self.inner:
            self.held[storage] = max(self.held[storage], row + 1 - min(row, self._low(storage)))
            self.written[storage] = row + 1
            self.holding |= {storage}
        if row >= 0 and self.dying:
            self._see_dying(index, row)
        self.live[index].add(self.holding)
        self.next[index] += 1
        for inner in self.touched[index]:
            if self._low(inner) >= self.written[inner]:
                self.holding -= {inner}

    def _low(self, storage: int) -> int:
        """The lowest row of a storage that any step still reads."""
        return min([low[self.next[reader]] for reader, low in self.readers[storage]])

    def _see_dying(self, index: int, row: int) -> None:
        """Note the first byte still needed of each dying input while this row is written."""
        step, written = self.steps[index], self.outputs[index]
        end = (row + 1) * step.row_bytes
        overwritten = self.overwritten[index]
        for storage in self.dying:
            row_bytes = self.row_bytes[storage]
            pair = (storage, written)
            self.needed.setdefault(pair, []).append(self._low(storage) * row_bytes)
            if storage in overwritten and written not in self.inner:
                others = [low[self.next[reader]] for reader, low in self.readers[storage] if reader != index]
                kept = min([overwritten[storage][row + 1], *others])
                self.exact[pair] = self.exact.get(pair, True) and end <= kept * row_bytes

    def overlaps(self) -> tuple[Overlap, ...]:
        """Every overlap of an output or a ring over a dying input that the run allows, if it saves anything.

        A ring's bytes are written for the first time with its first rows, and only the needed bytes of an input shrink
        after that.
        """
        led = []
        for (read, written), needed in sorted(self.needed.items()):
            row_bytes = self.steps[self.outputs.index(written)].row_bytes
            first_rows = needed[: self.held.get(written)]
            lead = max((row + 1) * row_bytes - byte for row, byte in enumerate(first_rows))
            if lead < len(first_rows) * row_bytes:
                led.append(Overlap(read, written, lead))
        exact = [
            Overlap(read, written, exact=True) for (read, written), fits in sorted(self.exact.items()) if fits
        ]
        return (*exact, *led)


def stream(work: Work, ranges: Mapping[int, LiveRange], first: int, last: int) -> Stream | None:
    """Run steps `first` to `last` row by row; None when one of them cannot. Several stream only the rows of a single image."""
    if any(len(step.writes) != 1 or (step.gathers and first < last) for step in work.steps[first : last + 1]):
        return None
    members = {step.node for step in work.steps[first : last + 1]}
    if any(members.intersection(step.follows) for step in work.steps[first : last + 1]):
        return None  # a step that waits for another one cannot take turns with it
    outputs = [step.writes[0] for step in work.steps[first : last + 1]]
    chosen = [_rows_of(step, outputs) for step in work.steps[first : last + 1]]
    steps = [step for step in chosen if step is not None]
    if len(steps) < len(chosen) or (first < last and any(step.images > 1 for step in steps)):
        return None
    read_inside = {read.storage for step in steps for read in step.reads}
    inner = {
        s
        for s in outputs
        if ranges[s].last <= last and s not in work.kept and s in read_inside and first < last
    }
    dying = {s for s in read_inside - set(outputs) if ranges[s].last <= last and s not in work.kept}
    run = _Run(steps, outputs, inner, dying)
    targets = [index for index, storage in enumerate(outputs) if storage not in inner]
    targets.reverse()  # the last step pulls most of the others along
    for index in targets:
        run.demand(index, run.steps[index].calls)
    ring_bytes = {s: run.held[s] * run.steps[i].row_bytes for i, s in enumerate(outputs) if s in inner}
    live = tuple(frozenset(a for a in sets if not any(a < b for b in sets)) for sets in run.live)
    return Stream(
        first,
        last,
        tuple(targets),
        tuple(tuple(index for index, _ in pulled) for pulled in run.pulls),
        dict(sorted(run.held.items())),
        ring_bytes,
        live,
        tuple(max((sum(ring_bytes[s] for s in held) for held in sets), default=0) for sets in live),
        (*run.overlaps(), *(_backward(steps[0], outputs[0], dying) if first == last else ())),
        tuple(step.accumulates for step in steps),
    )


def _rows_of(step: Step, inside: Sequence[int]) -> RowStep | None:
    """How a step runs in a region: a reduction takes in the rows that the region makes, other steps make output rows."""
    streams_in = step.accumulation is not None and step.accumulation.reads[0].storage in inside
    return step.accumulation if streams_in or step.rows is None else step.rows


def _in_calls(producer: RowStep, goals: tuple[int, ...]) -> tuple[int, ...]:
    """Calls of a producer until these numbers of its rows exist."""
    return tuple(producer.calls if goal else 0 for goal in goals) if producer.accumulates else goals


def _backward(step: RowStep, written: int, dying: set[int]) -> tuple[Overlap, ...]:
    """How a step alone may follow above its only dying input when it computes its last row first."""
    if len(dying) != 1:
        return ()
    read = next(read for read in step.reads if read.storage in dying)
    needed, lead = 0, 0
    for row, goal in enumerate(read.goal):
        needed = max(needed, goal)
        lead = max(lead, needed * read.row_bytes - row * step.row_bytes)
    return (Overlap(read.storage, written, lead, backward=True),)
