"""MEAN and SUM of int8 over whole images with the DSP extension: four channels in two words of int16 sums."""

from functools import cache

from tinycompile.assembly.column_sums import block
from tinycompile.board import Board
from tinycompile.ir import DType
from tinycompile.ops._dsp import LARGEST_FAST_SHIFT
from tinycompile.ops._reduce import Reduction, reduced_elements, reduction_loops
from tinycompile.ops.base import Cost, Kernel, Operation, registry
from tinycompile.program import Granularity, KernelCode, Passing

_BLOCKS = (8, 4, 2, 1)
"""Pixels of a turn."""
_MOST_PIXELS = 256
"""So many int8 add up to an int16."""
_LARGEST_OFFSET = 4095
"""How far behind its pointer a load may reach."""
_REST_CYCLES, _CALL_CYCLES, _WORD_CYCLES = 21, 25, 45
"""Of four channels: for a pixel that is left over, for each call, and for their outputs."""


class ColumnSumKernel(Kernel):
    """The reduced elements of a channel are a whole number of its neighbours' distances apart: H and W of NHWC."""

    name = "columns_asm"

    def supports(self, operation: Operation, board: Board) -> bool:
        """int8, a scaled sum, DSP extension, unaligned words, four channels or more whose next pixel a load reaches."""
        source, usable = operation.input(0), board.dsp and board.unaligned_access and not board.is_host
        if not usable or source.dtype is not DType.INT8 or operation.output.dtype is not DType.INT8:
            return False
        kept, reduced = reduction_loops(operation)
        if len(reduced) != 1 or not kept or kept[-1][1:] != (1, 1):
            return False
        channels = kept[-1][0]
        return 4 <= channels <= _LARGEST_OFFSET and reduced[0][2] == channels

    def cost(self, operation: Operation, board: Board) -> Cost:
        """For each four channels the cycles of the schedule, the calls, and the outputs."""
        channels, pixels = reduction_loops(operation)[0][-1][0], reduced_elements(operation)
        together = _pixels_together(channels, pixels)
        calls = -(-pixels // _MOST_PIXELS)
        word = _word_cycles(together, channels, pixels)
        words = operation.output.elements // channels * -(-channels // 4)
        return Cost(round(words * (word + calls * _CALL_CYCLES + _WORD_CYCLES)), 300)

    def lower(self, operation: Operation, board: Board, granularity: Granularity) -> KernelCode:
        """Holes of `reduce/columns_asm.c.j2`."""
        operator, pixels = registry.operators[operation.node.kind], reduced_elements(operation)
        assert isinstance(operator, Reduction)
        form = operator.form(operation)
        assert form.name == "scaled_sum"
        start, multiplier, shift, zero_point = form.arguments
        kept, _ = reduction_loops(operation)
        channels = kept[-1][0]
        together = _pixels_together(channels, pixels)
        # Where the doubled sums fit int32, SMMLAR does TFLite's first rounding, and the offset its second one.
        right = -shift if 1 <= -shift <= LARGEST_FAST_SHIFT and 255 * pixels < 1 << 30 else 0
        scaling = ((zero_point << right) + (1 << (right - 1)),) if right else (shift, zero_point)
        return KernelCode(
            template="reduce/columns_asm.c.j2",
            parameters={
                "kind": operation.node.kind,
                "kept": kept[:-1],
                "channels": channels,
                "pixels": pixels,
                "most": _MOST_PIXELS,
                "block": together,
                "right": right,
                "steps": block(together, channels).steps,
            },
            granularity=granularity,
            inputs=((0, Passing.POINTER),),
            arguments=(start, multiplier, *scaling),
            runtime=("tc_dsp.h", "tc_requantize.h"),
        )


@cache
def _pixels_together(channels: int, pixels: int) -> int:
    """Pixels of a turn: no more than loads reach and than there are, and so many that the sums take least."""
    possible = [n for n in _BLOCKS if n <= pixels and (n - 1) * channels + 3 <= _LARGEST_OFFSET]
    return min(possible, key=lambda n: _word_cycles(n, channels, pixels))


def _word_cycles(together: int, channels: int, pixels: int) -> float:
    """Cycles of the sums of four channels with so many pixels in a turn; pixels that are left over are added in C."""
    return pixels // together * block(together, channels).cycles + pixels % together * _REST_CYCLES
