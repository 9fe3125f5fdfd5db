"""Kernel selection: for each operator a kernel on this board, with the ones that were rejected.

The fastest kernels come first: the fewest estimated cycles for each operator. Fast kernels may keep weights in twice the flash;
as long as the model takes more flash than it may, the exchange that costs the fewest cycles for each byte it saves is made.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from tinycompile.board import Board
from tinycompile.ir import Graph, Node
from tinycompile.ops import Kernel, Operation, is_gathered, operation, operator_of
from tinycompile.plan import Candidate, Choice, Selection
from tinycompile.program import Granularity

FLASH_ALLOWANCE: Mapping[str, float] = {"speed": 0.0, "balanced": 0.05, "ram": 0.0, "flash": float("inf")}
"""Extra cycles that each `--optimize` may spend to save flash, as a part of the fastest kernels' cycles."""


def select(graph: Graph, board: Board, optimize: str = "speed") -> Selection:
    """Choose a kernel for every node that runs; views do not.

    `optimize` says how much time may be given for less flash; limits of flash are kept by `Footprints.within`.
    """
    choices = {
        node.id: _fastest(operation(graph, node), board, _reads_gathered_rows(graph, node))
        for node in graph.nodes
        if not operator_of(node).is_view
    }
    return _save_flash(choices, extra_cycles=FLASH_ALLOWANCE[optimize] * _cycles(choices))


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
    return needs_others(candidate), candidate.cycles, candidate.flash_bytes, candidate.scratch_bytes


def needs_others(candidate: Candidate) -> bool:
    """True for a kernel that runs in a stream only, row by row of its input: it may be chosen there, but not before."""
    return set(candidate.granularities) == {Granularity.ACCUMULATE}


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
    )


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


def _save_flash(
    choices: Mapping[int, Choice], *, extra_cycles: float = float("inf"), flash_bytes: int = 0
) -> dict[int, Choice]:
    """Make the cheapest exchanges, until the kernels take `flash_bytes` or the next one would cost more than is left."""
    result = dict(choices)
    while _flash(result) > flash_bytes:
        affordable = [e for e in _exchanges(result) if e.extra_cycles <= extra_cycles]
        if not affordable:
            break
        best = min(affordable, key=lambda exchange: exchange.price)
        result[best.node] = exchanged(result[best.node], best.candidate)
        extra_cycles -= best.extra_cycles
    return result


def _exchanges(choices: Mapping[int, Choice]) -> list[_Exchange]:
    return [
        _Exchange(node, other, saved, other.cycles - choice.chosen.cycles)
        for node, choice in choices.items()
        for other in choice.rejected
        if (saved := choice.chosen.flash_bytes - other.flash_bytes) > 0 and not needs_others(other)
    ]


def exchanged(choice: Choice, candidate: Candidate) -> Choice:
    """The choice of another one of its candidates."""
    others = (choice.chosen, *(c for c in choice.rejected if c is not candidate))
    return replace(choice, chosen=candidate, rejected=tuple(sorted(others, key=lambda c: c.cycles)))


def _flash(choices: Mapping[int, Choice]) -> int:
    return sum(choice.chosen.flash_bytes for choice in choices.values())


def _cycles(choices: Mapping[int, Choice]) -> int:
    return sum(choice.chosen.cycles for choice in choices.values())
