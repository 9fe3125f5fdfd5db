"""RAM against cycles and flash: the plans of a model that are not dominated, and the options that build each.

Kernels are chosen for speed, for speed at less flash, and for least flash; from each choice follow the plans between the
fastest and the smallest. Between the flash of these choices a few limits are tried. What is left are those than which no other
one is as good in all three.
"""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from math import prod
from pathlib import Path
from typing import Any, Unpack

from tinycompile.driver.compile import draft, draft_within_limits, finish
from tinycompile.driver.flash_limit import kernels_for
from tinycompile.driver.options import ModelOptions, Settings
from tinycompile.driver.prepared import Prepared, prepare
from tinycompile.driver.prove import measure
from tinycompile.driver.recompute import striped_graph
from tinycompile.errors import Problem, UsageError
from tinycompile.planning import Plan, plans_not_dominated

KERNEL_CHOICES = ("speed", "balanced", "flash")
FLASH_LIMITS = 2
"""Limits of flash that are tried."""
NOTICEABLE = 1.01
"""Cycles and flash must differ by this factor to count."""


@dataclass(frozen=True)
class Explored:
    """What a plan costs; with these options `build` makes it."""

    optimize: str
    ram_limit: int | None
    flash_limit: int | None
    recompute: float
    arena_bytes: int
    state_bytes: int
    cycles: int
    flash_bytes: int

    @property
    def settings(self) -> Settings:
        """With which it is compiled."""
        return Settings(self.optimize, self.ram_limit, self.flash_limit, self.recompute)

    @property
    def ram_bytes(self) -> int:
        """Arena and state; the stack is extra."""
        return self.arena_bytes + self.state_bytes


@dataclass(frozen=True, eq=False)
class _Candidate:
    """A plan of a graph, which is striped when MACs are repeated, and what it costs."""

    explored: Explored
    prepared: Prepared
    planned: Plan

    def measured(self) -> "_Candidate":
        """The same with its costs on the emulator."""
        options = self.explored
        found = measure(finish(draft(self.prepared, self.planned, options.settings)))
        cycles = found.cycles_m4 if self.prepared.board.cycle_model == "cortex-m4" else found.cycles_m7
        assert cycles is not None
        flash_bytes = found.code_bytes + found.weights_bytes
        return replace(self, explored=replace(options, cycles=cycles, flash_bytes=flash_bytes))


def explore_model(
    model: str | Path | bytes,
    *,
    measured: bool = True,
    recompute: float = 0.0,
    **options: Unpack[ModelOptions],
) -> dict[str, Any]:
    """The plans that are not dominated, the fastest first.

    Plans are chosen by the kernels' cost models: estimated cycles, constants in flash. When `measured`, those left are
    compiled and run on the board's emulator: modelled cycles, flash of the linked code and constants. With `recompute`
    percent of extra MACs smaller ones are looked for, see `compile_model`.

    Raises:
        TinyCompileError: what `compile_model` raises; UsageError when the board has no model of cycles to measure with;
            ToolError when a tool is missing or fails.
    """
    prepared = prepare(model, **options)
    if measured and prepared.board.cycle_model is None:
        found = f"board {prepared.board.name} has no cycle model"
        raise UsageError(Problem("explore", found, action="add --estimate"))
    plans = _not_dominated(list(_candidates(prepared, recompute)))
    if measured:
        plans = _not_dominated([candidate.measured() for candidate in plans])
    return {
        "name": prepared.name,
        "board": prepared.board.name,
        "measured": measured,
        "plans": [
            {
                **asdict(found.explored),
                "ram_bytes": found.explored.ram_bytes,
                "regions": len(found.planned[1].regions),
            }
            for found in plans
        ],
    }


