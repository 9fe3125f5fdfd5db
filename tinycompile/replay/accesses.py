"""What is read and written through a pointer: spans of tensors behind it, or a violation when it points elsewhere."""

from tinycompile.ir import Graph, Tensor
from tinycompile.ops import planar_row_bytes, row_shape
from tinycompile.program import Operand
from tinycompile.replay.contents import Contents, Source, row_bytes
from tinycompile.replay.memory import Block, Span, TaggedMemory
from tinycompile.replay.pointers import Pointer, pointer

ALL_ROWS = None
WORD_BYTES = 4


def tag_names(graph: Graph) -> dict[int, str]:
    """What messages call the tags of bytes: tensors by their number, and their planar rows as if they were other tensors."""
    names = {tensor.id: tensor.name for tensor in graph.tensors.values()}
    first = _first_planar(graph)
    return names | {first + tensor: f"{name} in planar rows" for tensor, name in names.items()}


def _first_planar(graph: Graph) -> int:
    """By how much higher the number of a tensor in planar rows is than its own."""
    return max(graph.tensors, default=0) + 1


class Accesses:
    """Tells the spans that calls read and write, and what is wrong with their pointers."""

    def __init__(self, graph: Graph, memory: TaggedMemory, contents: Contents) -> None:
        self._graph = graph
        self._memory = memory
        self._contents = contents
        self._first_planar = _first_planar(graph)

    def spans(self, block: Block, address: int, sources: list[Source], place: str) -> list[Span]:
        """Bytes that lie one behind the other from an address on; those of constants are compared at once."""
        found = []
        for source in sources:
            tensor = self._graph.tensors[source.tensor]
            if tensor.is_constant:
                if address != source.first_byte or not self._contents.constant_holds(block.name, tensor):
                    wanted = self._memory.describe(source.tensor, source.first_byte, source.bytes)
                    self._memory.violate(place, f"a pointer to byte {address} of the {block.name}", wanted)
            else:
                self._check_alignment(address, tensor, place)
                found.append(Span(block, address, source.tensor, source.first_byte, source.bytes))
            address += source.bytes
        return found

    def row_spans(self, at: Pointer, tensor: Tensor, place: str, planar: bool = False) -> list[Span]:
        """What is read through a pointer: a row, or all of the tensor."""
        if at.row is ALL_ROWS:
            return self.spans(at.block, at.address, self._contents.whole(tensor), place)
        rows = row_shape(tensor.shape)[0]
        if not 0 <= at.row < rows:
            self._memory.violate(
                place, f"a pointer to row {at.row} of {tensor.name!r}", f"one of its {rows} rows"
            )
            return []
        if planar:
            return [self._planar_row(at, self._contents.root(tensor), at.row, place)]
        return self.spans(at.block, at.address, self._contents.row(tensor, at.row), place)

    def output_row(self, operand: Operand, tensor: Tensor, row: int, place: str, planar: bool) -> Span:
        """A row of an output, where the pointer for it says."""
        if planar and row < row_shape(tensor.shape)[0]:
            return self._planar_row(pointer(operand, row), tensor, row, place)
        return self._written(operand, tensor, row, row * row_bytes(tensor), row_bytes(tensor), place)

    def output(self, operand: Operand, tensor: Tensor, place: str) -> Span:
        """All of an output."""
        return self._written(operand, tensor, 0, 0, tensor.bytes, place)

    def _written(
        self, operand: Operand, tensor: Tensor, row: int, first: int, count: int, place: str
    ) -> Span:
        """Bytes of an output, where the pointer for a row says."""
        at = pointer(operand, row)
        self._check_alignment(at.address, tensor, place)
        if first + count > tensor.bytes:
            self._memory.violate(
                place, f"row {row} of {tensor.name!r} computed", f"{row_shape(tensor.shape)[0]} rows"
            )
            count = 0
        return Span(at.block, at.address, tensor.id, first, count)

    def _planar_row(self, at: Pointer, tensor: Tensor, row: int, place: str) -> Span:
        """A row that lies channel by channel, in words."""
        if at.address % WORD_BYTES:
            self._memory.violate(place, f"a planar row of {tensor.name!r} at {at.address}", "a multiple of 4")
        size = planar_row_bytes(tensor.shape)
        return Span(at.block, at.address, self._first_planar + tensor.id, row * size, size)

    def _check_alignment(self, address: int, tensor: Tensor, place: str) -> None:
        if address % tensor.dtype.element_bytes:
            self._memory.violate(
                place, f"{tensor.name!r} at {address}", f"a multiple of {tensor.dtype.element_bytes}"
            )
