"""Calls of kernels on tagged memory: what each reads and writes through the pointers that it gets.

Contract: a kernel that computes all at once may read every input until its last write, unless it promises to go through pixels or
rows in order; one that goes row by row may read what it got pointers to until it has written the whole row. An input that the
operator overwrites is the exception, at exactly the same address. Scratch holds garbage before and after a call.
"""

from dataclasses import dataclass

from tinycompile.ir import Graph, Tensor
from tinycompile.ops import Operation, operation, operator_of, planar_row_bytes, row_shape
from tinycompile.plan import Candidate, Selection
from tinycompile.program import Granularity, Operand, Passing, Program, RowFormat, Space, Stage
from tinycompile.replay.claims import Claims
from tinycompile.replay.contents import Contents, Source, row_bytes
from tinycompile.replay.memory import ARENA, STATE, Block, Span, TaggedMemory
from tinycompile.replay.pointers import Pointer, block_of, pointer, window

ALL_ROWS = None
WORD_BYTES = 4


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
        self._first_planar = max(graph.tensors, default=0) + 1
        """Bytes of planar rows have tags of their own: as if they were another tensor, whose number is so much higher."""
        names = {tensor.id: tensor.name for tensor in graph.tensors.values()}
        names |= {self._first_planar + tensor: f"{name} in planar rows" for tensor, name in names.items()}
        self.memory = TaggedMemory(sizes, names)
        self.contents = Contents(graph, program)
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
        for read in self._reads(at.block, at.address, sources, place):
            self.memory.read(read.span, place)

    def _call_whole(self, work: Work) -> None:
        """All inputs are read, all outputs written, and all inputs read again."""
        stage, current = work.stage, work.current
        writes = [
            self._write(work, operand, tensor, 0, tensor.bytes, 0)
            for operand, tensor in zip(stage.outputs, current.outputs, strict=True)
        ]
        allowed = operator_of(current.node).overwrites(current)
        updated = self._updated(work)
        reads = []
        for index, at in self._pointers(work, 0):
            sources = self.contents.whole(current.input(index))
            for read in self._reads(at.block, at.address, sources, work.place):
                in_place = work.kernel.in_place and read.span.begins_like(writes[0])
                exact = index in allowed and read.span.lies_like(writes[0])
                reads.append(Read(read.span, in_place or exact or index in updated))
        if len(reads) == 1 and _touch(reads[0].span, writes[0]) and not reads[0].overwritten:
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
        writes = [
            self._write_row(work, operand, tensor, row)
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
            for at in passed:
                planar = index == 0 and work.kernel.reads is RowFormat.PLANAR
                for read in (
                    self._row_reads(at, current.input(index), place, planar) if at is not None else ()
                ):
                    exact = index in allowed and len(passed) == 1 and read.span.lies_like(writes[0])
                    reads.append(Read(read.span, exact))
        self._step(work, reads, writes, place)

    def _row_pointers(self, work: Work, operand: Operand, row: int) -> tuple[Pointer | None, ...]:
        if operand.passing is Passing.WINDOW:
            return window(work.stage, operand, row)
        return (pointer(operand, row),)

    def _row_reads(self, at: Pointer, tensor: Tensor, place: str, planar: bool = False) -> list[Read]:
        """What is read through a pointer: a row, or all of the tensor."""
        if at.row is ALL_ROWS:
            return self._reads(at.block, at.address, self.contents.whole(tensor), place)
        rows = row_shape(tensor.shape)[0]
        if not 0 <= at.row < rows:
            self.memory.violate(
                place, f"a pointer to row {at.row} of {tensor.name!r}", f"one of its {rows} rows"
            )
            return []
        if planar:
            return [Read(self._planar_row(at, self.contents.root(tensor), at.row, place))]
        return self._reads(at.block, at.address, self.contents.row(tensor, at.row), place)

    def _planar_row(self, at: Pointer, tensor: Tensor, row: int, place: str) -> Span:
        """A row that lies channel by channel, in words."""
        if at.address % WORD_BYTES:
            self.memory.violate(place, f"a planar row of {tensor.name!r} at {at.address}", "a multiple of 4")
        size = planar_row_bytes(tensor.shape)
        return Span(at.block, at.address, self._first_planar + tensor.id, row * size, size)

    def _take_row(self, work: Work, row: int) -> None:
        """One input row goes into the sums, which must be as the call before left them; the last call writes the output."""
        (operand,), (index,) = work.stage.inputs, work.stage.operands
        place = f"{work.place}, row {row}"
        tensor, output = work.current.input(index), work.current.output
        rows = row_shape(tensor.shape)[0]
        sums = Span(ARENA, work.stage.scratch_offset or 0, -2 - work.stage.node, 0, work.scratch_bytes)
        if row:
            self.memory.read(sums, f"{place}, sums")
        reads = self._row_reads(pointer(operand, row), tensor, place)
        for read in reads:
            self.memory.read(read.span, place)
        self.memory.write(sums, place)
        if row == rows - 1:
            span = self._write(work, work.stage.outputs[0], output, 0, output.bytes, 0)
            self.memory.write(span, place)
            self.memory.read(sums, f"{place}, sums")

    def _take_delivery(self, operand: Operand, row: int, place: str) -> None:
        """The caller delivers rows in ascending order, each once."""
        if row != self._delivered[operand.port]:
            self.memory.violate(
                place, f"row {row} asked for out of turn", f"row {self._delivered[operand.port]}"
            )
        self._delivered[operand.port] = row + 1

    def _write_row(self, work: Work, operand: Operand, tensor: Tensor, row: int) -> Span:
        """A row of an output, as the kernel stores it."""
        if work.kernel.writes is RowFormat.PLANAR and row < row_shape(tensor.shape)[0]:
            return self._planar_row(pointer(operand, row), tensor, row, work.place)
        return self._write(work, operand, tensor, row * row_bytes(tensor), row_bytes(tensor), row)

    def _write(self, work: Work, operand: Operand, tensor: Tensor, first: int, count: int, row: int) -> Span:
        """Bytes of an output, where the pointer for a row says."""
        at = pointer(operand, row)
        self._check_alignment(at.address, tensor, work.place)
        if first + count > tensor.bytes:
            self.memory.violate(
                work.place, f"row {row} of {tensor.name!r} computed", f"{row_shape(tensor.shape)[0]} rows"
            )
            count = 0
        return Span(at.block, at.address, tensor.id, first, count)

    def _reads(self, block: Block, address: int, sources: list[Source], place: str) -> list[Read]:
        """Bytes that lie one behind the other from an address on; those of constants are compared at once."""
        reads = []
        for source in sources:
            tensor = self.graph.tensors[source.tensor]
            if tensor.is_constant:
                if address != source.first_byte or not self.contents.constant_holds(block.name, tensor):
                    wanted = self.memory.describe(source.tensor, source.first_byte, source.bytes)
                    self.memory.violate(place, f"a pointer to byte {address} of the {block.name}", wanted)
            else:
                self._check_alignment(address, tensor, place)
                reads.append(Read(Span(block, address, source.tensor, source.first_byte, source.bytes)))
            address += source.bytes
        return reads

    def _step(self, work: Work, reads: list[Read], writes: list[Span], place: str) -> None:
        """Scratch is garbage, inputs are read, outputs written, inputs read again, and scratch is garbage again."""
        self._spoil_scratch(work)
        for read in reads:
            self.memory.read(read.span, place)
        for write in writes:
            self.memory.write(write, place)
        for read in reads:
            if not read.overwritten and any(_touch(read.span, write) for write in writes):
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

    def _check_alignment(self, address: int, tensor: Tensor, place: str) -> None:
        if address % tensor.dtype.element_bytes:
            self.memory.violate(
                place, f"{tensor.name!r} at {address}", f"a multiple of {tensor.dtype.element_bytes}"
            )


def _touch(one: Span, other: Span) -> bool:
    """True when both have a byte of memory in common."""
    return (
        one.block == other.block
        and one.address < other.address + other.bytes
        and other.address < one.address + one.bytes
    )
