"""Random networks as programs, and what the replay finds in them."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from math import inf

from tests.planning.random_models import random_model
from tinycompile.board import load_board
from tinycompile.frontend import read_model
from tinycompile.ir import Graph
from tinycompile.lowering import BuildInfo, lower, select
from tinycompile.passes import passes_for, run_passes
from tinycompile.plan import BufferKind, InputMode, MemoryPlan, Placement, Schedule, Selection
from tinycompile.planning import Plan, plan
from tinycompile.program import Operand, Program, RegionCode, Stage
from tinycompile.replay import ReplayResult, replay


@dataclass(frozen=True)
class Planned:
    """A graph with its plan."""

    graph: Graph
    selection: Selection
    schedule: Schedule
    memory: MemoryPlan
    board: str = "m7"

    @property
    def program(self) -> Program:
        """What is printed as C."""
        info = BuildInfo("net", "test", "test", {}, {})
        return lower(self.graph, self.selection, self.schedule, self.memory, load_board(self.board), info)

    def replayed(self, program: Program | None = None) -> ReplayResult:
        """The replay of the program, or of another one in its place."""
        return replay(self.graph, self.selection, self.program if program is None else program)

    def violations(self, program: Program | None = None) -> tuple[str, ...]:
        """What is wrong with the program, or with another one in its place."""
        return self.replayed(program).violations

    def with_placement(self, index: int, changed: Placement, more_bytes: int = 0) -> "Planned":
        """The same with one placement changed, and the arena longer."""
        placements = list(self.memory.placements)
        placements[index] = changed
        arena_bytes = self.memory.arena_bytes + more_bytes
        return replace(
            self, memory=replace(self.memory, placements=tuple(placements), arena_bytes=arena_bytes)
        )

    def rings(self) -> Iterator[tuple[int, Placement]]:
        """Ring buffers of more than one row."""
        for index, placement in enumerate(self.memory.placements):
            if placement.buffer.kind is BufferKind.RING and placement.buffer.ring_rows > 1:
                yield index, placement


def planned(seed: int, mode: str, inputs: InputMode = InputMode.ARENA) -> Planned:
    """A random network after all stages up to the plan."""
    passes = passes_for(streamed_inputs=inputs is InputMode.ROWS)
    graph = run_passes(read_model(random_model(seed), "random"), passes)
    # Calls are dear beside the work of so small networks: let `ram` spend what it wants.
    allowance = inf if mode == "ram" else None
    selection = select(graph, load_board("m7"))
    return of_plan(graph, plan(graph, selection, optimize=mode, allowance=allowance, input_mode=inputs))


def of_plan(graph: Graph, found: Plan, board: str = "m7") -> Planned:
    """A plan with its graph."""
    return Planned(graph, *found, board)


def stages(program: Program) -> Iterator[tuple[RegionCode, Stage]]:
    """Every stage, with its region."""
    for region in program.regions:
        for stage in region.stages:
            yield region, stage


def with_stage(program: Program, stage: Stage, changed: Stage) -> Program:
    """The program with one stage changed."""
    regions = tuple(
        replace(region, stages=tuple(changed if s is stage else s for s in region.stages))
        for region in program.regions
    )
    return replace(program, regions=regions)


def with_input(stage: Stage, index: int, changed: Operand) -> Stage:
    """The stage with one operand changed."""
    return replace(stage, inputs=(*stage.inputs[:index], changed, *stage.inputs[index + 1 :]))
