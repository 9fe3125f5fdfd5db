"""What SELECT and SELECT_V2 share: an element of the second or of the third input, as the first one says."""

from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from tinycompile.ir import Array, DType
from tinycompile.ops._elementwise import Body, Elementwise, elementwise_kernels, has_broadcast_shapes
from tinycompile.ops._limits import has_elements
from tinycompile.ops.base import Limit, Operation, TypeRule

SELECT_TYPES = tuple(
    TypeRule((DType.BOOL, dtype, dtype), (dtype,))
    for dtype in (DType.INT8, DType.UINT8, DType.INT16, DType.INT32, DType.INT64, DType.FLOAT32, DType.BOOL)
)


class Selection(Elementwise):
    """Base of these operators."""

    types = SELECT_TYPES
    limits: ClassVar[tuple[Limit, ...]] = (has_elements, has_broadcast_shapes)
    min_inputs = 3
    kernels = elementwise_kernels(
        lambda operation, board: Body(
            "select/plain.c.j2", {"c_type": operation.output.dtype.c_type}, cycles=7
        )
    )

    def evaluate(self, operation: Operation, inputs: Sequence[Array | None]) -> tuple[Array, ...]:
        """Choose element by element."""
        condition, first, second = inputs
        assert condition is not None and first is not None and second is not None
        return (np.where(condition, first, second),)
