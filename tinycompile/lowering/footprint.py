"""How much flash the kernels of a graph take, and the fastest ones that take at most so much.

A kernel's constants are packed as for the program, so their bytes are exact; the bytes of its code are told by who prints it.
Layers whose kernels are equal functions share the code.
"""

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import product

from tinycompile.board import Board
from tinycompile.ir import Graph
from tinycompile.lowering.constants import function_key
from tinycompile.lowering.knapsack import Option, bytes_of, cheapest, fewest_cycles, smallest
from tinycompile.lowering.select import cycles_per_byte, exchanged, kernel_of
from tinycompile.ops import Operation, operation
from tinycompile.plan import Candidate, Selection
from tinycompile.program import KernelCode, RowFormat

CodeBytes = Callable[[KernelCode], int]
"""Bytes of the function of a kernel."""


@dataclass(frozen=True, eq=False)
class Footprints:
    """What each candidate takes, for the nodes between whose kernels there is a choice: by node id and kernel."""

    selection: Selection
    options: Mapping[int, Mapping[str, Option]]
    linked: Mapping[int, Mapping[str, Option]]
    """The same for kernels with planar rows, which the planner may take in place of the chosen ones."""
    links: tuple[tuple[int, int], ...]
    """Nodes that might have planar rows between them."""

    def bytes(self, selection: Selection) -> int:
        """Flash of these nodes with the kernels of a selection."""
        taken = []
        for node in self.options:
            weighed = {**self.options[node], **self.linked[node]}
            if (name := selection[node].chosen.kernel) in weighed:
                taken.append(weighed[name])
        return bytes_of(taken)

    @property
    def smallest_bytes(self) -> int:
        """Flash of these nodes with the smallest kernels."""
        return smallest(self._items)

    @property
    def _items(self) -> list[list[Option]]:
        return [list(options.values()) for options in self.options.values()]

    def cheapest(self, optimize: str) -> Selection:
        """As `select` chooses, with the code of each kernel as it is printed; larger ones are marked, see `within`."""
        worth = cycles_per_byte(self.selection, self.bytes(self.selection), optimize)
        return self._limited(self._named(cheapest(self._items, worth)), {})

    def within(self, limit_bytes: int) -> Selection:
        """The fastest kernels that take at most so many bytes, the smallest ones when none do.

        Candidates that take more than the chosen one are marked: the planner may not come back to them. If it saves more
        cycles, some bytes are left for kernels with planar rows.
        """
        alone = self._fastest(limit_bytes)
        saved, spare = self._savings(alone)
        if saved and limit_bytes - sum(spare.values()) >= self.smallest_bytes:
            others = self._fastest(limit_bytes - sum(spare.values()))
            if self._cycles(others) - saved < self._cycles(alone):
                return self._limited(others, spare)
        return self._limited(alone, {})

    def _fastest(self, limit_bytes: int) -> dict[int, str]:
        found = fewest_cycles(self._items, max(limit_bytes, self.smallest_bytes))
        assert found is not None
        return self._named(found)

    def _named(self, picked: Sequence[int]) -> dict[int, str]:
        """The kernel of each node, from its index."""
        return {
            node: list(options)[index]
            for (node, options), index in zip(self.options.items(), picked, strict=True)
        }

    def _cycles(self, kernels: Mapping[int, str]) -> int:
        return sum(self.options[node][kernel].cycles for node, kernel in kernels.items())

    def _savings(self, kernels: Mapping[int, str]) -> tuple[int, dict[int, int]]:
        """Cycles that planar rows would save, and the bytes that each node takes more for that."""
        saved, spare = 0, {}
        for link in self.links:
            taken = [self.options[node][kernels[node]] for node in link]
            offered = [self.linked[node].values() for node in link]
            pairs = [
                pair
                for pair in product(*offered)
                if sum(o.cycles for o in pair) < sum(o.cycles for o in taken)
            ]
            if pairs:
                best = min(pairs, key=lambda pair: (sum(o.cycles for o in pair), sum(o.bytes for o in pair)))
                saved += sum(old.cycles - new.cycles for old, new in zip(taken, best, strict=True))
                for node, old, new in zip(link, taken, best, strict=True):
                    spare[node] = max(0, new.bytes - old.bytes)
        return saved, spare

    def _limited(self, kernels: Mapping[int, str], spare: Mapping[int, int]) -> Selection:
        """The choice of kernels, in which larger ones are marked; those with planar rows may take spare bytes."""
        result = dict(self.selection)
        for node, kernel in kernels.items():
            choice, most = self.selection[node], self.options[node][kernel].bytes
            made = exchanged(choice, next(c for c in (choice.chosen, *choice.rejected) if c.kernel == kernel))
            larger = {name for name, option in self.options[node].items() if option.bytes > most}
            most += spare.get(node, 0)
            larger |= {name for name, option in self.linked[node].items() if option.bytes > most}
            rejected = tuple(replace(c, over_limit=c.kernel in larger) for c in made.rejected)
            result[node] = replace(made, rejected=rejected)
        return result


def footprints(graph: Graph, selection: Selection, board: Board, code_bytes: CodeBytes) -> Footprints:
    """Weigh the kernels of a graph; `selection` has the candidates."""
    nodes = {node.id: node for node in graph.nodes}
    weigh = _Weigher(board, code_bytes)
    found: dict[int, dict[str, Option]] = {}
    linked: dict[int, dict[str, Option]] = {}
    for node, choice in selection.items():
        candidates = [c for c in (choice.chosen, *choice.rejected) if c.is_linked or not c.needs_others]
        if len(candidates) > 1:
            current = operation(graph, nodes[node])
            weighed = {c.kernel: weigh.option(current, c) for c in candidates}
            linked[node] = {c.kernel: weighed[c.kernel] for c in candidates if c.is_linked}
            found[node] = {c.kernel: weighed[c.kernel] for c in candidates if not c.is_linked}
    return Footprints(selection, found, linked, tuple(_links(graph, selection, linked)))


def _links(
    graph: Graph, selection: Selection, linked: Mapping[int, Mapping[str, Option]]
) -> Iterator[tuple[int, int]]:
    """Nodes that could write planar rows, each with the only node that reads them, if it can."""
    for node in graph.nodes:
        if node.id in linked and any(c.writes is RowFormat.PLANAR for c in selection[node.id].rejected):
            (reader,) = graph.consumers[node.outputs[0]]
            if linked.get(reader.id):
                yield node.id, reader.id


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
