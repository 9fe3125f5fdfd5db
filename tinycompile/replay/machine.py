"""Calls of kernels on tagged memory: what each reads and writes through the pointers that it gets.

Contract: a kernel that computes all at once may read every input until its last write, unless it promises to go through pixels or
rows in order; one that goes row by row may read what it got pointers to until it has written the whole row. An input that the
operator overwrites is the exception, at exactly the same address. Scratch holds garbage before and after a call.
"""

from dataclasses import dataclass

from tinycompile.ir import Graph
from tinycompile.ops import Operation, operation, operator_of, row_shape
from tinycompile.plan import Candidate, Selection
from tinycompile.program import Granularity, Operand, Passing, Program, RowFormat, Space, Stage
from tinycompile.replay.accesses import Accesses, tag_names
from tinycompile.replay.claims import Claims
from tinycompile.replay.contents import Contents, Source
from tinycompile.replay.memory import ARENA, STATE, Span, TaggedMemory
from tinycompile.replay.pointers import Pointer, block_of, pointer, window


@dataclass(frozen=True)
class Read:
    """Bytes that a call reads. `overwritten`: the call itself may write over them, by the operator's leave."""

    span: Span
    overwritten: bool = False


@dataclass(frozen=True, eq=False)
class Work:
    """A stage with the operator that it computes."""

    stage: Stage
    current: Operation
    kernel: Candidate
    scratch_bytes: int

    @property
    def place(self) -> str:
        """Where a message says that something is."""
        return self.current.node.place


