"""MUL of int8 with the DSP extension: four elements of a word, for operands of one shape, factors by channel, or a single one."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

from tinycompile.assembly.products import block, column
from tinycompile.board import Board
from tinycompile.ir import DType
from tinycompile.ops._elementwise import ElementwiseKernel
from tinycompile.ops._repeated import Repeated, repeated_operand
from tinycompile.ops.access import row_shape
from tinycompile.ops.base import Cost, Kernel, Operation
from tinycompile.program import Granularity, KernelCode, Parameter, Passing
from tinycompile.quant import Multiplier

_BLOCKS = (16, 8, 4)
_REST_CYCLES, _CALL_CYCLES, _COLUMN_CYCLES = 11, 50, 60
"""Of an element that is left to the loop over single ones, of a call, and of four channels with their factors."""
_LARGEST_SHIFT = 22


@dataclass(frozen=True)
class ScaledProduct:
    """out = clamp((offset + round(2 * p * multiplier / 2**32)) >> shift), for negative p with an offset that is less by one.

    That is TFLite's requantization for factors below 1/2: SMMLAR does its first rounding, the offset its second one.
    """

    multiplier: int
    offset: int
    shift: int
    signed: bool
    """Products may be negative, and so may outputs without their zero point: then the sign matters."""
    bounds: tuple[int, int] = (-128, 127)

    @property
    def bounded(self) -> bool:
        """The activation has other bounds than those of int8."""
        return self.bounds != (-128, 127)


def scaled_product(
    multiplier: Multiplier, zero_points: tuple[int, int, int], bounds: tuple[int, int]
) -> ScaledProduct | None:
    """The constants for zero points of two operands and the output; None where the multiplier does not allow it."""
    shift, (first, second, output) = -multiplier.shift, zero_points
    if not 1 <= shift <= _LARGEST_SHIFT:
        return None
    signed = output > -128 and (first > -128 or second > -128)
    return ScaledProduct(multiplier.value, (output << shift) + (1 << (shift - 1)), shift, signed, bounds)


class _ProductKernel(Kernel):
    """Base of both kernels; `find` gives the constants of an int8 operation, if there are some."""

    granularities = ElementwiseKernel.granularities

    def __init__(self, find: Callable[[Operation], ScaledProduct | None]) -> None:
        self._find = find

    def supports(self, operation: Operation, board: Board) -> bool:
        """int8, DSP extension, unaligned words, a requantization of the usual kind."""
        usable = board.dsp and board.unaligned_access and not board.is_host
        return usable and operation.output.dtype is DType.INT8 and self._find(operation) is not None

    def _code(
        self,
        operation: Operation,
        granularity: Granularity,
        template: str,
        operands: tuple[int, int],
        count: int,
        holes: dict[str, Parameter],
    ) -> KernelCode:
        """Holes and arguments that both kernels have; numbers are arguments, so that products with one shift share the code."""
        found = self._find(operation)
        assert found is not None
        offsets = (-operation.input(index).zero_point for index in operands)
        return KernelCode(
            template=template,
            parameters={"shift": found.shift, "signed": found.signed, "limits": found.bounded, **holes},
            granularity=granularity,
            inputs=tuple((index, Passing.POINTER) for index in operands),
            arguments=(
                *offsets,
                found.multiplier,
                found.offset,
                *(found.bounds if found.bounded else ()),
                count,
            ),
            runtime=("tc_dsp.h", "tc_requantize.h") if found.bounded else ("tc_dsp.h",),
        )


class LaneProductKernel(_ProductKernel):
    """Both operands have the output's shape."""

    name = "lanes_asm"

    def supports(self, operation: Operation, board: Board) -> bool:
        """Also: operands of one shape, rows of at least four elements."""
        output = operation.output.shape
        same = all(operation.input(index).shape == output for index in (0, 1))
        return same and row_shape(output)[1] >= _BLOCKS[-1] and super().supports(operation, board)

    def cost(self, operation: Operation, board: Board) -> Cost:
        """The cycles of the blocks' schedule, and what is left one by one."""
        found, elements = self._find(operation), operation.output.elements
        assert found is not None
        count = _block_elements(elements)
        made = block(count, found.shift, found.signed, found.bounded)
        cycles = elements // count * made.cycles + elements % count * _REST_CYCLES
        return Cost(round(cycles) + _CALL_CYCLES)

    def lower(self, operation: Operation, board: Board, granularity: Granularity) -> KernelCode:
        """Holes of `mul/lanes_asm.c.j2`."""
        found = self._find(operation)
        assert found is not None
        rows, elements = row_shape(operation.output.shape)
        elements *= rows if granularity is Granularity.WHOLE else 1
        count = _block_elements(elements)
        made = block(count, found.shift, found.signed, found.bounded)
        holes: dict[str, Parameter] = {"block": count, "steps": made.steps, "leads": made.leads}
        return self._code(operation, granularity, "mul/lanes_asm.c.j2", (0, 1), elements, holes)


