"""The fastest kernels within a limit of flash, code and weights together.

What a program takes is known when its code is printed: functions that layers share, the loops around them, the API. So a draft is
made with the fastest kernels first; if that is too much, another with those whose own flash leaves room for the rest, and one
more with a little less as long as the rest has grown.
"""

from collections.abc import Callable
from typing import Protocol, TypeVar

from tinycompile.board import Board
from tinycompile.codegen import kernel_code_bytes
from tinycompile.driver.recompute import Choose
from tinycompile.ir import Graph
from tinycompile.lowering import Footprints, footprints, select
from tinycompile.plan import Selection

_TRIES = 6


class Drafted(Protocol):
    """What is asked of a draft."""

    @property
    def graph(self) -> Graph:
        """The graph that was planned."""

    @property
    def selection(self) -> Selection:
        """Its kernels."""

    @property
    def flash_bytes(self) -> int:
        """Estimated flash of all that was printed."""


Made = TypeVar("Made", bound=Drafted)


def draft_within(
    draft_with: Callable[[Choose], Made], board: Board, optimize: str, limit_bytes: int | None
) -> Made:
    """The draft with the fastest kernels with which the program takes at most `limit_bytes`, the smallest when none fit."""
    kernels = _Kernels(board, optimize)
    made = draft_with(kernels.unlimited)
    if limit_bytes is None or made.flash_bytes <= limit_bytes:
        return made
    rest_bytes = made.flash_bytes - kernels.footprints(made.graph).bytes(made.selection)
    left = limit_bytes - rest_bytes
    for _ in range(_TRIES):
        if left < kernels.footprints(made.graph).smallest_bytes:
            break
        made = draft_with(kernels.within(left))
        if made.flash_bytes <= limit_bytes:
            return made
        left -= made.flash_bytes - limit_bytes
    return draft_with(kernels.within(0))


def kernels_for(board: Board, optimize: str) -> Choose:
    """Chooses kernels without a limit."""
    return _Kernels(board, optimize).unlimited


class _Kernels:
    """Kernels of the graphs of drafts (a graph in stripes is another one); each graph is weighed once."""

    def __init__(self, board: Board, optimize: str) -> None:
        self.board = board
        self.optimize = optimize
        self.selections: list[tuple[Graph, Selection]] = []
        self.weighed: list[tuple[Graph, Footprints]] = []

    def unlimited(self, graph: Graph) -> Selection:
        """What `--optimize` asks for. Where flash is what counts, code is weighed as it is printed."""
        if self.optimize == "flash":
            return self.footprints(graph).cheapest(self.optimize)
        return self.selected(graph)

    def selected(self, graph: Graph) -> Selection:
        """By the cost models."""
        for known, found in self.selections:
            if known is graph:
                return found
        made = select(graph, self.board, "speed" if self.optimize == "flash" else self.optimize)
        self.selections.append((graph, made))
        return made

    def within(self, limit_bytes: int) -> Choose:
        """The fastest that take at most so much themselves."""
        return lambda graph: self.footprints(graph).within(limit_bytes)

    def footprints(self, graph: Graph) -> Footprints:
        """What the candidates of a graph take."""
        for known, found in self.weighed:
            if known is graph:
                return found
        made = footprints(graph, self.selected(graph), self.board, kernel_code_bytes)
        self.weighed.append((graph, made))
        return made
