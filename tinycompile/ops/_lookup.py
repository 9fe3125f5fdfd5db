"""Functions of one element. With 8-bit inputs each is a table of 256 outputs, made at compile time by the reference itself."""

from abc import abstractmethod
from collections.abc import Sequence

import numpy as np

from tinycompile.board import Board
from tinycompile.ir import Array, DType
from tinycompile.ops._elementwise import (
    LOOKUP_CYCLES,
    Body,
    ConstantOperandKernel,
    Elementwise,
    ElementwiseKernel,
)
from tinycompile.ops._lookup_asm import TableAsmKernel
from tinycompile.ops.base import Kernel, Operation, registry
from tinycompile.program import Constant

BYTES = (DType.INT8, DType.UINT8)
"""Input types that have a table."""


class Unary(Elementwise):
    """Base of operators that map each element for itself."""

    @abstractmethod
    def apply(self, operation: Operation, values: Array) -> Array:
        """Outputs of an array of any shape, in the output's type."""

    def evaluate(self, operation: Operation, inputs: Sequence[Array | None]) -> tuple[Array, ...]:
        """Map the input."""
        assert inputs[0] is not None
        return (self.apply(operation, inputs[0]),)


def unary_of(operation: Operation) -> Unary:
    """The operator of a node that is known to be unary."""
    operator = registry.operators[operation.node.kind]
    assert isinstance(operator, Unary), operation.node.place
    return operator


def table_of(operation: Operation) -> Array:
    """Outputs of the 256 inputs in the order of their bytes: 0..127, -128..-1 for int8."""
    inputs = np.arange(256, dtype=np.uint8).view(operation.input(0).dtype.numpy)
    return unary_of(operation).apply(operation, inputs)


class LookupKernel(ElementwiseKernel):
    """A load from the table for each element."""

    name = "lookup"

    def __init__(self) -> None:
        super().__init__(_body)

    def supports(self, operation: Operation, board: Board) -> bool:
        """Inputs of one byte."""
        return operation.input(0).dtype in BYTES


def lookup_kernels() -> tuple[Kernel, ...]:
    """The kernels of a table."""
    in_assembly = TableAsmKernel(
        lambda operation: 0 if operation.input(0).dtype in BYTES else None,
        lambda operation: table_of(operation),
    )
    return LookupKernel(), in_assembly


def byte_function(operation: Operation) -> tuple[int, Array] | None:
    """Which operand an operation is a function of, and the table of its outputs; None unless that is one 8-bit operand."""
    for kernel in registry.operators[operation.node.kind].kernels_for(operation):
        if isinstance(kernel, LookupKernel) and operation.input(0).dtype in BYTES:
            return 0, table_of(operation)
        if isinstance(kernel, ConstantOperandKernel) and kernel.takes(operation):
            return kernel.varying(operation), kernel.table(operation)
    return None


def _body(operation: Operation, board: Board) -> Body:
    source, output = operation.input(0).dtype, operation.output.dtype
    return Body(
        template="lookup/table.c.j2",
        parameters={"kind": operation.node.kind, "in_type": source.c_type, "out_type": output.c_type},
        constants=(
            Constant("table", table_of(operation), f"{operation.node.kind} of each byte", is_weight=False),
        ),
        cycles=LOOKUP_CYCLES,
        in_blocks=True,
    )
