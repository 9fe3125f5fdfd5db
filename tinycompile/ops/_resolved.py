"""Operators that the frontend resolves while it reads a model: they join handles, and no node of theirs reaches a graph."""

from collections.abc import Sequence

from tinycompile.ir import Array
from tinycompile.ops.base import Operation, Operator


class Resolved(Operator):
    """Base of such operators; the frontend knows their operands and options."""

    types = ()
    min_inputs = 0

    def infer(self, operation: Operation) -> tuple[tuple[int, ...], ...]:
        """A graph has no such node."""
        raise AssertionError(f"{operation.node.place} is resolved by the frontend")

    def evaluate(self, operation: Operation, inputs: Sequence[Array | None]) -> tuple[Array, ...]:
        """A graph has no such node."""
        raise AssertionError(f"{operation.node.place} is resolved by the frontend")
