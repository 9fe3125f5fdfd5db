"""ASSIGN_VARIABLE: what a resource variable holds when the call ends.

The frontend has replaced the handle: the output is the tensor that the next call reads. It lies where the variable's old value
lies, and the planner lets the operator wait until nobody needs that any more. Source of the semantics:
tensorflow/lite/kernels/assign_variable.cc.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tinycompile.board import Board
from tinycompile.ir import Array, Attributes
from tinycompile.ops._copy import moves_type
from tinycompile.ops._limits import has_elements
from tinycompile.ops.access import WHOLE, Access
from tinycompile.ops.base import Cost, Kernel, Operation, Operator, register
from tinycompile.program import Granularity, KernelCode, Parameter, Passing


@dataclass(frozen=True)
class Move:
    """`elements` consecutive elements of an input, from `source` on, go to `target` on."""

    input: int
    source: int
    target: int
    elements: int


@dataclass(frozen=True)
class AssignVariableAttributes(Attributes):
    """What the output is made of, in ascending order without gaps; without moves it is the only input."""

    moves: tuple[Move, ...] = ()


def moves_of(operation: Operation) -> tuple[Move, ...]:
    """The moves of an operation."""
    attributes = operation.node.attributes
    assert isinstance(attributes, AssignVariableAttributes)
    return attributes.moves or (Move(0, 0, 0, operation.output.elements),)


class MoveKernel(Kernel):
    """One move for each run, in ascending order."""

    name = "move"

    def cost(self, operation: Operation, board: Board) -> Cost:
        """About three bytes a cycle, and a call for each run."""
        moves = moves_of(operation)
        return Cost(operation.output.bytes // 3 + 20 * len(moves), 24 * len(moves))

    def lower(self, operation: Operation, board: Board, granularity: Granularity) -> KernelCode:
        """Holes of `assign_variable/move.c.j2`."""
        moves = moves_of(operation)
        parameters: dict[str, Parameter] = {
            "c_type": operation.output.dtype.c_type,
            "inputs": len(operation.inputs),
            "moves": tuple((move.input, move.source, move.target, move.elements) for move in moves),
        }
        passed = tuple((index, Passing.POINTER) for index in range(len(operation.inputs)))
        template = "assign_variable/move.c.j2"
        return KernelCode(template, parameters, Granularity.WHOLE, passed, runtime=("tc_move.h",))


@register
class AssignVariable(Operator):
    """ASSIGN_VARIABLE; of several assignments in one call the last one is carried out."""

    kind = "ASSIGN_VARIABLE"
    types = moves_type()
    limits = (has_elements,)
    max_inputs = 2
    kernels = (MoveKernel(),)

    def parse(self, options: object) -> AssignVariableAttributes:
        """There are no options."""
        return AssignVariableAttributes()

    def infer(self, operation: Operation) -> tuple[tuple[int, ...], ...]:
        """The shape of the variable's old value; an assignment as the file has it takes all of its input."""
        if moves_of(operation) == (Move(0, 0, 0, operation.output.elements),):
            return (operation.input(0).shape,)
        return (operation.output.shape,)

    def evaluate(self, operation: Operation, inputs: Sequence[Array | None]) -> tuple[Array, ...]:
        """Gather the runs."""
        flat = [np.empty(0) if array is None else array.reshape(-1) for array in inputs]
        runs = [flat[move.input][move.source : move.source + move.elements] for move in moves_of(operation)]
        return (np.concatenate(runs).reshape(operation.output.shape),)

    def access(self, operation: Operation, index: int) -> Access:
        """Any element may come from anywhere."""
        return WHOLE

    def overwrites(self, operation: Operation) -> tuple[int, ...]:
        """Inputs whose elements move down or stay: in ascending order each is read before its place is written."""
        moves = moves_of(operation)
        return tuple(
            index
            for index in range(len(operation.inputs))
            if all(move.source >= move.target for move in moves if move.input == index)
        )
