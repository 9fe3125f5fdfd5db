"""A kernel that picks slices by index: GATHER and EMBEDDING_LOOKUP."""

from collections.abc import Callable
from dataclasses import dataclass

from tinycompile.board import Board
from tinycompile.ir import DType
from tinycompile.ops._copy import literal
from tinycompile.ops.base import Cost, Kernel, Operation
from tinycompile.program import Granularity, KernelCode, Passing


@dataclass(frozen=True)
class Layout:
    """out[b][o][i] = table[b][o][indices[b][i]], each a run of `inner` elements; the table has `extent` runs."""

    batches: int
    outer: int
    extent: int
    indices: int
    inner: int
    table_input: int
    index_input: int


class GatherKernel(Kernel):
    """A copy for each index; one beyond the table is limited to it, so that no model reads elsewhere.

    A quantized table that gives floats is scaled on the way.
    """

    name = "gather"

    def __init__(self, layout: Callable[[Operation], Layout]) -> None:
        self._layout = layout

    def cost(self, operation: Operation, board: Board) -> Cost:
        """About two cycles an element."""
        return Cost(2 * operation.output.elements + 20, 100)

    def lower(self, operation: Operation, board: Board, granularity: Granularity) -> KernelCode:
        """Holes of `gather/gather.c.j2`."""
        found = self._layout(operation)
        table, output = operation.input(found.table_input), operation.output
        scaled = table.dtype is not output.dtype
        return KernelCode(
            template="gather/gather.c.j2",
            parameters={
                "kind": operation.node.kind,
                "c_type": output.dtype.c_type,
                "table_type": table.dtype.c_type,
                "scale": literal(DType.FLOAT32, table.scale) if scaled else "none",
                "index_type": operation.input(found.index_input).dtype.c_type,
                "batches": found.batches,
                "outer": found.outer,
                "extent": found.extent,
                "indices": found.indices,
                "inner": found.inner,
            },
            granularity=granularity,
            inputs=((found.table_input, Passing.POINTER), (found.index_input, Passing.POINTER)),
        )
