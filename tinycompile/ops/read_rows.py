"""READ_ROWS: a graph input that the caller delivers row by row. No operator of the schema; a pass puts it behind inputs."""

from collections.abc import Sequence

from tinycompile.board import Board
from tinycompile.ir import Array
from tinycompile.ops._copy import moves_type
from tinycompile.ops.access import row_shape
from tinycompile.ops.base import Cost, Kernel, Operation, Operator, register
from tinycompile.program import Granularity, KernelCode, Passing

CALL_CYCLES = 20
"""Calling the caller's function; what it does itself is not the model's time."""


class SourceKernel(Kernel):
    """Calls the source for each row, which writes it where it is needed."""

    name = "source"
    granularities = (Granularity.ROW,)

    def cost(self, operation: Operation, board: Board) -> Cost:
        """The calls."""
        return Cost(operation.rows * CALL_CYCLES, 16)

    def lower(self, operation: Operation, board: Board, granularity: Granularity) -> KernelCode:
        """Holes of `read_rows/source.c.j2`."""
        return KernelCode(
            template="read_rows/source.c.j2",
            parameters={
                "c_type": operation.output.dtype.c_type,
                "row_elements": row_shape(operation.output.shape)[1],
            },
            granularity=Granularity.ROW,
            inputs=((0, Passing.POINTER),),
            takes_row=True,
        )


@register
class ReadRows(Operator):
    """Rows of an input of the graph, as the caller delivers them."""

    kind = "READ_ROWS"
    types = moves_type()
    made_by_passes = True
    kernels = (SourceKernel(),)

    def infer(self, operation: Operation) -> tuple[tuple[int, ...], ...]:
        """The input's shape."""
        return (operation.input(0).shape,)

    def evaluate(self, operation: Operation, inputs: Sequence[Array | None]) -> tuple[Array, ...]:
        """The input."""
        assert inputs[0] is not None
        return (inputs[0],)
