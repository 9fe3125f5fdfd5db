"""The stages between graph and C as text, for people who look into the compiler: the plan, and the program."""

from collections.abc import Iterator

from tinycompile.ir import Graph
from tinycompile.plan import MemoryPlan, Placement, Region, Schedule, Selection
from tinycompile.program import Operand, Passing, Program, Pull, RegionCode, Space, Stage


def plan_text(graph: Graph, selection: Selection, schedule: Schedule, memory: MemoryPlan) -> str:
    """Regions in order with their kernels and the buffers that begin there; then the bounds."""
    lines = [f"plan {graph.name}, arena {memory.arena_bytes} bytes, state {memory.state_bytes} bytes"]
    for region in schedule.regions:
        lines += [f"region {region.index}{_how(region)}"]
        lines += [f"  {line}" for line in _kernels(graph, selection, region)]
        begin = [p for p in memory.placements if p.buffer.first == region.index]
        lines += [f"  {_buffer(p)}" for p in sorted(begin, key=lambda p: p.offset)]
    lines += [f"state {_buffer(p)}" for p in memory.state]
    lines += [
        f"bound {b.bytes}{'' if b.proved else ' (not proved)'}: {b.name}, {b.assumption}"
        for b in memory.bounds
    ]
    return "\n".join(lines) + "\n"


def program_text(program: Program) -> str:
    """Functions, constants, and the stages of each region with the addresses of their operands."""
    lines = [f"program {program.name} for board {program.board}"]
    lines += [
        f"constant {c.name}: {c.values.dtype.name}{list(c.values.shape)}, {c.bytes} bytes"
        for c in program.constants
    ]
    lines += [f"function {f.name}: {f.template}" for f in program.functions]
    for region in program.regions:
        lines += [f"region {region.index}{' backward' if region.backward else ''}"]
        lines += [f"  {line}" for line in _stages(region)]
    return "\n".join(lines) + "\n"


def _how(region: Region) -> str:
    """Whether kernels are called once or by row, and in which order."""
    if not region.by_row:
        return ""
    order = " backward" if region.backward else ""
    targets = f", targets {_positions(region.targets)}" if len(region.nodes) > 1 else ""
    return f" by row{order}{targets}"


def _kernels(graph: Graph, selection: Selection, region: Region) -> Iterator[str]:
    nodes = {node.id: node for node in graph.nodes}
    for position, node_id in enumerate(region.nodes):
        node, chosen = nodes[node_id], selection[node_id].chosen
        pulls = f", pulls {_positions(region.pulls[position])}" if region.pulls[position] else ""
        mode = region.granularity(position).value
        yield f"{position}: {node.kind} {node.name!r}: {chosen.kernel} ({mode}), {chosen.cycles} cycles{pulls}"


def _buffer(placement: Placement) -> str:
    buffer = placement.buffer
    rows = f" of {buffer.ring_rows} rows" if buffer.ring_rows else ""
    return (
        f"{buffer.kind.value}{rows} {buffer.name!r}: {placement.offset}..{placement.end}, "
        f"regions {buffer.first} to {buffer.last}"
    )


def _stages(region: RegionCode) -> Iterator[str]:
    for position, stage in enumerate(region.stages):
        operands = [
            *(f"out {_operand(o)}" for o in stage.outputs),
            *(f"in {_operand(o)}" for o in stage.inputs),
        ]
        yield f"{position}: {stage.function} x {stage.calls}{_pulls(stage)}"
        yield from (f"  {operand}" for operand in operands)
        yield from (f"  constant {name}" for name in stage.constants)
        if stage.scratch_offset is not None:
            yield f"  scratch arena {stage.scratch_offset}"


def _pulls(stage: Stage) -> str:
    return "".join(
        f", pulls min({_window_of_row(pull)} * {pull.stride} + {pull.reach}, {pull.rows}) rows of {pull.stage}"
        for pull in stage.pulls
    )


def _window_of_row(pull: Pull) -> str:
    return "row" if pull.repeat == 1 else f"((row + {pull.lead}) / {pull.repeat})"


def _operand(operand: Operand) -> str:
    """Where it lies, and how a call sees it."""
    place = operand.constant if operand.space is Space.CONSTANT else f"{operand.space.value} {operand.offset}"
    places = [f"{piece.space.value} {piece.offset}" for piece in operand.pieces] or [place]
    ring = f", ring of {operand.ring_rows}" if operand.ring_rows else ""
    window = f", window of {operand.window_rows}" if operand.passing is Passing.WINDOW else ""
    return f"{operand.c_type} {' and '.join(places)}: {operand.rows} rows of {operand.row_bytes} bytes{ring}{window}"


def _positions(positions: tuple[int, ...]) -> str:
    return ", ".join(map(str, positions))