class Machine:
    """The memories of a program, and its kernels at work on them."""

    def __init__(self, graph: Graph, selection: Selection, program: Program) -> None:
        self.graph = graph
        self.program = program
        inputs = {block_of(port): port.bytes for port in program.inputs if port.space is Space.INPUT}
        sizes = {ARENA: program.arena_bytes, STATE: program.state_bytes, **inputs}
        self.memory = TaggedMemory(sizes, tag_names(graph))
        self.contents = Contents(graph, program)
        self._accesses = Accesses(graph, self.memory, self.contents)
        self.claims = Claims(self.memory)
        self._selection = selection
        self._nodes = {node.id: node for node in graph.nodes}
        self._delivered = dict.fromkeys(range(len(graph.inputs)), 0)

    def work(self, stage: Stage) -> Work:
        """A stage beside its operator."""
        current = operation(self.graph, self._nodes[stage.node])
        scratch_bytes = self.program.layers[stage.layer].scratch_bytes
        return Work(stage, current, self._selection[stage.node].chosen, scratch_bytes)

    def call(self, work: Work, row: int) -> None:
        """One call of a kernel; `row` is what the loop around it counts."""
        if row == 0 or work.stage.granularity is Granularity.WHOLE:
            self._check_scratch(work)
        if work.stage.granularity is Granularity.WHOLE:
            self._call_whole(work)
        elif work.stage.granularity is Granularity.ROW:
            self._call_row(work, row)
        else:
            self._take_row(work, row)

    def check_claims(self, work: Work) -> None:
        """Hold what the calls of a stage got against the reference."""
        self.claims.check(work.stage, work.current, self._updated(work))

    def read(self, at: Pointer, sources: list[Source], place: str) -> None:
        """Somebody reads bytes through a pointer."""
        for span in self._accesses.spans(at.block, at.address, sources, place):
            self.memory.read(span, place)

    def _call_whole(self, work: Work) -> None:
        """All inputs are read, all outputs written, and all inputs read again."""
        stage, current = work.stage, work.current
        writes = [
            self._accesses.output(operand, tensor, work.place)
            for operand, tensor in zip(stage.outputs, current.outputs, strict=True)
        ]
        allowed = operator_of(current.node).overwrites(current)
        updated = self._updated(work)
        reads = []
        for index, at in self._pointers(work, 0):
            sources = self.contents.whole(current.input(index))
            for span in self._accesses.spans(at.block, at.address, sources, work.place):
                in_place = work.kernel.in_place and span.begins_like(writes[0])
                exact = index in allowed and span.lies_like(writes[0])
                reads.append(Read(span, in_place or exact or index in updated))
        if len(reads) == 1 and reads[0].span.touches(writes[0]) and not reads[0].overwritten:
            if work.kernel.step_pixels:
                return self._call_in_steps(work, reads[0].span, writes[0])
            if work.kernel.step_rows:
                return self._call_in_row_steps(work, reads[0].span, writes[0])
        self._step(work, reads, writes, work.place)
        return None

    def _pointers(self, work: Work, row: int) -> list[tuple[int, Pointer]]:
        """Inputs with the pointers through which they are read; old values of a state come with the output over them."""
        stage = work.stage
        found = [(index, pointer(o, row)) for o, index in zip(stage.inputs, stage.operands, strict=True)]
        for index, output in self._updated(work).items():
            if index not in stage.operands:
                found.append((index, pointer(stage.outputs[output], row)))
        return found

    def _updated(self, work: Work) -> dict[int, int]:
        """Inputs that are old values of the operator's own state, and the outputs that take their place."""
        node = work.current.node
        return {
            node.inputs.index(v.read): node.outputs.index(v.assigned)
            for v in self.graph.variables
            if v.read in node.inputs and v.assigned in node.outputs[1:]
        }

    def _call_in_steps(self, work: Work, source: Span, output: Span) -> None:
        """Pixels are read and written in order, some at a time; what is read of them is read before or while they are written."""
        pixels = work.current.output.elements // work.current.output.shape[-1]
        self.claims.pixels(work.current, work.stage.operands[0])
        for first in range(0, pixels, work.kernel.step_pixels):
            step = min(work.kernel.step_pixels, pixels - first)
            read = Read(source.part(first, step, pixels), work.kernel.stages_steps)
            self._step(work, [read], [output.part(first, step, pixels)], f"{work.place}, pixel {first}")

    def _call_in_row_steps(self, work: Work, source: Span, output: Span) -> None:
        """Rows are written in order, some at a time, after the windows of all of them; no input row is read again."""
        current, index = work.current, work.stage.operands[0]
        rows, in_rows = row_shape(current.output.shape)[0], row_shape(current.input(index).shape)[0]
        last = self.claims.last_rows(current, index)
        done = 0
        for first in range(0, rows, work.kernel.step_rows):
            step = min(work.kernel.step_rows, rows - first)
            end = max(done, *(last[row] + 1 for row in range(first, first + step)))
            read = [Read(source.part(done, end - done, in_rows), overwritten=True)]
            self._step(work, read, [output.part(first, step, rows)], f"{work.place}, row {first}")
            done = end

    def _call_row(self, work: Work, row: int) -> None:
        """What the call gets pointers to is read, the row is written, and all is read again."""
        stage, current = work.stage, work.current
        place = f"{work.place}, row {row}"
        planar = work.kernel.writes is RowFormat.PLANAR
        writes = [
            self._accesses.output_row(operand, tensor, row, work.place, planar)
            for operand, tensor in zip(stage.outputs, current.outputs, strict=True)
        ]
        allowed = operator_of(current.node).overwrites(current)
        reads = []
        for operand, index in zip(stage.inputs, stage.operands, strict=True):
            if operand.space is Space.SOURCE:
                self._take_delivery(operand, row, place)
                self.claims.given(stage, index, row, [Pointer(block_of(operand), 0, row)])
                continue
            passed = self._row_pointers(work, operand, row)
            self.claims.given(stage, index, row, passed)
            planar = index == 0 and work.kernel.reads is RowFormat.PLANAR
            for at in passed:
                if at is not None:
                    spans = self._accesses.row_spans(at, current.input(index), place, planar)
                    exact = index in allowed and len(passed) == 1
                    reads += [Read(span, exact and span.lies_like(writes[0])) for span in spans]
        self._step(work, reads, writes, place)

    def _row_pointers(self, work: Work, operand: Operand, row: int) -> tuple[Pointer | None, ...]:
        if operand.passing is Passing.WINDOW:
            return window(work.stage, operand, row)
        return (pointer(operand, row),)

    def _take_row(self, work: Work, row: int) -> None:
        """One input row goes into the sums, which must be as the call before left them; the last call writes the output."""
        (operand,), (index,) = work.stage.inputs, work.stage.operands
        place = f"{work.place}, row {row}"
        tensor, output = work.current.input(index), work.current.output
        rows = row_shape(tensor.shape)[0]
        sums = Span(ARENA, work.stage.scratch_offset or 0, -2 - work.stage.node, 0, work.scratch_bytes)
        if row:
            self.memory.read(sums, f"{place}, sums")
        spans = self._accesses.row_spans(pointer(operand, row), tensor, place)
        for span in spans:
            self.memory.read(span, place)
        self.memory.write(sums, place)
        if row == rows - 1:
            self.memory.write(self._accesses.output(work.stage.outputs[0], output, work.place), place)
            self.memory.read(sums, f"{place}, sums")

    def _take_delivery(self, operand: Operand, row: int, place: str) -> None:
        """The caller delivers rows in ascending order, each once."""
        if row != self._delivered[operand.port]:
            self.memory.violate(
                place, f"row {row} asked for out of turn", f"row {self._delivered[operand.port]}"
            )
        self._delivered[operand.port] = row + 1

    def _step(self, work: Work, reads: list[Read], writes: list[Span], place: str) -> None:
        """Scratch is garbage, inputs are read, outputs written, inputs read again, and scratch is garbage again."""
        self._spoil_scratch(work)
        for read in reads:
            self.memory.read(read.span, place)
        for write in writes:
            self.memory.write(write, place)
        for read in reads:
            if not read.overwritten and any(read.span.touches(write) for write in writes):
                self.memory.read(read.span, f"{place}, until the last write")
        self._spoil_scratch(work)

    def _spoil_scratch(self, work: Work) -> None:
        if work.scratch_bytes and work.stage.scratch_offset is not None:
            self.memory.spoil(ARENA, work.stage.scratch_offset, work.scratch_bytes, f"{work.place}, scratch")

    def _check_scratch(self, work: Work) -> None:
        """Scratch has a place, aligned as the arena is."""
        offset, align = work.stage.scratch_offset, self.program.arena_align
        if work.scratch_bytes and (offset is None or offset % align):
            found = "no scratch" if offset is None else f"scratch at {offset}"
            self.memory.violate(work.place, found, f"{work.scratch_bytes} bytes at a multiple of {align}")
