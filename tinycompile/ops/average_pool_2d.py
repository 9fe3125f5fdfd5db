"""AVERAGE_POOL_2D: the mean of each window; what lies outside of the image does not count.

Source of the semantics: `AveragePool` in tensorflow/lite/kernels/internal/reference/integer_ops/pooling.h and pooling.h.
"""

from collections.abc import Sequence

import numpy as np

from tinycompile.ir import Array, DType
from tinycompile.ops._fused import clamped
from tinycompile.ops._pool_accumulate import AveragePoolAccumulate
from tinycompile.ops._pool_asm import AveragePoolAsm
from tinycompile.ops._pool_dsp import AveragePoolDsp
from tinycompile.ops._pooling import Pooling, PoolRows, windows
from tinycompile.ops.base import Operation, register


@register
class AveragePool2D(Pooling):
    """AVERAGE_POOL_2D with a fused activation."""

    kind = "AVERAGE_POOL_2D"
    kernels = (
        AveragePoolAsm(),
        AveragePoolDsp(),
        PoolRows("average_pool_2d/rows.c.j2"),
        AveragePoolAccumulate(),
    )

    def evaluate(self, operation: Operation, inputs: Sequence[Array | None]) -> tuple[Array, ...]:
        """Sums divided by the number of elements in the image; integers are rounded, ties away from zero."""
        image = inputs[0]
        assert image is not None
        wide = image if operation.output.dtype is DType.FLOAT32 else image.astype(np.int64)
        total = np.zeros(operation.output.shape, wide.dtype)
        for values in windows(operation, wide, 0):
            total = total + values
        ones = np.ones((1, *image.shape[1:3], 1), wide.dtype)
        count = sum(windows(operation, ones, 0), np.zeros((), wide.dtype))
        if operation.output.dtype is DType.FLOAT32:
            return (clamped(operation, total / count),)
        return (clamped(operation, np.sign(total) * ((np.abs(total) + count // 2) // count)),)
