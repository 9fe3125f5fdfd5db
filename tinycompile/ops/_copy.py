"""Operators that only move elements: one description in numpy views serves the reference and the C.

Such an operator says, in `views`, which view of an output takes which view of an input (a transpose, a slice, a broadcast...).
The reference assigns the views; the kernel reads their offsets and strides and becomes nested loops around `memcpy`.
"""

from abc import abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import replace
from math import prod
from typing import ClassVar

import numpy as np

from tinycompile.board import Board
from tinycompile.ir import Array, DType, Tensor
from tinycompile.ops.access import WHOLE, Access, Pattern
from tinycompile.ops.base import Cost, Kernel, Operation, Operator, TypeRule, registry
from tinycompile.program import Granularity, KernelCode, Parameter, Passing

COPIED_TYPES = (
    DType.INT8, DType.UINT8, DType.INT16, DType.INT32, DType.INT64, DType.FLOAT32, DType.BOOL,
)  # fmt: skip
"""Element types that elements are moved of."""

Views = Iterable[tuple[Array, Array]]
"""Pairs of equal shape: the view of an output that is written, the view of an input that is read."""


def moves_type(*others: DType, without: tuple[DType, ...] = ()) -> tuple[TypeRule, ...]:
    """Rules for an operator whose first input and outputs share a type; further inputs have the types `others`.

    `without` names the types that the reference does not take.
    """
    return tuple(TypeRule((dtype, *others), (dtype,)) for dtype in COPIED_TYPES if dtype not in without)


_Move = tuple[int, int, int, int, tuple[tuple[int, ...], ...], int]
"""Output, input, offset in it, offset in the input, loops, run."""


class DataMovement(Operator):
    """Base of operators that move elements."""

    @abstractmethod
    def views(self, operation: Operation, inputs: Sequence[Array], outputs: Sequence[Array]) -> Views:
        """What is moved; `inputs` and `outputs` have the shapes of the operation, and absent inputs are empty arrays."""

    def fill(self, operation: Operation) -> int | float | bool | None:
        """Value of the output's elements that nothing is moved to; None when there are none."""
        return None

    def moves_rows(self, operation: Operation) -> bool:
        """Each row of an NHWC output holds elements of the inputs' rows with its index alone, and all rows are moved alike."""
        return False

    def evaluate(self, operation: Operation, inputs: Sequence[Array | None]) -> tuple[Array, ...]:
        """Assign the views."""
        given = [_EMPTY if array is None else array for array in inputs]
        value = self.fill(operation)
        outputs = tuple(
            np.full(t.shape, 0 if value is None else value, t.dtype.numpy) for t in operation.outputs
        )
        for target, source in self.views(operation, given, outputs):
            target[...] = source
        return outputs

    def access(self, operation: Operation, index: int) -> Access:
        """Any element may come from anywhere, unless it comes from its row."""
        return Access(Pattern.WINDOW) if self.moves_rows(operation) else WHOLE


