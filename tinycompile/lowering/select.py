"""Kernel selection: for each operator a kernel on this board, with the ones that were rejected.

Fast kernels may keep weights in twice the flash. Each operator gets the kernel with the least sum of estimated cycles and flash,
where `--optimize` says how many cycles a byte is worth, in parts of what the fastest kernels take: for speed next to nothing, so
that only flash goes that buys no time; for flash so many that only kernels stay that save much time for a few bytes.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from tinycompile.board import Board
from tinycompile.ir import Graph, Node
from tinycompile.ops import Kernel, Operation, is_gathered, operation, operator_of
from tinycompile.plan import Candidate, Choice, Selection
from tinycompile.program import Granularity, RowFormat

FLASH_WORTH: Mapping[str, float] = {"speed": 0.005, "balanced": 0.005, "ram": 0.005, "flash": 100.0}
"""Percent of the fastest kernels' cycles that a percent of their flash is worth."""

BALANCED_EXTRA_CYCLES = 0.05
"""Cycles that `balanced` spends besides to save flash, as a part of the fastest kernels'."""


def select(graph: Graph, board: Board, optimize: str = "speed") -> Selection:
    """Choose a kernel for every node that runs; views do not.

    `optimize` says how much time is given for less flash. Bytes are those of the cost models; `Footprints` counts code as it
    is printed, and keeps limits.
    """
    choices = {
        node.id: _fastest(operation(graph, node), board, _reads_gathered_rows(graph, node))
        for node in graph.nodes
        if not operator_of(node).is_view
    }
    choices = _with_partners(graph, choices)
    cycles, worth = _cycles(choices), cycles_per_byte(choices, _flash(choices), optimize)
    choices = {node: _cheapest(choice, worth) for node, choice in choices.items()}
    if optimize == "balanced":
        smaller = _save_flash(choices, BALANCED_EXTRA_CYCLES * cycles)
        choices, worth = smaller, max(worth, _most_paid(choices, smaller))
    return {node: _without_large_links(choice, worth) for node, choice in choices.items()}


def _with_partners(graph: Graph, choices: Mapping[int, Choice]) -> dict[int, Choice]:
    """The choices, without kernels that write planar rows for nobody who reads them, or read what nobody writes."""
    found: dict[int, tuple[Candidate, ...]] = {
        node: tuple(c for c in choice.rejected if not c.is_linked) for node, choice in choices.items()
    }
    for node in graph.nodes:
        readers = graph.consumers.get(node.outputs[0], ())
        if node.id not in choices or len(readers) != 1 or readers[0].id not in choices:
            continue
        writes = [c for c in choices[node.id].rejected if c.writes is RowFormat.PLANAR]
        reads = [c for c in choices[readers[0].id].rejected if c.reads is RowFormat.PLANAR]
        if writes and reads and readers[0].inputs[0] == node.outputs[0]:
            found[node.id] += tuple(writes)
            found[readers[0].id] += tuple(reads)
    return {node: replace(choice, rejected=found[node]) for node, choice in choices.items()}


def kernel_of(operation: Operation, name: str) -> Kernel:
    """The operator's kernel with this name."""
    return next(k for k in operator_of(operation.node).kernels_for(operation) if k.name == name)


def _reads_gathered_rows(graph: Graph, node: Node) -> bool:
    """True when an input's rows lie in several tensors: only row pointers reach them."""
    return any(is_gathered(graph, tensor) for tensor in node.inputs if tensor is not None)


def _fastest(operation: Operation, board: Board, by_row: bool) -> Choice:
    """The kernel with the fewest estimated cycles; equal ones by flash, scratch, then the operator's own order."""
    kernels = [k for k in operator_of(operation.node).kernels_for(operation) if k.supports(operation, board)]
    candidates = [candidate_of(kernel, operation, board) for kernel in kernels]
    if by_row:
        usable = [c for c in candidates if Granularity.ROW in c.granularities]
        candidates = [replace(c, granularities=(Granularity.ROW,)) for c in usable]
    assert candidates, f"{operation.node.place}: no kernel takes this, and no limit refuses it"
    ranked = sorted(candidates, key=_rank)
    return Choice(ranked[0], tuple(ranked[1:]))


def _rank(candidate: Candidate) -> tuple[bool, int, int, int]:
    """What comes first is chosen."""
    return candidate.needs_others, candidate.cycles, candidate.flash_bytes, candidate.scratch_bytes


