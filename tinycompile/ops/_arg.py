"""What ARG_MAX and ARG_MIN share: the first place along an axis of the greatest or least element.

Source of the semantics: `ArgMinMax` in tensorflow/lite/kernels/internal/reference/arg_min_max.h.
"""

from collections.abc import Sequence

import numpy as np

from tinycompile.board import Board
from tinycompile.ir import Array, DType
from tinycompile.ops._axis import axis_problem
from tinycompile.ops._limits import constant_input, constant_integers, has_elements
from tinycompile.ops.access import WHOLE, Access
from tinycompile.ops.base import Cost, Kernel, Operation, Operator, TypeRule
from tinycompile.program import Granularity, KernelCode, Passing

ARG_TYPES = tuple(
    TypeRule((dtype, axis), (output,))
    for dtype in (DType.INT8, DType.UINT8, DType.INT32, DType.FLOAT32, DType.BOOL)
    for axis in (DType.INT32, DType.INT64)
    for output in (DType.INT32, DType.INT64)
)


def has_legal_axis(operation: Operation) -> str | None:
    """The axis is one dimension of the input."""
    source, axis = operation.inputs[0], constant_integers(operation, 1)
    if source is None or axis is None:
        return None
    if len(axis) != 1 or axis_problem(axis[0], len(source.shape)):
        return f"axis {axis} of {source.describe()}"
    return None


class ArgKernel(Kernel):
    """A pass along the axis for each output."""

    name = "arg"

    def cost(self, operation: Operation, board: Board) -> Cost:
        """About four cycles an element."""
        return Cost(4 * operation.input(0).elements, 100)

    def lower(self, operation: Operation, board: Board, granularity: Granularity) -> KernelCode:
        """Holes of `arg/arg.c.j2`."""
        shape, axis = operation.input(0).shape, axis_of(operation)
        inner = int(np.prod(shape[axis + 1 :], dtype=np.int64))
        return KernelCode(
            template="arg/arg.c.j2",
            parameters={
                "kind": operation.node.kind,
                "in_type": operation.input(0).dtype.c_type,
                "out_type": operation.output.dtype.c_type,
                "outer": operation.output.elements // inner,
                "extent": shape[axis],
                "inner": inner,
                "operator": ">" if operation.node.kind == "ARG_MAX" else "<",
            },
            granularity=granularity,
            inputs=((0, Passing.POINTER),),
        )


class Arg(Operator):
    """Base of ARG_MAX and ARG_MIN."""

    types = ARG_TYPES
    limits = (has_elements, constant_input(1, "axis"), has_legal_axis)
    min_inputs = 2
    kernels = (ArgKernel(),)

    def infer(self, operation: Operation) -> tuple[tuple[int, ...], ...]:
        """The axis goes away."""
        shape, axis = operation.input(0).shape, axis_of(operation)
        return ((*shape[:axis], *shape[axis + 1 :]),)

    def evaluate(self, operation: Operation, inputs: Sequence[Array | None]) -> tuple[Array, ...]:
        """numpy takes the first of equal ones too."""
        assert inputs[0] is not None
        function = np.argmax if self.kind == "ARG_MAX" else np.argmin
        return (
            np.asarray(function(inputs[0], axis=axis_of(operation))).astype(operation.output.dtype.numpy),
        )

    def access(self, operation: Operation, index: int) -> Access:
        """All of the input."""
        return WHOLE


def axis_of(operation: Operation) -> int:
    """The axis, 0 <= axis < rank."""
    return int(operation.input(1).values.reshape(-1)[0]) % len(operation.input(0).shape)