class CopyKernel(Kernel):
    """Nested loops around `memcpy`, one nest for each pair of views."""

    name = "copy"
    granularities: ClassVar[tuple[Granularity, ...]] = (Granularity.WHOLE,)

    def cost(self, operation: Operation, board: Board) -> Cost:
        """About three cycles an element, and three bytes a cycle in long runs; outputs that are filled first cost twice."""
        operator = _operator(operation)
        element_bytes = operation.output.dtype.element_bytes
        cycles = 3 * operation.output.elements if operator.fill(operation) is not None else 0
        for *_, loops, run in _moves(operator, operation)[1]:
            count = prod(extent for extent, *_ in loops)
            cycles += count * (3 if run == 1 else 6 + run * element_bytes // 3)
        return Cost(cycles, 64)

    def lower(self, operation: Operation, board: Board, granularity: Granularity) -> KernelCode:
        """Holes of `copy/copy.c.j2`."""
        operator = _operator(operation)
        used, moves = _moves(operator, operation)
        value = operator.fill(operation)
        parameters: dict[str, Parameter] = {
            "kind": operation.node.kind,
            "c_type": operation.output.dtype.c_type,
            "outputs": len(operation.outputs),
            "inputs": len(used),
            "fill": "none" if value is None else literal(operation.output.dtype, value),
            "elements": operation.output.elements,
            "moves": moves,
            "block": 1 if board.is_host else _BLOCK,
        }
        passed = tuple((index, Passing.POINTER) for index in used)
        return KernelCode("copy/copy.c.j2", parameters, Granularity.WHOLE, passed)


class CopyRows(CopyKernel):
    """The same for an output row, of movements within rows."""

    name = "copy_rows"
    granularities = (Granularity.ROW,)

    def supports(self, operation: Operation, board: Board) -> bool:
        """See `DataMovement.moves_rows`."""
        return _operator(operation).moves_rows(operation)

    def lower(self, operation: Operation, board: Board, granularity: Granularity) -> KernelCode:
        """The movement of images of one row."""
        return replace(super().lower(_of_one_row(operation), board, granularity), granularity=granularity)


def _of_one_row(operation: Operation) -> Operation:
    """The operation on images of one row; its tensors have shapes alone."""

    def row(tensor: Tensor) -> Tensor:
        return replace(tensor, shape=(1, 1, *tensor.shape[2:]), data=None)

    inputs = tuple(None if t is None else row(t) for t in operation.inputs)
    return replace(operation, inputs=inputs, outputs=tuple(map(row, operation.outputs)))


def collapse(shape: Sequence[int], *strides: Sequence[int]) -> tuple[tuple[int, ...], ...]:
    """The fewest nested loops (extent, stride in each operand) that visit an N-d index space in row-major order."""
    loops: list[tuple[int, ...]] = []
    for extent, *steps in zip(shape, *strides, strict=True):
        if extent == 1:
            continue
        if loops and all(outer == extent * inner for outer, inner in zip(loops[-1][1:], steps, strict=True)):
            loops[-1] = (loops[-1][0] * extent, *steps)
        else:
            loops.append((extent, *steps))
    return tuple(loops)


def literal(dtype: DType, value: int | float | bool) -> str:
    """A C literal of the type."""
    if dtype is DType.FLOAT32:
        return (
            float(np.float32(value)).hex() + "f"
            if np.isfinite(value)
            else ("-" if value < 0 else "") + "INFINITY"
        )
    if dtype is DType.BOOL:
        return "true" if value else "false"
    if dtype is DType.INT64:
        return f"INT64_C({value})" if value > -(1 << 63) else "INT64_MIN"
    return f"{value}" if value > -(1 << 31) else "INT32_MIN"


_BLOCK = 4
"""Single elements that a processor without vectors reads before it writes them."""

_EMPTY: Array = np.empty(0, np.int8)


def _layout_of(shape: tuple[int, ...]) -> Array:
    """An array of bytes whose strides count elements."""
    return np.empty(shape, np.int8)


def _operator(operation: Operation) -> DataMovement:
    operator = registry.operators[operation.node.kind]
    assert isinstance(operator, DataMovement), operation.node.place
    return operator


def _moves(operator: DataMovement, operation: Operation) -> tuple[list[int], tuple[_Move, ...]]:
    """Inputs that are read, and the moves of each pair of views."""
    inputs = [_EMPTY if t is None else _layout_of(t.shape) for t in operation.inputs]
    outputs = [_layout_of(t.shape) for t in operation.outputs]
    found = []
    for target, source in operator.views(operation, inputs, outputs):
        if target.size == 0:
            continue
        out_index, out_offset = _place(target, outputs)
        in_index, in_offset = _place(source, inputs)
        loops = collapse(target.shape, target.strides, source.strides)
        run = 1
        if loops and loops[-1][1:] == (1, 1):
            run, loops = loops[-1][0], loops[:-1]
        found.append((out_index, in_index, out_offset, in_offset, loops, run))
    used = sorted({index for _, index, *_ in found})
    return used, tuple((o, used.index(i), at, of, loops, run) for o, i, at, of, loops, run in found)


def _place(view: Array, arrays: Sequence[Array]) -> tuple[int, int]:
    """Which array a view looks at, and the offset of its first element."""
    address = view.__array_interface__["data"][0]
    for index, array in enumerate(arrays):
        offset = address - array.__array_interface__["data"][0]
        if 0 <= offset < max(array.size, 1) and np.may_share_memory(view, array):
            return index, offset
    raise AssertionError("a view of no operand")