def _candidates(prepared: Prepared, recompute: float) -> Iterator[_Candidate]:
    """Every plan worth looking at, with what it is estimated to cost."""
    seen: list[list[str]] = []
    for optimize in KERNEL_CHOICES:
        selection = kernels_for(prepared.board, optimize)(prepared.graph)
        kernels = [selection[node].chosen.kernel for node in sorted(selection)]
        if kernels in seen:
            continue
        seen.append(kernels)
        found = _plans(prepared, optimize)
        yield from found
        if recompute > 0:
            # What fits without repeating anything is built without, see `planned_graph`.
            least = min(candidate.explored.ram_bytes for candidate in found)
            striped = _plans_of_stripes(prepared, optimize, recompute)
            yield from (candidate for candidate in striped if candidate.explored.ram_bytes < least)
    yield from _within_flash(prepared)


def _plans(prepared: Prepared, optimize: str, recompute: float = 0.0) -> list[_Candidate]:
    selection = kernels_for(prepared.board, optimize)(prepared.graph)
    plans = plans_not_dominated(prepared.graph, selection, input_mode=prepared.input_mode)
    return [
        _Candidate(
            _estimated(planned, Settings(optimize, recompute=recompute), _ram_bytes(planned)),
            prepared,
            planned,
        )
        for planned in plans
    ]


def _within_flash(prepared: Prepared) -> Iterator[_Candidate]:
    """The fastest and the smallest plan for a few limits of flash between the smallest kernels and the fastest."""
    most = draft_within_limits(prepared, Settings()).flash_bytes
    least = draft_within_limits(prepared, Settings(flash_limit=1)).flash_bytes
    for part in range(1, FLASH_LIMITS + 1):
        limit = int(least * (most / least) ** (part / (FLASH_LIMITS + 1)))
        for optimize in ("speed", "ram"):
            settings = Settings(optimize, flash_limit=limit)
            made = draft_within_limits(prepared, settings)
            planned = made.selection, made.schedule, made.memory
            yield _Candidate(_estimated(planned, settings, None), prepared, planned)


def _plans_of_stripes(prepared: Prepared, optimize: str, recompute: float) -> list[_Candidate]:
    """Plans of the graph whose first layers are computed in stripes, if that saves anything."""
    found = striped_graph(
        prepared.graph,
        kernels_for(prepared.board, optimize),
        input_mode=prepared.input_mode,
        recompute=recompute,
    )
    return [] if found is None else _plans(replace(prepared, graph=found[0]), optimize, recompute)


def _ram_bytes(planned: Plan) -> int:
    _, _, memory = planned
    return memory.arena_bytes + memory.state_bytes


def _estimated(planned: Plan, settings: Settings, ram_limit: int | None) -> Explored:
    selection, schedule, memory = planned
    kernels = [choice.chosen for choice in selection.values()]
    calls = sum(region.call_cycles for region in schedule.regions)
    return Explored(
        optimize=settings.optimize,
        ram_limit=ram_limit,
        flash_limit=settings.flash_limit,
        recompute=settings.recompute,
        arena_bytes=memory.arena_bytes,
        state_bytes=memory.state_bytes,
        cycles=sum(kernel.cycles for kernel in kernels) + calls,
        flash_bytes=sum(kernel.flash_bytes for kernel in kernels),
    )


def _not_dominated(plans: Sequence[_Candidate]) -> list[_Candidate]:
    """The fastest plan, and those that no other one replaces; the fastest first."""

    def costs(plan: _Candidate) -> tuple[int, int, int]:
        return plan.explored.cycles, plan.explored.ram_bytes, plan.explored.flash_bytes

    by_cycles = sorted(plans, key=costs)
    kept = by_cycles[:1]
    # The best in all three together come first: of two that could replace each other the better one stays.
    for plan in sorted(by_cycles[1:], key=lambda plan: prod(costs(plan))):
        if not any(_dominates(other.explored, plan.explored) for other in kept):
            kept.append(plan)
    return sorted(kept, key=costs)


def _dominates(one: Explored, other: Explored) -> bool:
    """True when one needs no more RAM, and no more cycles and flash but for a difference that nobody would notice."""
    return (
        one.ram_bytes <= other.ram_bytes
        and one.cycles <= other.cycles * NOTICEABLE
        and one.flash_bytes <= other.flash_bytes * NOTICEABLE
    )
