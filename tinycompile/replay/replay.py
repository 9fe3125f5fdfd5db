"""An independent check of a finished program: run what C is printed from, on memory in which every byte knows what it holds.

A tag names the tensor and the byte's place in it. Writing sets tags, reading compares them, scratch is overwritten with garbage
before and after its kernel runs. Calls, pointers and ports are those of the `Program`; what must be found behind a pointer
follows from the graph, and on which rows an output row depends from the operators' reference semantics (`evidence`). Nothing is
taken from the planner: neither its live ranges nor its offsets, and of what `Access` says nothing unproved.
"""

from dataclasses import dataclass

from tinycompile.ir import Graph
from tinycompile.ops import Operation, operator_of, row_shape
from tinycompile.plan import Selection
from tinycompile.program import Granularity, Port, Program, RegionCode, Space, Stage, StateValue
from tinycompile.replay.contents import Source
from tinycompile.replay.control import EndlessRegionError, calls_of
from tinycompile.replay.machine import Machine
from tinycompile.replay.memory import STATE, Span
from tinycompile.replay.pointers import Pointer, block_of

SHOWN = 20
"""Violations that a message lists."""


class ReplayError(AssertionError):
    """The program would destroy what it still needs, or not give a kernel what it needs: a mistake of ours, never of a model."""


@dataclass(frozen=True)
class ReplayResult:
    """What a replay saw: the highest byte used, and every violation."""

    high_water_bytes: int
    violations: tuple[str, ...]

    def check(self) -> None:
        """Raise ReplayError when anything was violated."""
        if self.violations:
            more = [f"and {len(self.violations) - SHOWN} more"] if len(self.violations) > SHOWN else []
            head = "the generated program would compute wrong results; this is a mistake of tinycompile, please report it:"
            raise ReplayError("\n".join([head, *self.violations[:SHOWN], *more]))


def replay(graph: Graph, selection: Selection, program: Program) -> ReplayResult:
    """Execute a program on tagged memory and tell every violation."""
    machine = Machine(graph, selection, program)
    memory = machine.memory
    _check_stages(machine)
    if memory.violations:
        return ReplayResult(0, tuple(memory.violations))
    _deliver_inputs(machine)
    _deliver_state(machine)
    for region in program.regions:
        _run(machine, region)
    _check_outputs(machine)
    _check_state(machine)
    return ReplayResult(memory.high_water, tuple(memory.violations))


def _check_stages(machine: Machine) -> None:
    """Every operator that runs has exactly one stage, and it is called as often as it has rows."""
    stages = [stage for region in machine.program.regions for stage in region.stages]
    found = sorted(stage.node for stage in stages)
    expected = sorted(node.id for node in machine.graph.nodes if not operator_of(node).is_view)
    if found != expected:
        machine.memory.violate(machine.program.name, f"stages of the operators {found}", str(expected))
        return
    for stage in stages:
        current = machine.work(stage).current
        wanted = _calls(stage, current), current.rows // current.images
        if (stage.calls, stage.rows_per_image) != wanted:
            found_calls = f"{stage.calls} calls, {stage.rows_per_image} rows for each image"
            machine.memory.violate(current.node.place, found_calls, f"{wanted[0]} and {wanted[1]}")


def _calls(stage: Stage, current: Operation) -> int:
    """Calls of a kernel: one, or one for each row of the output or of the only input."""
    if stage.granularity is Granularity.ACCUMULATE:
        return row_shape(current.input(stage.operands[0]).shape)[0]
    return current.rows if stage.granularity is Granularity.ROW else 1


def _run(machine: Machine, region: RegionCode) -> None:
    """All calls of a region; then its claims are held against the reference."""
    works = [machine.work(stage) for stage in region.stages]
    try:
        for position, row in calls_of(region):
            machine.call(works[position], row)
    except EndlessRegionError as error:
        machine.memory.violate(f"region {region.index}", str(error), "an end")
    for work in works:
        machine.check_claims(work)


def _place(port: Port | StateValue) -> Pointer:
    """Where the bytes of a port or a variable lie."""
    if isinstance(port, StateValue):
        return Pointer(STATE, port.offset, None)
    return Pointer(block_of(port), port.offset, None)


def _deliver_inputs(machine: Machine) -> None:
    """The caller writes inputs into the arena, or keeps them; rows come later."""
    for port, tensor in zip(machine.program.inputs, machine.graph.inputs, strict=True):
        at = _place(port)
        if port.space is not Space.SOURCE:
            size = machine.graph.tensors[tensor].bytes
            machine.memory.deliver(Span(at.block, at.address, tensor, 0, size), f"input {port.name!r}")


def _deliver_state(machine: Machine) -> None:
    """What the variables hold when a call begins."""
    for value, variable in zip(machine.program.state, machine.graph.variables, strict=True):
        place = f"variable {variable.name!r}"
        initial = variable.initial.tobytes()
        held = (
            bytes([value.fill]) * value.bytes
            if value.fill is not None
            else machine.contents.constant(value.constant)
        )
        if held != initial:
            machine.memory.violate(place, "other initial values", "those of the model")
        span = Span(STATE, value.offset, variable.read, 0, machine.graph.tensors[variable.read].bytes)
        machine.memory.deliver(span, place)


def _check_outputs(machine: Machine) -> None:
    """The caller reads outputs where the program says."""
    for port, tensor in zip(machine.program.outputs, machine.graph.outputs, strict=True):
        sources = machine.contents.whole(machine.graph.tensors[tensor])
        machine.read(_place(port), sources, f"output {port.name!r}")


def _check_state(machine: Machine) -> None:
    """The next call finds new values where this one found the old ones."""
    for value, variable in zip(machine.program.state, machine.graph.variables, strict=True):
        sources: list[Source] = machine.contents.whole(machine.graph.tensors[variable.assigned])
        machine.read(_place(value), sources, f"variable {variable.name!r}")
