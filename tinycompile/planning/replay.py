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

from tinycompile.ir import Graph, Node, Tensor
from tinycompile.ops import Operation, is_gathered, operation, operator_of, row_runs, row_shape
from tinycompile.plan import BufferKind, MemoryPlan, Placement, Region, Schedule, Selection
from tinycompile.planning.tagged_memory import Span, TaggedMemory, block_of


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
        self.tagged = TaggedMemory(memory)
        everything = (*memory.placements, *memory.state, *memory.inputs)
        self.places = {t: p for p in everything for t in p.buffer.tensors}
        self.scratch = {p.buffer.node: p for p in memory.placements if p.buffer.kind is BufferKind.SCRATCH}
        self.nodes = {node.id: node for node in graph.nodes}
        self.delivered = dict.fromkeys(graph.inputs, 0)

    def whole(self, tensor: Tensor, what: str) -> Span:
        """All bytes of a tensor."""
        place = self.places.get(tensor.id)
        ring = place is not None and place.buffer.kind is BufferKind.RING
        if (
            place is None
            or ring
            or place.buffer.bytes < tensor.bytes
            or place.offset % tensor.dtype.element_bytes
        ):
            self.tagged.violate(f"{what}: tensor {tensor.id} has no fit place")
            return Span(self.written_as(tensor.id), 0, 0, 0)
        return Span(self.written_as(tensor.id), place.offset, 0, tensor.bytes, block_of(place))

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
            self.tagged.deliver(self.whole(self.graph.tensors[tensor], "input"), "input")
        self.check_order(schedule)
        for region in schedule.regions:
            self.region(region)
        for tensor in sorted(self.graph.kept):
            if not self.graph.tensors[tensor].is_constant:
                self.tagged.read(self.whole(self.graph.tensors[tensor], "output"), "output")
        return ReplayResult(self.tagged.checked, self.tagged.high_water, tuple(self.tagged.violations))

    def check_order(self, schedule: Schedule) -> None:
        """Every operator that runs is scheduled exactly once."""
        scheduled = sorted(node for region in schedule.regions for node in region.nodes)
        expected = sorted(node.id for node in self.graph.nodes if not operator_of(node).is_view)
        if scheduled != expected:
            self.tagged.violate(f"schedule runs {scheduled}, the graph has {expected}")

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
        chosen = self.selection[node.id].chosen
        output = self.whole(current.output, node.place)
        spans = []
        for index, tensor in enumerate(current.inputs):
            if tensor is not None and not tensor.is_constant:
                span = self.whole(tensor, node.place)
                in_place = chosen.in_place and span.begins_like(output)
                overwritten = index in allowed and span.lies_like(output)
                spans.append((span, in_place or overwritten or tensor.id in self.updated(node)))
        if chosen.step_pixels and len(spans) == 1:
            self.call_in_steps(node, spans[0][0], output)
        elif chosen.step_rows and len(spans) == 1:
            self.call_in_row_steps(node, spans[0][0], output)
        else:
            self.call(node, spans, [self.whole(tensor, node.place) for tensor in current.outputs])

    def updated(self, node: Node) -> set[int]:
        """Old values of the operator's own state, which it turns into the new ones where they lie."""
        return {
            v.read for v in self.graph.variables if v.read in node.inputs and v.assigned in node.outputs[1:]
        }

    def call_in_steps(self, node: Node, source: Span, output: Span) -> None:
        """Pixels are read and written in order, some at a time; what is read of them is read before or while they are written."""
        kernel, current = self.selection[node.id].chosen, operation(self.graph, node)
        pixels = current.output.elements // current.output.shape[-1]
        for first in range(0, pixels, kernel.step_pixels):
            step = min(kernel.step_pixels, pixels - first)
            read, write = source.part(first, step, pixels), output.part(first, step, pixels)
            self.call(node, [(read, kernel.stages_steps)], [write])

    def call_in_row_steps(self, node: Node, source: Span, output: Span) -> None:
        """Rows are written in order, some at a time, after the windows of all of them; no input row is read again."""
        current = operation(self.graph, node)
        rows, in_rows = row_shape(current.output.shape)[0], row_shape(current.input(0).shape)[0]
        access = operator_of(node).access(current, 0)
        done = 0
        for first in range(0, rows, self.selection[node.id].chosen.step_rows):
            step = min(self.selection[node.id].chosen.step_rows, rows - first)
            end = max(done, access.need(first + step - 1, in_rows, rows, current.images)[1] + 1)
            read = [(source.part(done, end - done, in_rows), True)] if end > done else []
            self.call(node, read, [output.part(first, step, rows)])
            done = end

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
            self.check_delivery(stage, tensor)
            written_as = self.graph.tensors[self.written_as(tensor.id)]
            for row in range(first, last + 1):
                span = self.row(written_as, row, node.place)
                spans.append((span, index in allowed and first == last and span.lies_like(output)))
        self.call(node, spans, [output])

    def check_delivery(self, stage: "_Stage", tensor: Tensor) -> None:
        """The caller delivers rows in ascending order, each once."""
        place = self.places.get(tensor.id)
        if place is not None and place.buffer.kind is BufferKind.SOURCE:
            if stage.done != self.delivered[tensor.id]:
                self.tagged.violate(f"{stage.current.node.place}: row {stage.done} is asked for out of turn")
            self.delivered[tensor.id] += 1

    def take_row(self, stage: "_Stage") -> None:
        """One input row goes into the sums, which must be as the call before left them; the last call writes the output."""
        node, (_, tensor) = stage.current.node, stage.inputs[0]
        place = self.scratch.get(node.id)
        if place is None:
            self.tagged.violate(f"{node.place}: sums have no place")
            stage.done = stage.rows
            return
        sums = Span(-2 - node.id, place.offset, 0, place.buffer.bytes)
        if stage.call:
            self.tagged.read(sums, f"{node.place} adds")
        written_as = self.graph.tensors[self.written_as(tensor.id)]
        self.tagged.read(self.row(written_as, stage.call, node.place), f"{node.place} reads")
        self.tagged.write(sums, f"{node.place} adds")
        stage.call += 1
        if stage.call == row_shape(written_as.shape)[0]:
            self.tagged.write(self.row(stage.current.output, 0, node.place), f"{node.place} writes")
            self.tagged.read(sums, f"{node.place} still reads")
            stage.done = 1

    def gathered(self, stage: "_Stage", index: int, tensor: Tensor) -> "Iterator[Span]":
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

    def row(self, tensor: Tensor, row: int, what: str) -> Span:
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
            self.tagged.violate(f"{what}: tensor {tensor.id} has no fit place")
            return Span(tensor.id, 0, 0, 0)
        address = place.offset + row % held * row_bytes
        return Span(tensor.id, address, row * row_bytes, row_bytes, block_of(place))

    def call(self, node: Node, reads: "list[tuple[Span, bool]]", writes: "list[Span]") -> None:
        """One call of a kernel; a span read with True is overwritten by the operator's leave."""
        self.spoil_scratch(node)
        for span, _ in reads:
            self.tagged.read(span, f"{node.place} reads")
        for span in writes:
            self.tagged.write(span, f"{node.place} writes")
        for span, overwritten in reads:
            if not overwritten:
                self.tagged.read(span, f"{node.place} still reads")
        self.spoil_scratch(node)

    def spoil_scratch(self, node: Node) -> None:
        """Scratch holds garbage before and after its kernel."""
        needed = self.selection[node.id].chosen.scratch_bytes
        place: Placement | None = self.scratch.get(node.id)
        if not needed:
            return
        if place is None or place.buffer.bytes < needed:
            self.tagged.violate(f"{node.place}: {needed} bytes of scratch have no place")
            return
        self.tagged.spoil(place.offset, needed, f"scratch of {node.place}")


def replay(graph: Graph, selection: Selection, schedule: Schedule, memory: MemoryPlan) -> ReplayResult:
    """Execute a plan on a byte-tagged arena and tell every violation."""
    return _Replay(graph, selection, memory).run(schedule)
