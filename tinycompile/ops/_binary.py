"""Operators of two operands that compute with the values as they are stored, without scales."""

from abc import abstractmethod
from collections.abc import Sequence
from typing import ClassVar

from tinycompile.board import Board
from tinycompile.ir import Array, DType
from tinycompile.ops._elementwise import Body, Elementwise, elementwise_kernels, has_broadcast_shapes
from tinycompile.ops._limits import has_elements
from tinycompile.ops.base import Limit, Operation, TypeRule


def binary_types(output: DType | None, *dtypes: DType) -> tuple[TypeRule, ...]:
    """Both operands have one of these types; the output has it too, or the type `output`."""
    return tuple(TypeRule((dtype,), (output or dtype,)) for dtype in dtypes)


class PlainBinary(Elementwise):
    """Base of such operators; the C expression of each kind stands in `binary/plain.c.j2`."""

    limits: ClassVar[tuple[Limit, ...]] = (has_elements, has_broadcast_shapes)
    min_inputs = 2
    kernels = elementwise_kernels(lambda operation, board: _body(operation, board))

    @abstractmethod
    def apply(self, first: Array, second: Array) -> Array:
        """The function of arrays that broadcast."""

    def evaluate(self, operation: Operation, inputs: Sequence[Array | None]) -> tuple[Array, ...]:
        """Apply the function."""
        first, second = inputs[0], inputs[1]
        assert first is not None and second is not None
        return (self.apply(first, second).astype(operation.output.dtype.numpy),)


def _body(operation: Operation, board: Board) -> Body:
    return Body(
        template="binary/plain.c.j2",
        parameters={
            "kind": operation.node.kind,
            "in_type": operation.input(0).dtype.c_type,
            "out_type": operation.output.dtype.c_type,
        },
        runtime=("tc_math.h",),
        cycles=7,
    )