def candidate_of(kernel: Kernel, operation: Operation, board: Board) -> Candidate:
    """What a kernel would need and cost, and what it promises."""
    cost = kernel.cost(operation, board)
    return Candidate(
        kernel=kernel.name,
        cycles=cost.cycles,
        flash_bytes=cost.flash_bytes,
        scratch_bytes=kernel.scratch_bytes(operation, board),
        granularities=kernel.granularities,
        step_pixels=kernel.step_pixels(operation),
        stages_steps=kernel.stages_steps,
        step_rows=kernel.step_rows(operation),
        in_place=kernel.in_place(operation),
        reads=kernel.reads,
        writes=kernel.writes,
    )


def exchanged(choice: Choice, candidate: Candidate) -> Choice:
    """The choice of another one of its candidates."""
    if candidate is choice.chosen:
        return choice
    others = (choice.chosen, *(c for c in choice.rejected if c is not candidate))
    return replace(choice, chosen=candidate, rejected=tuple(sorted(others, key=lambda c: c.cycles)))


def cycles_per_byte(choices: Selection, flash_bytes: int, optimize: str) -> float:
    """Cycles that a byte of flash is worth, where the fastest kernels take so many cycles and bytes."""
    return FLASH_WORTH[optimize] * _cycles(choices) / max(flash_bytes, 1)


def _cheapest(choice: Choice, worth: float) -> Choice:
    """The kernel with the least sum of cycles and flash, a byte being worth so many cycles; of equal ones the fastest."""
    usable = [c for c in (choice.chosen, *choice.rejected) if not c.needs_others]
    return exchanged(
        choice, min(usable, key=lambda c: c.cycles + worth * c.flash_bytes, default=choice.chosen)
    )


def _without_large_links(choice: Choice, worth: float) -> Choice:
    """The choice, without kernels for planar rows whose flash is worth more than the cycles that they save."""
    chosen = choice.chosen

    def is_large(candidate: Candidate) -> bool:
        extra_bytes = candidate.flash_bytes - chosen.flash_bytes
        saved_cycles = max(0, chosen.cycles - candidate.cycles)
        return candidate.is_linked and extra_bytes * worth > saved_cycles

    rejected = tuple(replace(c, over_limit=True) if is_large(c) else c for c in choice.rejected)
    return replace(choice, rejected=rejected)


def _most_paid(before: Mapping[int, Choice], after: Mapping[int, Choice]) -> float:
    """The most cycles that were spent for a byte."""
    pairs = [(before[node].chosen, after[node].chosen) for node in before]
    saved = [(new.cycles - old.cycles, old.flash_bytes - new.flash_bytes) for old, new in pairs]
    return max((cycles / size for cycles, size in saved if size > 0), default=0.0)


def _save_flash(choices: Mapping[int, Choice], extra_cycles: float) -> dict[int, Choice]:
    """Exchange kernels for smaller ones, the cheapest exchange for each byte first, until no other one is allowed."""
    result = dict(choices)
    while affordable := [e for e in _exchanges(result) if e.extra_cycles <= extra_cycles]:
        best = min(affordable, key=lambda exchange: exchange.price)
        result[best.node] = exchanged(result[best.node], best.candidate)
        extra_cycles -= best.extra_cycles
    return result


@dataclass(frozen=True)
class _Exchange:
    """Another kernel for a node, which takes less flash."""

    node: int
    candidate: Candidate
    saved_bytes: int
    extra_cycles: int

    @property
    def price(self) -> tuple[float, int]:
        """Cycles for each byte; the node decides between equal ones."""
        return self.extra_cycles / self.saved_bytes, self.node


def _exchanges(choices: Mapping[int, Choice]) -> list[_Exchange]:
    return [
        _Exchange(node, other, saved, other.cycles - choice.chosen.cycles)
        for node, choice in choices.items()
        for other in choice.rejected
        if (saved := choice.chosen.flash_bytes - other.flash_bytes) > 0 and not other.needs_others
    ]


def _flash(choices: Mapping[int, Choice]) -> int:
    return sum(choice.chosen.flash_bytes for choice in choices.values())


def _cycles(choices: Mapping[int, Choice]) -> int:
    return sum(choice.chosen.cycles for choice in choices.values())
