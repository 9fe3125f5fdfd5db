"""Rows streaming through several steps: the run by demand that generated code follows, in numbers of rows.

Running it once tells how many rows of each inner storage exist at a time (its ring), which rings hold needed rows during which
calls (others may share their bytes), and how far outputs and rings run ahead of the rows still needed of an input that
dies in the region (their lead). Inner storages are those whose readers are all inside.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from operator import attrgetter

from tinycompile.planning.liveness import LiveRange, Step, Work
from tinycompile.planning.overlap import Overlap
from tinycompile.planning.rows import RowStep
from tinycompile.program import RowFormat


@dataclass(frozen=True)
class Link:
    """The ring between a step and the only one that reads it, by position, which might have planar rows of so many bytes."""

    storage: int
    writer: int
    reader: int
    row_bytes: int


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
    links: tuple[Link, ...] = ()
    """Rings between two steps alone that may be planar."""
    planar: frozenset[Link] = frozenset()
    """Those that are."""

    def with_planar(self, links: Iterable[Link]) -> "Stream":
        """The same with planar rows in some rings. These lie over no input that dies in the region."""
        planar = frozenset(links)
        ring_bytes = dict(self.ring_bytes)
        ring_bytes.update((link.storage, self.ring_rows[link.storage] * link.row_bytes) for link in planar)
        return replace(
            self,
            ring_bytes=ring_bytes,
            live_bytes=_live_bytes(self.live, ring_bytes),
            overlaps=tuple(o for o in self.overlaps if o.written not in {link.storage for link in planar}),
            planar=planar,
        )


class _Run:
    """State of one run by demand. Steps are counted from the start of the region."""

    def __init__(
        self, steps: Sequence[RowStep], outputs: Sequence[int], inner: set[int], dying: set[int]
    ) -> None:
        self.steps = steps
        self.outputs = outputs
        self.inner = inner
        self.next = [0] * len(steps)
        self.readers: dict[int, list[tuple[int, tuple[int, ...]]]] = {}
        self.row_bytes: dict[int, int] = {}
        for index, step in enumerate(steps):
            for read in step.reads:
                self.readers.setdefault(read.storage, []).append((index, read.low))
                self.row_bytes[read.storage] = read.row_bytes
        self.low = {storage: min(low[0] for _, low in by) for storage, by in self.readers.items()}
        """The lowest row of each storage that any step still reads."""
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
        self.touched = [
            inner.intersection((storage, *(read.storage for read in step.reads)))
            for step, storage in zip(steps, outputs, strict=True)
        ]
        """Inner storages whose rows a call may make or release."""
        self.held: dict[int, int] = dict.fromkeys(inner, 1)
        self.written: dict[int, int] = dict.fromkeys(inner, 0)
        self.holding: frozenset[int] = frozenset()
        self.live: list[set[frozenset[int]]] = [set() for _ in steps]
        self.needed: list[dict[int, list[int]]] = [{storage: [] for storage in dying} for _ in steps]
        """For each step the first row still needed of each dying input while one of its own rows is written."""
        self.left: list[dict[int, list[int]]] = [
            {
                r.storage: []
                for r in step.reads
                if r.overwritten and r.storage in dying and output not in inner
            }
            for step, output in zip(steps, outputs, strict=True)
        ]
        """The same after the call, of inputs that its output may take exactly."""

    def demand(self, index: int, goal: int) -> None:
        """Run calls of a step until `goal` are done."""
        done = self.next
        while done[index] < goal:
            for producer, goals in self.pulls[index]:
                if done[producer] < goals[done[index]]:
                    self.demand(producer, goals[done[index]])
            self._call(index)

    def _call(self, index: int) -> None:
        step, row = self.steps[index], self.next[index]
        if step.accumulates:
            row = 0 if row + 1 == step.calls else -1  # -1: this call writes nothing
        if row >= 0:
            self._write(index, row)
        self.live[index].add(self.holding)
        self.next[index] += 1
        for read in step.reads:
            self.low[read.storage] = min([low[self.next[by]] for by, low in self.readers[read.storage]])
        for inner in self.touched[index] & self.holding:
            if self.low[inner] >= self.written[inner]:
                self.holding -= {inner}
        if row >= 0:
            for dying, rows in self.left[index].items():
                rows.append(self.low[dying])

    def _write(self, index: int, row: int) -> None:
        """Note what is needed while this row is written."""
        storage = self.outputs[index]
        if storage in self.inner:
            self.held[storage] = max(self.held[storage], row + 1 - min(row, self.low[storage]))
            self.written[storage] = row + 1
            if storage not in self.holding:
                self.holding |= {storage}
        for dying, rows in self.needed[index].items():
            rows.append(self.low[dying])

    def overlaps(self) -> tuple[Overlap, ...]:
        """Every overlap of an output or a ring over a dying input that the run allows, if it saves anything.

        A ring's bytes are written for the first time with its first rows, and only the needed bytes of an input shrink
        after that.
        """
        exact, led = [], []
        for step, written, needed, left in zip(self.steps, self.outputs, self.needed, self.left, strict=True):
            for read, rows in needed.items():
                first_rows = rows[: self.held.get(written)]
                lead = _lead_bytes(step, first_rows, self.row_bytes[read])
                if lead < len(first_rows) * step.row_bytes:
                    led.append(Overlap(read, written, lead))
            for read, rows in left.items():
                if _lead_bytes(step, rows, self.row_bytes[read]) <= 0:
                    exact.append(Overlap(read, written, exact=True))
        by_storages = attrgetter("read", "written")
        return (*sorted(exact, key=by_storages), *sorted(led, key=by_storages))


def _lead_bytes(step: RowStep, needed_rows: Sequence[int], row_bytes: int) -> int:
    """How far a step's rows end above the first row that is needed of an input while each of them is written, at most."""
    ends = range(step.row_bytes, (len(needed_rows) + 1) * step.row_bytes, step.row_bytes)
    return max((end - first * row_bytes for end, first in zip(ends, needed_rows, strict=False)), default=0)


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
        _live_bytes(live, ring_bytes),
        (*run.overlaps(), *(_backward(steps[0], outputs[0], dying) if first == last else ())),
        tuple(step.accumulates for step in steps),
        tuple(_links(work, work.steps[first : last + 1], run)),
    )


def _links(work: Work, steps: Sequence[Step], run: _Run) -> Iterator[Link]:
    """Rings that both steps at their ends have a kernel for."""
    for writer, step in enumerate(steps):
        storage = run.outputs[writer]
        if not step.planar_row_bytes or storage not in run.inner or len(work.storages[storage].tensors) > 1:
            continue
        readers = [reader for reader, _ in run.readers[storage]]
        if len(readers) == 1 and _reads_planar(steps[readers[0]], storage):
            yield Link(storage, writer, readers[0], step.planar_row_bytes)


def _reads_planar(step: Step, storage: int) -> bool:
    return step.reads == (storage,) and any(kernel.reads is RowFormat.PLANAR for kernel in step.kernels)


def _live_bytes(live: Sequence[frozenset[frozenset[int]]], ring_bytes: Mapping[int, int]) -> tuple[int, ...]:
    """For each step the most that a set of rings takes."""
    return tuple(max((sum(ring_bytes[s] for s in held) for held in sets), default=0) for sets in live)


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
