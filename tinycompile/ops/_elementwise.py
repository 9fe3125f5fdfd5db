"""Operators that compute each output element from the elements at its place in the inputs, with TFLite's broadcasting.

Same shapes, or an operand that is the same for every row, run row by row and can be fused; other broadcasts run at once.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import prod
from typing import ClassVar

import numpy as np

from tinycompile.board import Board
from tinycompile.ir import Array, DType
from tinycompile.ops._copy import collapse
from tinycompile.ops._lookup_asm import TableAsmKernel
from tinycompile.ops.access import POINTWISE, WHOLE, Access, row_shape
from tinycompile.ops.base import Cost, Kernel, Operation, Operator, registry
from tinycompile.program import Constant, Granularity, KernelCode, Parameter, Passing

LOOKUP_CYCLES = 4
"""Cycles of an element that is looked up in a table."""

BLOCK = 4
"""Elements that a processor without vectors computes together."""


def has_broadcast_shapes(operation: Operation) -> str | None:
    """The inputs have one shape, or shapes that broadcast to one as numpy's do."""
    shapes = [tensor.shape for tensor in operation.inputs if tensor is not None]
    if len(shapes) != len(operation.inputs):
        return "an input is missing"
    try:
        np.broadcast_shapes(*shapes)
    except ValueError:
        return " and ".join(tensor.describe() for tensor in operation.inputs if tensor is not None)
    return None


class Elementwise(Operator):
    """Base of these operators; the shape and the dependence on rows follow from the inputs' shapes."""

    def infer(self, operation: Operation) -> tuple[tuple[int, ...], ...]:
        """The shape that all inputs broadcast to."""
        return (np.broadcast_shapes(*(operation.input(i).shape for i in range(len(operation.inputs)))),)

    def access(self, operation: Operation, index: int) -> Access:
        """The same row of an input of the output's shape, all of a smaller one."""
        return POINTWISE if operation.input(index).shape == operation.output.shape else WHOLE

    def overwrites(self, operation: Operation) -> tuple[int, ...]:
        """Inputs of the output's shape and element size: an element is read before its place is written."""
        output = operation.output
        return tuple(
            index
            for index, tensor in enumerate(operation.inputs)
            if tensor is not None
            and tensor.shape == output.shape
            and tensor.dtype.element_bytes == output.dtype.element_bytes
        )


@dataclass(frozen=True)
class Body:
    """What an elementwise kernel computes of each element: a template, its holes, its data, and its cost in cycles."""

    template: str
    parameters: Mapping[str, Parameter]
    constants: tuple[Constant, ...] = ()
    arguments: tuple[int, ...] = ()
    runtime: tuple[str, ...] = ()
    cycles: int = 8
    in_blocks: bool = False
    """The template can compute `block` elements before it stores them: loads then do not wait for each other.

    Compilers for the host do this themselves, with vectors.
    """


class ElementwiseKernel(Kernel):
    """Loops over the elements of a row or of the whole output; the body says what happens to each."""

    name = "elementwise"
    granularities: ClassVar[tuple[Granularity, ...]] = (Granularity.WHOLE, Granularity.ROW)

    def __init__(self, body: Callable[[Operation, Board], Body]) -> None:
        self._body = body

    def supports(self, operation: Operation, board: Board) -> bool:
        """Every operand has the output's shape or is the same for every row."""
        return _runs_by_row(operation)

    def cost(self, operation: Operation, board: Board) -> Cost:
        """The body's cycles for each element."""
        body = self._body(operation, board)
        return Cost(
            operation.output.elements * body.cycles, sum(constant.bytes for constant in body.constants)
        )

    def lower(self, operation: Operation, board: Board, granularity: Granularity) -> KernelCode:
        """The body inside of the fewest loops."""
        body, loops = self._body(operation, board), _loops(operation, granularity)
        holes: dict[str, Parameter] = {**body.parameters, "loops": loops}
        if body.in_blocks:
            adjacent = loops[-1][1] == 1 and set(loops[-1][1:]) <= {0, 1} and loops[-1][0] >= BLOCK
            holes["block"] = BLOCK if adjacent and not board.is_host else 1
        return KernelCode(
            template=body.template,
            parameters=holes,
            granularity=granularity,
            inputs=tuple((index, Passing.POINTER) for index in range(len(operation.inputs))),
            constants=body.constants,
            arguments=body.arguments,
            runtime=body.runtime,
        )


