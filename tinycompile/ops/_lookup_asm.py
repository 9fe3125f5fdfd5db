"""Tables of bytes in assembly for a Cortex-M: three instructions for each element."""

from collections.abc import Callable
from functools import cache

from tinycompile.assembly.lookups import block
from tinycompile.board import Board
from tinycompile.ir import Array
from tinycompile.ops.access import row_shape
from tinycompile.ops.base import Cost, Kernel, Operation
from tinycompile.program import Constant, Granularity, KernelCode, Passing

_BLOCKS = (32, 16, 8, 4)
_REST_CYCLES, _CALL_CYCLES = 6, 45
_TABLE_BYTES = 256
_SHORT_ROW = 20
"""Elements of a row that take longer by a call of their own than in C."""


class TableAsmKernel(Kernel):
    """A function of one 8-bit operand with an 8-bit output.

    `operand` says which operand that is, None when the operation is no such function; `table` makes the outputs of its 256
    values in the order of their bytes.
    """

    name = "lookup_asm"
    granularities = (Granularity.WHOLE, Granularity.ROW)

    def __init__(
        self, operand: Callable[[Operation], int | None], table: Callable[[Operation], Array]
    ) -> None:
        self._operand = operand
        self._table = table

    def supports(self, operation: Operation, board: Board) -> bool:
        """Outputs of one byte, four elements or more, no short rows, a processor with the DSP extension."""
        output = operation.output
        usable = board.dsp and not board.is_host and output.dtype.element_bytes == 1
        rows, elements = row_shape(output.shape)
        pays = elements >= (_BLOCKS[-1] if rows == 1 else _SHORT_ROW)
        return usable and pays and self._operand(operation) is not None

    def cost(self, operation: Operation, board: Board) -> Cost:
        """The cycles of the blocks' schedule, and what is left one by one."""
        elements = operation.output.elements
        count = _block_elements(elements)
        cycles = elements // count * block(count).cycles + elements % count * _REST_CYCLES
        return Cost(round(cycles) + _CALL_CYCLES, _TABLE_BYTES)

    def lower(self, operation: Operation, board: Board, granularity: Granularity) -> KernelCode:
        """Holes of `lookup/table_asm.c.j2`; elements are an argument, so that most of a model's tables share the code."""
        index = self._operand(operation)
        assert index is not None
        output, kind = operation.output, operation.node.kind
        rows, elements = row_shape(output.shape)
        elements *= rows if granularity is Granularity.WHOLE else 1
        count = _block_elements(elements)
        made = block(count)
        return KernelCode(
            template="lookup/table_asm.c.j2",
            parameters={
                "in_type": operation.input(index).dtype.c_type,
                "out_type": output.dtype.c_type,
                "block": count,
                "steps": made.steps,
                "leads": made.leads,
            },
            granularity=granularity,
            inputs=((index, Passing.POINTER),),
            constants=(Constant("table", self._table(operation), f"{kind} of each byte", is_weight=False),),
            arguments=(elements,),
        )


@cache
def _block_elements(elements: int) -> int:
    """Elements of a turn: the most that leave few or none to the loop over single ones."""
    return next((n for n in _BLOCKS if elements % n == 0 or elements >= 16 * n), _BLOCKS[-1])
