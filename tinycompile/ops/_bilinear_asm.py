"""RESIZE_BILINEAR of int8 in assembly, for sizes whose weights have few bits, such as those of factors that are powers of two."""

from dataclasses import dataclass
from functools import cache
from math import gcd

import numpy as np

from tinycompile.assembly.along_row import RowSteps
from tinycompile.assembly.resizing import LOWEST_BITS_VALUE, ROUNDING_VALUE, WHOLE, Place, resized_row
from tinycompile.board import Board
from tinycompile.ir import Array, DType
from tinycompile.ops._bilinear import Axis, axis_of, index_table
from tinycompile.ops._resize import row_access, row_pointers
from tinycompile.ops.base import Cost, Kernel, Operation
from tinycompile.program import Constant, Granularity, KernelCode

_CHANNELS_CYCLES, _CALL_CYCLES = 3, 40
"""Of four channels for setting pointers back, and of a call."""
_STEP_BYTES, _CALL_BYTES = 3.7, 200
"""Of an instruction, and of what a function has beside them."""
_UNIT = 1024
"""Weights of two rows or columns together, as TFLite has them."""


@dataclass(frozen=True)
class _Weights:
    """Of both axes: what the weights are together, a power of two; WHOLE for rows times columns."""

    rows: int
    columns: int


class BilinearAsm(Kernel):
    """One output row: columns of both input rows are blended once, four channels along the row."""

    name = "bilinear_asm"
    granularities = (Granularity.ROW,)

    def supports(self, operation: Operation, board: Board) -> bool:
        """int8, DSP extension, unaligned words, four channels, weights of few bits, columns with a short period."""
        usable = board.dsp and board.unaligned_access and not board.is_host
        if not usable or operation.output.dtype is not DType.INT8 or operation.output.shape[3] < 4:
            return False
        return _row(operation) is not None

    def cost(self, operation: Operation, board: Board) -> Cost:
        """The cycles of the schedules."""
        row = _row(operation)
        assert row is not None
        images, height, _, channels = operation.output.shape
        cycles = -(-channels // 4) * (row.cycles + _CHANNELS_CYCLES) + _CALL_CYCLES
        return Cost(images * height * cycles, round(row.count * _STEP_BYTES + _CALL_BYTES))

    def lower(self, operation: Operation, board: Board, granularity: Granularity) -> KernelCode:
        """Holes of `resize_bilinear/row_asm.c.j2`."""
        row, weights, rows = _row(operation), _weights(operation), axis_of(operation, 1)
        assert row is not None and weights is not None
        access = row_access(rows.before, rows.after, operation.input(0).shape[1])
        pointers = row_pointers(operation, access, rows.before, rows.after)
        lower = _distances(rows) * weights.rows // _UNIT
        return KernelCode(
            template="resize_bilinear/row_asm.c.j2",
            parameters={
                **pointers.holes,
                "whole": weights.rows,
                "rounding": ROUNDING_VALUE,
                "lowest_bits": LOWEST_BITS_VALUE,
                "code": row.holes,
            },
            granularity=granularity,
            inputs=((0, pointers.passing),),
            constants=(
                index_table("rows", *pointers.tables),
                Constant("lower_weights", lower.astype(np.int32), is_weight=False),
            ),
            takes_row=True,
        )


def _row(operation: Operation) -> RowSteps | None:
    weights = _weights(operation)
    if weights is None:
        return None
    columns = axis_of(operation, 2)
    scaled = _distances(columns) * weights.columns // _UNIT
    places = tuple(Place(int(b), int(w)) for b, w in zip(columns.before, scaled, strict=True))
    return _made(places, weights.columns, operation.output.shape[3])


@cache
def _made(places: tuple[Place, ...], whole: int, channels: int) -> RowSteps | None:
    return resized_row(places, whole, channels)


def _weights(operation: Operation) -> _Weights | None:
    """The fewest bits for rows, all others for columns; None when they are too many."""
    axes = [axis_of(operation, axis) for axis in (1, 2)]
    if any(set((axis.after - axis.before).tolist()) - {0, 1} for axis in axes):
        return None
    rows, columns = map(_whole, axes)
    return _Weights(rows, WHOLE // rows) if rows * columns <= WHOLE else None


def _whole(axis: Axis) -> int:
    """The least sum of two weights for which all of them are integers."""
    return _UNIT // gcd(_UNIT, *(int(distance) for distance in _distances(axis)))


def _distances(axis: Axis) -> Array:
    """None where both places are one: then it does not matter how they share the weight."""
    found: Array = np.where(axis.before == axis.after, 0, axis.distance)
    return found