class BroadcastKernel(ElementwiseKernel):
    """The same for operands that differ from row to row and do not have the output's shape: all rows at once."""

    name = "broadcast"
    granularities = (Granularity.WHOLE,)

    def supports(self, operation: Operation, board: Board) -> bool:
        """What `ElementwiseKernel` does not take."""
        return not _runs_by_row(operation)


class ConstantOperandKernel(Kernel):
    """An 8-bit operand beside a constant of one element: a table of the outputs of its 256 values, made by the reference."""

    name = "constant_lookup"
    granularities = (Granularity.WHOLE, Granularity.ROW)

    def supports(self, operation: Operation, board: Board) -> bool:
        """See `takes`."""
        return self.takes(operation)

    def takes(self, operation: Operation) -> bool:
        """One of two operands is a constant of one element, the other has one byte for each element of the output."""
        varying = [tensor for tensor in operation.inputs if tensor is not None and not tensor.is_constant]
        fixed = [tensor for tensor in operation.inputs if tensor is not None and tensor.is_constant]
        if len(varying) != 1 or len(fixed) != 1 or fixed[0].elements != 1:
            return False
        return varying[0].dtype in (DType.INT8, DType.UINT8) and varying[0].shape == operation.output.shape

    def cost(self, operation: Operation, board: Board) -> Cost:
        """A load from the input and one from the table."""
        return Cost(operation.output.elements * LOOKUP_CYCLES, 256 * operation.output.dtype.element_bytes)

    def lower(self, operation: Operation, board: Board, granularity: Granularity) -> KernelCode:
        """Holes of `lookup/table.c.j2`."""
        index = self.varying(operation)
        source, output, kind = operation.input(index), operation.output, operation.node.kind
        rows, row_elements = row_shape(output.shape)
        elements = row_elements * (rows if granularity is Granularity.WHOLE else 1)
        return KernelCode(
            template="lookup/table.c.j2",
            parameters={
                "kind": kind,
                "in_type": source.dtype.c_type,
                "out_type": output.dtype.c_type,
                "loops": ((elements, 1, 1),),
                "block": BLOCK if elements >= BLOCK and not board.is_host else 1,
            },
            granularity=granularity,
            inputs=((index, Passing.POINTER),),
            constants=(Constant("table", self.table(operation), f"{kind} of each byte", is_weight=False),),
        )

    def varying(self, operation: Operation) -> int:
        """Which operand is no constant."""
        return next(i for i, t in enumerate(operation.inputs) if t is not None and not t.is_constant)

    def table(self, operation: Operation) -> Array:
        """Outputs of the 256 values of the operand in the order of their bytes."""
        index = self.varying(operation)
        values = np.arange(256, dtype=np.uint8).view(operation.input(index).dtype.numpy)
        operands = [values if i == index else operation.input(i).values.reshape(1) for i in range(2)]
        (table,) = registry.operators[operation.node.kind].evaluate(operation, operands)
        return table


def elementwise_kernels(body: Callable[[Operation, Board], Body]) -> tuple[Kernel, ...]:
    """The kernels around a body."""
    constant = ConstantOperandKernel()
    in_assembly = TableAsmKernel(
        lambda operation: constant.varying(operation) if constant.takes(operation) else None, constant.table
    )
    return ElementwiseKernel(body), BroadcastKernel(body), constant, in_assembly


def _runs_by_row(operation: Operation) -> bool:
    output = operation.output.shape
    operands = [operation.input(index).shape for index in range(len(operation.inputs))]
    return len(output) != 4 or all(shape == output or prod(shape[-4:-2]) == 1 for shape in operands)


def _loops(operation: Operation, granularity: Granularity) -> tuple[tuple[int, ...], ...]:
    """Nested loops (extent, stride of the output, stride of each operand) over a row or over all of the output."""
    shape = operation.output.shape
    operands = [np.empty(operation.input(index).shape, np.int8) for index in range(len(operation.inputs))]
    strides = [
        np.empty(shape, np.int8).strides,
        *(np.broadcast_to(operand, shape).strides for operand in operands),
    ]
    skipped = 2 if granularity is Granularity.ROW and len(shape) == 4 else 0
    loops = collapse(shape[skipped:], *(steps[skipped:] for steps in strides))
    return loops or ((1, *[1] * len(strides)),)
