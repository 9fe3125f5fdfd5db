"""SHAPE: the extents of the input, which are known at compile time."""

from collections.abc import Sequence

import numpy as np

from tinycompile.board import Board
from tinycompile.ir import Array, DType
from tinycompile.ops.access import WHOLE, Access
from tinycompile.ops.base import Cost, Kernel, Operation, Operator, TypeRule, register
from tinycompile.program import Constant, Granularity, KernelCode


class ConstantKernel(Kernel):
    """Copies the extents out of flash."""

    name = "constant"

    def cost(self, operation: Operation, board: Board) -> Cost:
        """A few words."""
        return Cost(10 + 2 * operation.output.elements, operation.output.bytes)

    def lower(self, operation: Operation, board: Board, granularity: Granularity) -> KernelCode:
        """Holes of `shape/constant.c.j2`."""
        return KernelCode(
            template="shape/constant.c.j2",
            parameters={"c_type": operation.output.dtype.c_type, "bytes": operation.output.bytes},
            granularity=granularity,
            inputs=(),
            constants=(Constant("extents", _extents(operation), is_weight=False),),
        )


@register
class Shape(Operator):
    """SHAPE."""

    kind = "SHAPE"
    types = tuple(
        TypeRule((source,), (output,))
        for source in (
            DType.INT8, DType.UINT8, DType.INT16, DType.INT32, DType.INT64, DType.FLOAT32, DType.BOOL,
        )
        for output in (DType.INT32, DType.INT64)
    )  # fmt: skip
    kernels = (ConstantKernel(),)

    def infer(self, operation: Operation) -> tuple[tuple[int, ...], ...]:
        """One element for each dimension."""
        return ((len(operation.input(0).shape),),)

    def evaluate(self, operation: Operation, inputs: Sequence[Array | None]) -> tuple[Array, ...]:
        """The extents."""
        return (_extents(operation),)

    def access(self, operation: Operation, index: int) -> Access:
        """The elements are not read."""
        return WHOLE


def _extents(operation: Operation) -> Array:
    return np.array(operation.input(0).shape, operation.output.dtype.numpy)
