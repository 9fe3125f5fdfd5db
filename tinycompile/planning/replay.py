"""An independent check of a finished plan: run it on an arena in which every byte knows what it holds.

A tag names the tensor and the byte's place in it. Writing sets tags, reading compares them, scratch is overwritten with garbage
before and after its kernel runs. Nothing is taken from the planner's live ranges: the replay knows the graph, the
kernels' contract (`Access`, `overwrites`, scratch) and the plan.

Contract: a kernel that computes all at once may read every input until its last write, unless it promises to go through the
pixels in order; one that goes row by row may read the windows of a row until it has written the whole row. An input that
the operator overwrites is the exception, at exactly the same address. A region of
several operators runs by demand, as `tinycompile.plan.Region` says.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from tinycompile.ir import Graph, Node, Tensor
from tinycompile.ops import Operation, is_gathered, operation, operator_of, row_runs, row_shape
from tinycompile.plan import BufferKind, MemoryPlan, Placement, Region, Schedule, Selection

GARBAGE = -1


class ReplayError(AssertionError):
    """A plan lets one buffer destroy another that is still needed: a mistake of the planner, never of a model."""


@dataclass(frozen=True)
class ReplayResult:
    """What a replay saw: bytes whose tags were compared, the highest byte written, and every violation."""

    checked_bytes: int
    high_water_bytes: int
    violations: tuple[str, ...]

    def check(self) -> None:
        """Raise ReplayError when anything was violated."""
        if self.violations:
            raise ReplayError("\n".join(self.violations[:20]))


@dataclass(frozen=True)
class _Span:
    """Bytes of a tensor: where they lie in the arena or in the state, and which bytes of the tensor they are."""

    tensor: int
    address: int
    first_byte: int
    bytes: int
    in_state: bool = False


class _Arena:
    def __init__(self, arena_bytes: int, state_bytes: int) -> None:
        self.tags: NDArray[np.int64] = np.full(arena_bytes, GARBAGE, np.int64)
        self.state: NDArray[np.int64] = np.full(state_bytes, GARBAGE, np.int64)
        self.checked = 0
        self.high_water = 0
        self.violations: list[str] = []

    def _slice(self, address: int, length: int, what: str, in_state: bool = False) -> "NDArray[np.int64]":
        tags, where = (self.state, "state") if in_state else (self.tags, "arena")
        if address < 0 or address + length > len(tags):
            self.violations.append(f"{what}: bytes {address}..{address + length} are outside of the {where}")
            return tags[:0]
        return tags[address : address + length]

    def write(self, span: _Span, what: str) -> None:
        target = self._slice(span.address, span.bytes, what, span.in_state)
        target[:] = _tags(span)[: len(target)]
        if not span.in_state:
            self.high_water = max(self.high_water, span.address + span.bytes)

    def spoil(self, address: int, length: int, what: str) -> None:
        self._slice(address, length, what)[:] = GARBAGE
        self.high_water = max(self.high_water, address + length)

    def read(self, span: _Span, what: str) -> None:
        held = self._slice(span.address, span.bytes, what, span.in_state)
        self.checked += len(held)
        if not np.array_equal(held, _tags(span)[: len(held)]):
            self.violations.append(
                f"{what}: tensor {span.tensor} is not intact at {span.address} (+{span.bytes})"
            )


def _tags(span: _Span) -> "NDArray[np.int64]":
    return (span.tensor << 32) + np.arange(span.first_byte, span.first_byte + span.bytes, dtype=np.int64)


class _Stage:
    """An operator of a region that runs by demand, and how many of its rows exist.

    One that accumulates counts its calls too: each takes in a row of its only input.
    """

    def __init__(self, current: Operation, accumulates: bool = False) -> None:
        self.current = current
        self.accumulates = accumulates
        self.rows = current.rows
        self.done = 0
        self.call = 0
        self.inputs = [(i, t) for i, t in enumerate(current.inputs) if t is not None and not t.is_constant]


class _Replay:
    def __init__(self, graph: Graph, selection: Selection, memory: MemoryPlan) -> None:
        self.graph = graph
        self.selection = selection
        self.memory = memory
        self.arena = _Arena(memory.arena_bytes, memory.state_bytes)
        self.places = {t: p for p in (*memory.placements, *memory.state) for t in p.buffer.tensors}
        self.scratch = {p.buffer.node: p for p in memory.placements if p.buffer.kind is BufferKind.SCRATCH}
        self.nodes = {node.id: node for node in graph.nodes}

    def whole(self, tensor: Tensor, what: str) -> _Span:
        """All bytes of a tensor."""
        place = self.places.get(tensor.id)
        ring = place is not None and place.buffer.kind is BufferKind.RING
        if (
            place is None
            or ring
            or place.buffer.bytes < tensor.bytes
            or place.offset % tensor.dtype.element_bytes
        ):
            self.arena.violations.append(f"{what}: tensor {tensor.id} has no fit place")
            return _Span(self.written_as(tensor.id), 0, 0, 0)
        in_state = place.buffer.kind is BufferKind.STATE
        return _Span(self.written_as(tensor.id), place.offset, 0, tensor.bytes, in_state)

    def written_as(self, tensor: int) -> int:
        """The tensor whose bytes a view shows."""
        producer = self.graph.producers.get(tensor)
        while producer is not None and operator_of(producer).is_view:
            tensor = self.graph.tensor(producer.inputs[0]).id
            producer = self.graph.producers.get(tensor)
        return tensor

    def run(self, schedule: Schedule) -> ReplayResult:
        """Inputs and variables, regions in order, outputs and variables."""
        for tensor in sorted(self.graph.given):
            self.arena.write(self.whole(self.graph.tensors[tensor], "input"), "input")
        self.check_order(schedule)
        for region in schedule.regions:
            self.region(region)
        for tensor in sorted(self.graph.kept):
            if not self.graph.tensors[tensor].is_constant:
                self.arena.read(self.whole(self.graph.tensors[tensor], "output"), "output")
        return ReplayResult(self.arena.checked, self.arena.high_water, tuple(self.arena.violations))

    def check_order(self, schedule: Schedule) -> None:
        """Every operator that runs is scheduled exactly once."""
        scheduled = sorted(node for region in schedule.regions for node in region.nodes)
        expected = sorted(node.id for node in self.graph.nodes if not operator_of(node).is_view)
        if scheduled != expected:
            self.arena.violations.append(f"schedule runs {scheduled}, the graph has {expected}")

    def region(self, region: Region) -> None:
        """One operator that computes all of its output, or several run by demand."""
        if not region.by_row:
            for node_id in region.nodes:
                self.call_whole(self.nodes[node_id])
            return
        if region.backward:
            self.backward(_Stage(operation(self.graph, self.nodes[region.nodes[0]])))
            return
        stages = [
            _Stage(operation(self.graph, self.nodes[node]), position in region.accumulates)
            for position, node in enumerate(region.nodes)
        ]
        for target in region.targets:
            self.demand(region, stages, target, stages[target].rows)

    def demand(self, region: Region, stages: "list[_Stage]", position: int, goal: int) -> None:
        """Call a stage until `goal` of its rows exist; it asks the stages that it pulls from for the rows that it lacks."""
        stage = stages[position]
        while stage.done < goal:
            for source in region.pulls[position]:
                for index, tensor in stage.inputs:
                    if self.written_as(tensor.id) == stages[source].current.output.id:
                        last = stage.call if stage.accumulates else self.window(stage, index, tensor)[1]
                        self.demand(region, stages, source, last + 1)
            if stage.accumulates:
                self.take_row(stage)
            else:
                self.call_row(stage)
                stage.done += 1

    def backward(self, stage: "_Stage") -> None:
        """Every row of the only operator, the last one first."""
        for row in reversed(range(stage.rows)):
            stage.done = row
            self.call_row(stage)

    def call_whole(self, node: Node) -> None:
        """All inputs are read, all outputs written, and all inputs read again."""
        current = operation(self.graph, node)
        allowed = operator_of(node).overwrites(current)
        output = self.whole(current.output, node.place)
        spans = []
        for index, tensor in enumerate(current.inputs):
            if tensor is not None and not tensor.is_constant:
                span = self.whole(tensor, node.place)
                same = (span.address, span.bytes, span.in_state) == (
                    output.address,
                    output.bytes,
                    output.in_state,
                )
                spans.append((span, (index in allowed and same) or tensor.id in self.updated(node)))
        if self.selection[node.id].chosen.step_pixels and len(spans) == 1:
            self.call_in_steps(node, spans[0][0], output)
        else:
            self.call(node, spans, [self.whole(tensor, node.place) for tensor in current.outputs])

    def updated(self, node: Node) -> set[int]:
        """Old values of the operator's own state, which it turns into the new ones where they lie."""
        return {
            v.read for v in self.graph.variables if v.read in node.inputs and v.assigned in node.outputs[1:]
        }

    def call_in_steps(self, node: Node, source: "_Span", output: "_Span") -> None:
        """Pixels are read and written in order, some at a time; what is read of them is read before or while they are written."""
        kernel, current = self.selection[node.id].chosen, operation(self.graph, node)
        pixels = current.output.elements // current.output.shape[-1]
        for first in range(0, pixels, kernel.step_pixels):
            step = min(kernel.step_pixels, pixels - first)
            read, write = _part(source, first, step, pixels), _part(output, first, step, pixels)
            self.call(node, [(read, kernel.stages_steps)], [write])

    def call_row(self, stage: "_Stage") -> None:
        """The windows of one output row are read, the row is written, and the windows are read again."""
        node = stage.current.node
        allowed = operator_of(node).overwrites(stage.current)
        output = self.row(stage.current.output, stage.done, node.place)
        spans = []
        for index, tensor in stage.inputs:
            if is_gathered(self.graph, tensor.id):
                spans += [(span, False) for span in self.gathered(stage, index, tensor)]
                continue
            first, last = self.window(stage, index, tensor)
            written_as = self.graph.tensors[self.written_as(tensor.id)]
            for row in range(first, last + 1):
                span = self.row(written_as, row, node.place)
                same = (span.address, span.bytes, first) == (output.address, output.bytes, last)
                same = same and span.in_state == output.in_state
                spans.append((span, index in allowed and same))
        self.call(node, spans, [output])

    def take_row(self, stage: "_Stage") -> None:
        """One input row goes into the sums, which must be as the call before left them; the last call writes the output."""
        node, (_, tensor) = stage.current.node, stage.inputs[0]
        place = self.scratch.get(node.id)
        if place is None:
            self.arena.violations.append(f"{node.place}: sums have no place")
            stage.done = stage.rows
            return
        sums = _Span(-2 - node.id, place.offset, 0, place.buffer.bytes)
        if stage.call:
            self.arena.read(sums, f"{node.place} adds")
        written_as = self.graph.tensors[self.written_as(tensor.id)]
        self.arena.read(self.row(written_as, stage.call, node.place), f"{node.place} reads")
        self.arena.write(sums, f"{node.place} adds")
        stage.call += 1
        if stage.call == row_shape(written_as.shape)[0]:
            self.arena.write(self.row(stage.current.output, 0, node.place), f"{node.place} writes")
            self.arena.read(sums, f"{node.place} still reads")
            stage.done = 1

    def gathered(self, stage: "_Stage", index: int, tensor: Tensor) -> "Iterator[_Span]":
        """The rows that the stage's next call reads of an input whose rows lie in several tensors."""
        view = operation(self.graph, self.graph.producers[tensor.id])
        rows, row_elements = row_shape(tensor.shape)
        element_bytes = tensor.dtype.element_bytes
        access = operator_of(stage.current.node).access(stage.current, index)
        needed = access.need(stage.done, rows, stage.rows, stage.current.images)
        starts = [
            (view.input(run.input), (run.offset + row * run.stride) * element_bytes)
            for run in row_runs(view)
            for row in range(run.rows)
        ]
        for source, first_byte in starts[needed[0] : needed[1] + 1]:
            if not source.is_constant:
                whole = self.whole(source, stage.current.node.place)
                fits = first_byte + row_elements * element_bytes <= whole.bytes
                yield replace(
                    whole,
                    address=whole.address + first_byte,
                    first_byte=first_byte,
                    bytes=row_elements * element_bytes if fits else 0,
                )

    def window(self, stage: "_Stage", index: int, tensor: Tensor) -> tuple[int, int]:
        """First and last row, as they were written, that the stage's next call reads of an input."""
        written_as = self.graph.tensors[self.written_as(tensor.id)]
        rows = row_shape(written_as.shape)[0]
        if row_shape(tensor.shape) != row_shape(written_as.shape):
            return 0, rows - 1
        access = operator_of(stage.current.node).access(stage.current, index)
        return access.need(stage.done, rows, stage.rows, stage.current.images)

    def row(self, tensor: Tensor, row: int, what: str) -> _Span:
        """One row of a tensor, in its ring if it has one."""
        place = self.places.get(tensor.id)
        rows, elements = row_shape(tensor.shape)
        row_bytes = elements * tensor.dtype.element_bytes
        held = rows
        if place is not None and place.buffer.kind is BufferKind.RING:
            held = place.buffer.ring_rows
        if (
            place is None
            or place.buffer.bytes < held * row_bytes
            or place.offset % tensor.dtype.element_bytes
        ):
            self.arena.violations.append(f"{what}: tensor {tensor.id} has no fit place")
            return _Span(tensor.id, 0, 0, 0)
        in_state = place.buffer.kind is BufferKind.STATE
        return _Span(tensor.id, place.offset + row % held * row_bytes, row * row_bytes, row_bytes, in_state)

    def call(self, node: Node, reads: "list[tuple[_Span, bool]]", writes: "list[_Span]") -> None:
        """One call of a kernel; a span read with True is overwritten by the operator's leave."""
        self.spoil_scratch(node)
        for span, _ in reads:
            self.arena.read(span, f"{node.place} reads")
        for span in writes:
            self.arena.write(span, f"{node.place} writes")
        for span, overwritten in reads:
            if not overwritten:
                self.arena.read(span, f"{node.place} still reads")
        self.spoil_scratch(node)

    def spoil_scratch(self, node: Node) -> None:
        """Scratch holds garbage before and after its kernel."""
        needed = self.selection[node.id].chosen.scratch_bytes
        place: Placement | None = self.scratch.get(node.id)
        if not needed:
            return
        if place is None or place.buffer.bytes < needed:
            self.arena.violations.append(f"{node.place}: {needed} bytes of scratch have no place")
            return
        self.arena.spoil(place.offset, needed, f"scratch of {node.place}")


def _part(span: _Span, first: int, count: int, parts: int) -> _Span:
    """Some of the equal parts of a span."""
    part_bytes = span.bytes // parts
    offset = first * part_bytes
    return replace(
        span, address=span.address + offset, first_byte=span.first_byte + offset, bytes=count * part_bytes
    )


def replay(graph: Graph, selection: Selection, schedule: Schedule, memory: MemoryPlan) -> ReplayResult:
    """Execute a plan on a byte-tagged arena and tell every violation."""
    return _Replay(graph, selection, memory).run(schedule)