class ChannelProductKernel(_ProductKernel):
    """One operand has the output's shape, the other one element for each channel (squeeze-and-excite), or a single one."""

    name = "channels_asm"

    def supports(self, operation: Operation, board: Board) -> bool:
        """Also: such shapes, four channels or more, pixels whose next one a load still reaches, no short rows."""
        return repeated_operand(operation) is not None and super().supports(operation, board)

    def cost(self, operation: Operation, board: Board) -> Cost:
        """For each four channels the cycles of the schedule; channels and pixels that are left one by one."""
        found, factors = self._find(operation), repeated_operand(operation)
        assert found is not None and factors is not None
        pixels, rest = divmod(operation.output.elements, factors.channels)
        rest += pixels * (factors.channels % 4)
        columns = factors.channels // 4 * _column_cycles(pixels, factors, found)
        return Cost(round(columns) + rest * _REST_CYCLES + _CALL_CYCLES)

    def lower(self, operation: Operation, board: Board, granularity: Granularity) -> KernelCode:
        """Holes of `mul/channels_asm.c.j2`."""
        found, factors = self._find(operation), repeated_operand(operation)
        assert found is not None and factors is not None
        rows, elements = row_shape(operation.output.shape)
        elements *= rows if granularity is Granularity.WHOLE else 1
        channels = factors.channels
        together = _pixels_together(elements // channels, factors, found)
        made = column(together, channels, found.shift, found.signed, found.bounded)
        holes: dict[str, Parameter] = {
            "pixels": together,
            "channels": channels,
            "single": factors.single,
            "steps": made.steps,
        }
        operands = (1 - factors.index, factors.index)
        count = elements if factors.single else elements // channels
        return self._code(operation, granularity, "mul/channels_asm.c.j2", operands, count, holes)


@cache
def _block_elements(elements: int) -> int:
    """Elements of a turn: the most that leave few or none to the loop over single ones."""
    return next((n for n in _BLOCKS if elements % n == 0 or elements >= 16 * n), _BLOCKS[-1])


@cache
def _column_cycles(pixels: int, factors: Repeated, found: ScaledProduct) -> float:
    """Cycles of four channels."""
    together = _pixels_together(pixels, factors, found)
    return _turn_cycles(pixels, together, factors, found) + _COLUMN_CYCLES


@cache
def _pixels_together(pixels: int, factors: Repeated, found: ScaledProduct) -> int:
    """Pixels of a turn: those that take the fewest cycles."""
    fitting = [n for n in factors.together if n <= pixels]
    return min(fitting, key=lambda together: _turn_cycles(pixels, together, factors, found))


def _turn_cycles(pixels: int, together: int, factors: Repeated, found: ScaledProduct) -> float:
    turn = column(together, factors.channels, found.shift, found.signed, found.bounded).cycles
    return pixels // together * turn + pixels % together * 4 * _REST_CYCLES
