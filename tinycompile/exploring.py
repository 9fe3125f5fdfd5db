"""RAM against cycles and flash: the plans of a model that are not dominated, and the options that build each.

Kernels are chosen for speed, for speed at less flash, and for least flash; from each choice follow the plans between the
fastest and the smallest. What is left are those than which no other one is as good in all three.
"""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Unpack

from tinycompile.driver import ModelOptions, Prepared, finish, prepare
from tinycompile.errors import Problem, UsageError
from tinycompile.lowering import select
from tinycompile.planning import Plan, plans_not_dominated
from tinycompile.proving import measure

KERNEL_CHOICES = ("speed", "balanced", "flash")
FASTEST_BY_DEFAULT = ("flash",)
"""Values of `optimize` whose own plan is the fastest one: it needs no limit."""
NOTICEABLE = 1.01
"""Cycles and flash must differ by this factor to count."""


@dataclass(frozen=True)
class Explored:
    """What a plan costs; with these options `build` makes it."""

    optimize: str
    ram_limit: int
    arena_bytes: int
    state_bytes: int
    cycles: int
    flash_bytes: int

    @property
    def ram_bytes(self) -> int:
        """Arena and state; the stack is extra."""
        return self.arena_bytes + self.state_bytes


def explore_model(
    model: str | Path | bytes, *, measured: bool = True, **options: Unpack[ModelOptions]
) -> dict[str, Any]:
    """The plans that are not dominated, the fastest first.

    Plans are chosen by the kernels' cost models: estimated cycles, constants in flash. When `measured`, those left are
    compiled and run on the board's emulator: modelled cycles, flash of the linked code and constants.

    Raises:
        TinyCompileError: what `compile_model` raises; UsageError when the board has no model of cycles to measure with;
            ToolError when a tool is missing or fails.
    """
    prepared = prepare(model, **options)
    if measured and prepared.board.cycle_model is None:
        found = f"board {prepared.board.name} has no cycle model"
        raise UsageError(Problem("explore", found, action="add --estimate"))
    plans = _not_dominated(list(_plans(prepared)))
    if measured:
        plans = _not_dominated(
            [(_measured(explored, prepared, planned), planned) for explored, planned in plans]
        )
    return {
        "name": prepared.name,
        "board": prepared.board.name,
        "measured": measured,
        "plans": [
            {**asdict(explored), "ram_bytes": explored.ram_bytes, "regions": len(schedule.regions)}
            for explored, (_, schedule, _) in plans
        ],
    }


def _plans(prepared: Prepared) -> Iterator[tuple[Explored, Plan]]:
    """Every plan worth looking at, with what it is estimated to cost."""
    seen: list[list[str]] = []
    for optimize in KERNEL_CHOICES:
        selection = select(prepared.graph, prepared.board, optimize)
        kernels = [selection[node].chosen.kernel for node in sorted(selection)]
        if kernels in seen:
            continue
        seen.append(kernels)
        for planned in plans_not_dominated(prepared.graph, selection, input_mode=prepared.input_mode):
            yield _estimated(planned, optimize), planned


def _estimated(planned: Plan, optimize: str) -> Explored:
    selection, schedule, memory = planned
    kernels = [choice.chosen for choice in selection.values()]
    calls = sum(region.call_cycles for region in schedule.regions)
    return Explored(
        optimize=optimize,
        ram_limit=memory.arena_bytes + memory.state_bytes,
        arena_bytes=memory.arena_bytes,
        state_bytes=memory.state_bytes,
        cycles=sum(kernel.cycles for kernel in kernels) + calls,
        flash_bytes=sum(kernel.flash_bytes for kernel in kernels),
    )


def _measured(explored: Explored, prepared: Prepared, planned: Plan) -> Explored:
    found = measure(finish(prepared, planned, optimize=explored.optimize, ram_limit=explored.ram_limit))
    cycles = found.cycles_m4 if prepared.board.cycle_model == "cortex-m4" else found.cycles_m7
    assert cycles is not None
    return replace(explored, cycles=cycles, flash_bytes=found.code_bytes + found.weights_bytes)


def _not_dominated(plans: Sequence[tuple[Explored, Plan]]) -> list[tuple[Explored, Plan]]:
    """The fastest plan, and those that no other one replaces; the fastest first."""
    by_cycles = sorted(plans, key=lambda plan: (plan[0].cycles, plan[0].ram_bytes, plan[0].flash_bytes))
    kept = by_cycles[:1]
    # The best in all three together come first: of two that could replace each other the better one stays.
    for plan in sorted(
        by_cycles[1:], key=lambda plan: plan[0].ram_bytes * plan[0].cycles * plan[0].flash_bytes
    ):
        if not any(_dominates(other, plan[0]) for other, _ in kept):
            kept.append(plan)
    return sorted(kept, key=lambda plan: plan[0].cycles)


def _dominates(one: Explored, other: Explored) -> bool:
    """True when one needs no more RAM, and no more cycles and flash but for a difference that nobody would notice."""
    return (
        one.ram_bytes <= other.ram_bytes
        and one.cycles <= other.cycles * NOTICEABLE
        and one.flash_bytes <= other.flash_bytes * NOTICEABLE
    )
