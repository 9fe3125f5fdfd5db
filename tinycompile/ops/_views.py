"""Operators whose output is the input under another shape: no code, the same storage."""

from collections.abc import Sequence

from tinycompile.ir import Array, DType
from tinycompile.ops._copy import moves_type
from tinycompile.ops._limits import has_elements
from tinycompile.ops.base import Operation, Operator


def has_as_many_elements(operation: Operation) -> str | None:
    """The output has as many elements as the input."""
    source, output = operation.inputs[0], operation.output
    if source is None:
        return "the input is missing"
    return None if source.elements == output.elements else f"{source.describe()} becomes {output.describe()}"


class View(Operator):
    """Base of such operators; a second input says the shape or the axis, the output's shape in the file is what counts."""

    types = moves_type(DType.INT32)
    limits = (has_elements, has_as_many_elements)
    max_inputs = 2
    is_view = True

    def infer(self, operation: Operation) -> tuple[tuple[int, ...], ...]:
        """The shape that the file gives the output."""
        return (operation.output.shape,)

    def evaluate(self, operation: Operation, inputs: Sequence[Array | None]) -> tuple[Array, ...]:
        """The same elements in the same order."""
        assert inputs[0] is not None
        return (inputs[0].reshape(operation.output.shape),)
