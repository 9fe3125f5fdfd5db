"""How much flash the kernels of a graph take, and the fastest ones that take at most so much.

A kernel's constants are packed as for the program, so their bytes are exact; the bytes of its code are told by who prints it.
Layers whose kernels are equal functions share the code.
"""

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field, replace

from tinycompile.board import Board
from tinycompile.ir import Graph
from tinycompile.lowering.constants import function_key
from tinycompile.lowering.knapsack import Option, bytes_of, cheapest, fewest_cycles, smallest
from tinycompile.lowering.select import cycles_per_byte, exchanged, kernel_of, needs_others
from tinycompile.ops import Operation, operation
from tinycompile.plan import Candidate, Choice, Selection
from tinycompile.program import KernelCode

CodeBytes = Callable[[KernelCode], int]
"""Bytes of the function of a kernel."""


@dataclass(frozen=True, eq=False)
class Footprints:
    """What each candidate takes, for the nodes between whose kernels there is a choice: by node id and kernel."""

    selection: Selection
    options: Mapping[int, Mapping[str, Option]]

    def bytes(self, selection: Selection) -> int:
        """Flash of these nodes with the kernels of a selection."""
        return bytes_of(
            [
                options[name]
                for node, options in self.options.items()
                if (name := selection[node].chosen.kernel) in options
            ]
        )

    @property
    def smallest_bytes(self) -> int:
        """Flash of these nodes with the smallest kernels."""
        return smallest([list(options.values()) for options in self.options.values()])

    def cheapest(self, optimize: str) -> Selection:
        """As `select` chooses, with the code of each kernel as it is printed; larger ones are marked, see `within`."""
        worth = cycles_per_byte(self.selection, self.bytes(self.selection), optimize)
        picked = cheapest([list(options.values()) for options in self.options.values()], worth)
        result = dict(self.selection)
        for (node, options), index in zip(self.options.items(), picked, strict=True):
            result[node] = _limited(self.selection[node], list(options)[index], options)
        return result

    def within(self, limit_bytes: int) -> Selection:
        """The fastest kernels that take at most so many bytes, the smallest ones when none do.

        Candidates that take more than the chosen one are marked: the planner may not come back to them.
        """
        items = [list(options.values()) for options in self.options.values()]
        found = fewest_cycles(items, max(limit_bytes, smallest(items)))
        assert found is not None
        result = dict(self.selection)
        for (node, options), index in zip(self.options.items(), found, strict=True):
            result[node] = _limited(self.selection[node], list(options)[index], options)
        return result


def footprints(graph: Graph, selection: Selection, board: Board, code_bytes: CodeBytes) -> Footprints:
    """Weigh the kernels of a graph; `selection` has the candidates."""
    nodes = {node.id: node for node in graph.nodes}
    weigh = _Weigher(board, code_bytes)
    found = {}
    for node, choice in selection.items():
        candidates = [c for c in (choice.chosen, *choice.rejected) if not needs_others(c)]
        if len(candidates) > 1:
            current = operation(graph, nodes[node])
            found[node] = {c.kernel: weigh.option(current, c) for c in candidates}
    return Footprints(selection, found)


@dataclass
class _Weigher:
    """Weighs kernels; equal functions are printed once."""

    board: Board
    code_bytes: CodeBytes
    functions: dict[Hashable, int] = field(default_factory=dict)

    def option(self, current: Operation, candidate: Candidate) -> Option:
        """What a kernel of an operation takes."""
        code = kernel_of(current, candidate.kernel).lower(current, self.board, candidate.granularities[0])
        constants = sum(_aligned(constant.bytes, constant.align) for constant in code.constants)
        key = function_key(code)
        if key not in self.functions:
            self.functions[key] = self.code_bytes(code)
        return Option(candidate.cycles, constants, key, self.functions[key])


def _aligned(count: int, align: int) -> int:
    return -(-count // align) * align


def _limited(choice: Choice, kernel: str, options: Mapping[str, Option]) -> Choice:
    """The choice of a kernel, in which larger ones are marked."""
    made = exchanged(choice, next(c for c in (choice.chosen, *choice.rejected) if c.kernel == kernel))
    most = options[kernel].bytes
    larger = {name for name, option in options.items() if option.bytes > most}
    return replace(
        made, rejected=tuple(replace(c, over_limit=True) if c.kernel in larger else c for c in made.rejected)
    )
