"""ADD and SUB of int8 with the DSP extension where one operand has an element for each channel, or a single one.

The products with its elements become offsets of four channels, which stay in registers while the pixels pass.
"""

from collections.abc import Callable
from functools import cache

from tinycompile.assembly.linear_sums import column
from tinycompile.board import Board
from tinycompile.ir import DType
from tinycompile.ops._elementwise import ElementwiseKernel
from tinycompile.ops._lane_sums import LaneSum
from tinycompile.ops._repeated import Repeated, repeated_operand
from tinycompile.ops.access import row_shape
from tinycompile.ops.base import Cost, Kernel, Operation
from tinycompile.program import Granularity, KernelCode, Passing

_REST_CYCLES, _CALL_CYCLES, _COLUMN_CYCLES = 11, 50, 60
"""Of an element that is left to the loop over single ones, of a call, and of four channels with their offsets."""


class ChannelSumKernel(Kernel):
    """One operand has the output's shape. `find` gives the sum of an operation, if there is one."""

    name = "channels_asm"
    granularities = ElementwiseKernel.granularities

    def __init__(self, find: Callable[[Operation], LaneSum | None]) -> None:
        self._find = find

    def supports(self, operation: Operation, board: Board) -> bool:
        """int8, such shapes, DSP extension, unaligned words, a sum that is right."""
        usable = board.dsp and board.unaligned_access and not board.is_host
        if not usable or operation.output.dtype is not DType.INT8:
            return False
        return repeated_operand(operation) is not None and self._find(operation) is not None

    def cost(self, operation: Operation, board: Board) -> Cost:
        """For each four channels the cycles of the schedule; channels and pixels that are left one by one."""
        found, terms = self._find(operation), repeated_operand(operation)
        assert found is not None and terms is not None
        pixels, rest = divmod(operation.output.elements, terms.channels)
        rest += pixels * (terms.channels % 4)
        together = _pixels_together(pixels, terms, found)
        columns = terms.channels // 4 * (_turn_cycles(pixels, together, terms, found) + _COLUMN_CYCLES)
        return Cost(round(columns) + rest * _REST_CYCLES + _CALL_CYCLES)

    def lower(self, operation: Operation, board: Board, granularity: Granularity) -> KernelCode:
        """Holes of `add/channels_asm.c.j2`; factors are arguments, so that sums with one shift share the code."""
        found, terms = self._find(operation), repeated_operand(operation)
        assert found is not None and terms is not None
        rows, elements = row_shape(operation.output.shape)
        elements *= rows if granularity is Granularity.WHOLE else 1
        channels = terms.channels
        together = _pixels_together(elements // channels, terms, found)
        factors = (found.first, found.second)
        return KernelCode(
            template="add/channels_asm.c.j2",
            parameters={
                "kind": operation.node.kind,
                "shift": found.shift,
                "limits": found.bounded,
                "pixels": together,
                "channels": channels,
                "single": terms.single,
                "steps": column(together, channels, found.shift, found.bounded).steps,
            },
            granularity=granularity,
            inputs=((1 - terms.index, Passing.POINTER), (terms.index, Passing.POINTER)),
            arguments=(
                factors[1 - terms.index],
                factors[terms.index],
                found.offset,
                *found.arguments,
                elements if terms.single else elements // channels,
            ),
            runtime=found.runtime,
        )


@cache
def _pixels_together(pixels: int, terms: Repeated, found: LaneSum) -> int:
    """Pixels of a turn: those that take the fewest cycles."""
    fitting = [n for n in terms.together if n <= pixels]
    return min(fitting, key=lambda together: _turn_cycles(pixels, together, terms, found))


def _turn_cycles(pixels: int, together: int, terms: Repeated, found: LaneSum) -> float:
    turn = column(together, terms.channels, found.shift, found.bounded).cycles
    return pixels // together * turn + pixels % together * 4 * _REST_CYCLES
