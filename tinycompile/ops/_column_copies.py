"""What CROP_COLUMNS and PASTE_COLUMNS share: kernels that copy a run of columns in each row of an image."""

from dataclasses import dataclass

from tinycompile.board import Board
from tinycompile.ir import Attributes
from tinycompile.ops.access import row_shape
from tinycompile.ops.base import Cost, Kernel, Operation
from tinycompile.program import Granularity, KernelCode, Passing

CALL_CYCLES = 40
"""Two calls: that of the kernel, and that of memcpy."""


@dataclass(frozen=True)
class ColumnsAttributes(Attributes):
    """The first column of the wide image that is copied, and the node that ends the stripe before."""

    first: int = 0
    follows: int | None = None


def columns_attributes(operation: Operation) -> ColumnsAttributes:
    """The attributes of an operation that copies columns."""
    assert isinstance(operation.node.attributes, ColumnsAttributes)
    return operation.node.attributes


class ColumnsKernel(Kernel):
    """Copies the columns of one row."""

    name = "row_copy"
    granularities = (Granularity.ROW,)

    def cost(self, operation: Operation, board: Board) -> Cost:
        """A cycle for each word, and the calls."""
        row_bytes = row_shape(operation.input(0).shape)[1] * operation.output.dtype.element_bytes
        return Cost(operation.rows * (row_bytes // 4 + CALL_CYCLES), 32)

    def lower(self, operation: Operation, board: Board, granularity: Granularity) -> KernelCode:
        """Holes of the operator's template `columns.c.j2`."""
        attributes, output = columns_attributes(operation), operation.output
        narrow = min(operation.input(0).shape[2], output.shape[2])
        return KernelCode(
            template=f"{operation.node.kind.lower()}/columns.c.j2",
            parameters={
                "c_type": output.dtype.c_type,
                "first": attributes.first * output.shape[3],
                "elements": narrow * output.shape[3],
                "row_elements": output.shape[2] * output.shape[3],
                "inputs": len(operation.inputs),
            },
            granularity=Granularity.ROW,
            inputs=tuple((index, Passing.POINTER) for index in range(len(operation.inputs))),
        )
