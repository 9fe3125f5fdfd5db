"""What bytes a tensor of the graph has: its own, those that a view shows, rows of several tensors, or constant ones."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from tinycompile.ir import Graph, Tensor
from tinycompile.ops import operation, operator_of, row_runs, row_shape
from tinycompile.program import Program


@dataclass(frozen=True)
class Source:
    """Bytes of a tensor that an operator writes (or that is given, or constant): `bytes` from `first_byte` on."""

    tensor: int
    first_byte: int
    bytes: int


def row_bytes(tensor: Tensor) -> int:
    """Bytes of one row."""
    return row_shape(tensor.shape)[1] * tensor.dtype.element_bytes


@dataclass(eq=False)
class Contents:
    """The graph's say on what the bytes of a tensor are, and whether constants of the program have them."""

    graph: Graph
    program: Program
    _roots: dict[int, Tensor] = field(default_factory=dict)
    _equal: dict[tuple[str, int], bool] = field(default_factory=dict)

    def root(self, tensor: Tensor) -> Tensor:
        """The tensor whose bytes a view shows in the same order; itself, when it is none."""
        if tensor.id not in self._roots:
            producer = self.graph.producers.get(tensor.id)
            is_view = producer is not None and operator_of(producer).is_view and producer.kind != "ROWS"
            shown = self.graph.tensor(producer.inputs[0]) if producer is not None and is_view else None
            self._roots[tensor.id] = tensor if shown is None else self.root(shown)
        return self._roots[tensor.id]

    def whole(self, tensor: Tensor) -> list[Source]:
        """All bytes of a tensor."""
        return self.part(tensor, 0, tensor.bytes)

    def row(self, tensor: Tensor, row: int) -> list[Source]:
        """One row of a tensor."""
        return self.part(tensor, row * row_bytes(tensor), row_bytes(tensor))

    def part(self, tensor: Tensor, first: int, count: int) -> list[Source]:
        """Bytes of a tensor, in the order in which they follow each other."""
        root = self.root(tensor)
        producer = self.graph.producers.get(root.id)
        if producer is None or producer.kind != "ROWS":
            return [Source(root.id, first, count)]
        return list(self._gathered(root, first, count))

    def _gathered(self, tensor: Tensor, first: int, count: int) -> Iterator[Source]:
        """Bytes of rows that lie in several tensors."""
        view = operation(self.graph, self.graph.producers[tensor.id])
        size, element_bytes = row_bytes(tensor), tensor.dtype.element_bytes
        starts = [
            (view.input(run.input), (run.offset + row * run.stride) * element_bytes)
            for run in row_runs(view)
            for row in range(run.rows)
        ]
        end = first + count
        while first < end:
            row, inside = divmod(first, size)
            length = min(end - first, size - inside)
            yield from self.part(starts[row][0], starts[row][1] + inside, length)
            first += length

    def constant(self, name: str) -> bytes:
        """The bytes of a constant of the program; none, when there is no such constant."""
        return b"".join(
            constant.values.tobytes() for constant in self.program.constants if constant.name == name
        )

    def constant_holds(self, name: str, tensor: Tensor) -> bool:
        """True when a constant of the program has the bytes of a constant tensor."""
        key = (name, tensor.id)
        if key not in self._equal:
            self._equal[key] = tensor.is_constant and self.constant(name) == tensor.values.tobytes()
        return self._equal[key]
