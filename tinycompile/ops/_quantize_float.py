"""Kernels that quantize float32: each value divided by a scale and rounded, perhaps looked up in a table of the levels.

`DivisionKernel` divides. On a Cortex-M with an FPU that takes a dozen cycles, so `ProductKernel` multiplies by constants that are
proved to round every float alike (`quant/float_scale.py`); it computes eight values at a time in assembly.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from tinycompile.board import Board
from tinycompile.ir import Array, DType
from tinycompile.ops._copy import literal
from tinycompile.ops._elementwise import Body, ElementwiseKernel
from tinycompile.ops.access import row_shape
from tinycompile.ops.base import Cost, Operation
from tinycompile.program import Constant, Granularity, KernelCode, Parameter, Passing
from tinycompile.quant import FloatScale, Int64, divided, float_scale

BLOCK = 8
"""Values that the assembly computes together."""

_TABLE_REACH = 256
"""A table has an entry for each integer -256..255: no zero point has to be added before it is read."""
_CUT_REACH = 1 << 15
"""Products that are cut off have 15 bits before the point."""
_DIVIDED_CYCLES, _CALL_CYCLES = 25, 40
_PRODUCT_CYCLES, _LEVEL_CYCLES, _LOW_CYCLES = 30, 4, 10
"""Modelled cycles of a block, what a zero point or a table adds, and what a second constant adds."""


@dataclass(frozen=True)
class Quantized:
    """What becomes of a float: clamp(round(x / scale) + zero_point, low, high), then its entry in `table`, if there is one.

    `table` is in the order of the levels low..high. The result has the type `dtype`.
    """

    scale: float
    zero_point: int
    low: int
    high: int
    dtype: DType
    table: tuple[int, ...] = ()

    @property
    def limits(self) -> tuple[int, int]:
        """Limits of the rounded quotient, before the zero point is added."""
        return self.low - self.zero_point, self.high - self.zero_point

    def apply(self, values: Array) -> Array:
        """The reference computation."""
        return self.results(divided(values, self.scale, *self.limits))

    def results(self, rounded: Int64) -> Array:
        """Results of limited quotients."""
        levels = rounded + self.zero_point
        result: Array = np.array(self.table)[levels - self.low] if self.table else levels
        return result.astype(self.dtype.numpy)

    def simplified(self) -> "Quantized":
        """Without a table that only adds to the levels, saturating: that is another zero point."""
        low, high = self.dtype.limits
        least, greatest = self.limits
        if not self.table:
            return self
        inner = [n for n, entry in enumerate(self.table) if low < entry < high]
        zero_point = self.table[inner[0]] - inner[0] - least if inner else 0
        plain = Quantized(self.scale, zero_point, low, high, self.dtype)
        reached = np.arange(least, greatest + 1)
        is_same = inner and (np.clip(reached + zero_point, low, high) == np.array(self.table)).all()
        # Beyond the levels the table goes on with its last entry, so there the sum has to be saturated.
        is_same = is_same and least + zero_point <= low and greatest + zero_point >= high
        return plain if is_same else self


Description = Callable[[Operation], Quantized]


class DivisionKernel(ElementwiseKernel):
    """Divides each value."""

    name = "float"

    def __init__(self, description: Description) -> None:
        super().__init__(lambda operation, board: _divided(description(operation).simplified(), operation))

    def supports(self, operation: Operation, board: Board) -> bool:
        """float32 inputs."""
        return operation.input(0).dtype is DType.FLOAT32


class ProductKernel(DivisionKernel):
    """Multiplies eight values at a time; values that are infinite or not a number send all through the division."""

    name = "float_asm"

    def __init__(self, description: Description) -> None:
        super().__init__(description)
        self._description = description

    def supports(self, operation: Operation, board: Board) -> bool:
        """float32 inputs, a Cortex-M with FPU and DSP extension, rows of at least a block, and constants that are proved."""
        if operation.input(0).dtype is not DType.FLOAT32 or row_shape(operation.output.shape)[1] < BLOCK:
            return False
        quantized = self._description(operation).simplified()
        least, greatest = quantized.limits
        fits = rounds_away(board) or (least >= -_CUT_REACH and greatest < _CUT_REACH)
        has_instructions = board.fpu and board.dsp and not board.is_host
        return has_instructions and fits and _constants(quantized) is not None

    def cost(self, operation: Operation, board: Board) -> Cost:
        """The modelled cycles of the blocks, and divisions for what is left."""
        quantized, elements = self._description(operation).simplified(), operation.output.elements
        found = _constants(quantized)
        assert found is not None
        has_levels = quantized.zero_point != 0 or bool(quantized.table)
        block = _PRODUCT_CYCLES + _LEVEL_CYCLES * has_levels + _LOW_CYCLES * bool(found.low)
        cycles = elements // BLOCK * block + elements % BLOCK * _DIVIDED_CYCLES + _CALL_CYCLES
        return Cost(cycles, 2 * _TABLE_REACH * bool(quantized.table))

    def lower(self, operation: Operation, board: Board, granularity: Granularity) -> KernelCode:
        """Holes of `quantize/float_asm.c.j2`."""
        quantized = self._description(operation).simplified()
        found = _constants(quantized)
        assert found is not None
        rows, row_elements = row_shape(operation.output.shape)
        elements = row_elements * (rows if granularity is Granularity.WHOLE else 1)
        body = _divided(quantized, operation)
        holes: dict[str, Parameter] = {
            "block": BLOCK,
            "elements": elements,
            "factor": _bits(found.high),
            "correction": _bits(found.low) if found.low else 0,
            "rounds_away": rounds_away(board),
            "out_bits": 8 * quantized.dtype.element_bytes,
            "is_signed": quantized.dtype is not DType.UINT8,
        }
        return KernelCode(
            template="quantize/float_asm.c.j2",
            parameters={**body.parameters, **holes},
            granularity=granularity,
            inputs=((0, Passing.POINTER),),
            constants=body.constants,
            runtime=body.runtime,
        )


def rounds_away(board: Board) -> bool:
    """True when the FPU has VCVTA, which rounds ties away from zero: FPv5, and so all cores but the Cortex-M4."""
    return board.cpu != "cortex-m4"


def _divided(quantized: Quantized, operation: Operation) -> Body:
    low, high = quantized.limits
    reach = np.arange(-_TABLE_REACH, _TABLE_REACH)
    entries = quantized.results(np.clip(reach, low, high)) if quantized.table else None
    kind = operation.node.kind
    return Body(
        template="quantize/float.c.j2",
        parameters={
            "kind": kind,
            "out_type": quantized.dtype.c_type,
            "scale": literal(DType.FLOAT32, quantized.scale),
            "zero_point": 0 if quantized.table else quantized.zero_point,
            "low": low,
            "high": high,
            "table_centre": _TABLE_REACH if quantized.table else 0,
        },
        constants=()
        if entries is None
        else (Constant("table", entries, f"{kind} of each level", is_weight=False),),
        runtime=("tc_math.h",),
        cycles=_DIVIDED_CYCLES,
    )


def _constants(quantized: Quantized) -> FloatScale | None:
    return float_scale(quantized.scale, *quantized.limits)


def _bits(value: float) -> int:
    return int(np.array([value], np.float32).view(np.uint32)[0])
