"""ADD and SUB of int8 with the DSP extension: sums of products with factors of 32 bits, four elements of a word.

Products lose their eight low bits, each for itself. The compiler compares the sums of all 65,536 pairs of operands with
TFLite's fixed-point steps, so what is lost changes no output.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np

from tinycompile.assembly.linear_sums import block
from tinycompile.board import Board
from tinycompile.ir import DType
from tinycompile.ops._elementwise import ElementwiseKernel
from tinycompile.ops._staircase import offset_of
from tinycompile.ops.access import row_shape
from tinycompile.ops.base import Cost, Kernel, Operation
from tinycompile.program import Granularity, KernelCode, Passing
from tinycompile.quant import Int64

_BLOCKS = (16, 8, 4)
_REST_CYCLES, _CALL_CYCLES = 9, 40
_SHIFTS = range(23, 15, -1)
_STEPS = (0, 256, 1024, 64)
"""What factors are tried with beyond the nearest ones, away from zero: ties then go away from zero too."""
_OPERANDS = np.arange(-128, 128, dtype=np.int64)


@dataclass(frozen=True)
class LaneSum:
    """out = clamp((offset + (first * a >> 8) + (second * b >> 8)) >> shift) of int8 a and b."""

    first: int
    second: int
    offset: int
    shift: int
    bounds: tuple[int, int] = (-128, 127)

    @property
    def bounded(self) -> bool:
        """The activation has other bounds than those of int8."""
        return self.bounds != (-128, 127)

    @property
    def arguments(self) -> tuple[int, ...]:
        """The bounds as a kernel has them, if it needs some."""
        return self.bounds if self.bounded else ()

    @property
    def runtime(self) -> tuple[str, ...]:
        """Headers of a kernel."""
        return ("tc_dsp.h", "tc_requantize.h") if self.bounded else ("tc_dsp.h",)

    def apply(self, first: Int64, second: Int64) -> Int64:
        """What the instructions compute: the model of the kernel, for proofs and tests."""
        total = self.offset + (self.first * first >> 8) + (self.second * second >> 8)
        result: Int64 = np.clip(total >> self.shift, *self.bounds)
        return result

    def fits(self) -> bool:
        """True when factors and offset are int32, and sums stay there: in both orders, with the bound taken off."""
        products = [factor * _OPERANDS >> 8 for factor in (self.first, self.second)]
        both = products[0][:, None] + products[1][None, :]
        for offset in (self.offset, self.offset - (self.bounds[0] << self.shift)):
            steps = (np.array([offset]), offset + products[0], offset + products[1], offset + both)
            if any(int(np.abs(values).max()) >= 1 << 31 for values in steps):
                return False
        return max(abs(self.first), abs(self.second)) < 1 << 31


def lane_sum(
    factors: tuple[float, float], outputs: Int64, bounds: tuple[int, int] = (-128, 127)
) -> LaneSum | None:
    """The sum that gives `outputs[a + 128, b + 128]` for all pairs; None when none is found.

    `factors` lead from operand to output, `bounds` are those of the activation.
    """
    for shift in _SHIFTS:
        for step in _STEPS:
            first, second = (round(f * 2.0 ** (8 + shift)) + (step if f > 0 else -step) for f in factors)
            found = _with_offset((first, second), shift, outputs, bounds)
            if found is not None and is_exact(found, outputs):
                return found
    return None


def is_exact(found: LaneSum, outputs: Int64) -> bool:
    """True when the sum is right for all pairs of operands."""
    return found.fits() and bool((found.apply(_OPERANDS[:, None], _OPERANDS[None, :]) == outputs).all())


def _with_offset(
    factors: tuple[int, int], shift: int, outputs: Int64, bounds: tuple[int, int]
) -> LaneSum | None:
    first, second = factors
    if max(abs(first), abs(second)) >= 1 << 31:
        return None
    sums = (first * _OPERANDS >> 8)[:, None] + (second * _OPERANDS >> 8)[None, :]
    offset = offset_of(sums.reshape(-1), outputs.reshape(-1), shift)
    return None if offset is None else LaneSum(first, second, offset, shift, bounds)


class LaneSumKernel(Kernel):
    """Both operands have the output's shape. `find` gives the sum, if there is one."""

    name = "lanes_asm"
    granularities = ElementwiseKernel.granularities

    def __init__(self, find: Callable[[Operation], LaneSum | None]) -> None:
        self._find = find

    def supports(self, operation: Operation, board: Board) -> bool:
        """int8 tensors of one shape with rows of at least four, DSP extension, unaligned words, a sum that is right."""
        output = operation.output
        same = all(operation.input(index).shape == output.shape for index in (0, 1))
        usable = board.dsp and board.unaligned_access and not board.is_host and output.dtype is DType.INT8
        return (
            usable
            and same
            and row_shape(output.shape)[1] >= _BLOCKS[-1]
            and self._find(operation) is not None
        )

    def cost(self, operation: Operation, board: Board) -> Cost:
        """The cycles of the blocks' schedule, and what is left one by one."""
        found, elements = self._find(operation), operation.output.elements
        assert found is not None
        count = _block_elements(elements)
        cycles = (
            elements // count * block(count, found.shift, found.bounded).cycles
            + elements % count * _REST_CYCLES
        )
        return Cost(round(cycles) + _CALL_CYCLES)

    def lower(self, operation: Operation, board: Board, granularity: Granularity) -> KernelCode:
        """Holes of `add/lanes_asm.c.j2`; factors are arguments, so that sums with one shift share the code."""
        found = self._find(operation)
        assert found is not None
        rows, row_elements = row_shape(operation.output.shape)
        elements = row_elements * (rows if granularity is Granularity.WHOLE else 1)
        count = _block_elements(elements)
        made = block(count, found.shift, found.bounded)
        return KernelCode(
            template="add/lanes_asm.c.j2",
            parameters={
                "kind": operation.node.kind,
                "block": count,
                "shift": found.shift,
                "limits": found.bounded,
                "steps": made.steps,
                "leads": made.leads,
            },
            granularity=granularity,
            inputs=((0, Passing.POINTER), (1, Passing.POINTER)),
            arguments=(found.first, found.second, found.offset, *found.arguments, elements),
            runtime=found.runtime,
        )


@cache
def _block_elements(elements: int) -> int:
    """Elements of a turn: the most that leave few or none to the loop over single ones."""
    return next((n for n in _BLOCKS if elements % n == 0 or elements >= 16 * n), _BLOCKS[-1])
