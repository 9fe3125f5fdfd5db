"""L2_POOL_2D: the root of the mean square of each window, float32; what lies outside of the image does not count.

Source of the semantics: `L2Pool` in tensorflow/lite/kernels/internal/reference/pooling.h.
"""

from collections.abc import Sequence

import numpy as np

from tinycompile.ir import Array, DType
from tinycompile.ops._fused import clamped
from tinycompile.ops._pooling import Pooling, PoolRows, windows
from tinycompile.ops.base import Operation, TypeRule, register


@register
class L2Pool2D(Pooling):
    """L2_POOL_2D with a fused activation."""

    kind = "L2_POOL_2D"
    types = (TypeRule((DType.FLOAT32,), (DType.FLOAT32,)),)
    kernels = (PoolRows("l2_pool_2d/rows.c.j2"),)

    def evaluate(self, operation: Operation, inputs: Sequence[Array | None]) -> tuple[Array, ...]:
        """Squares, mean, root."""
        image = inputs[0]
        assert image is not None
        total = np.zeros(operation.output.shape, np.float32)
        for values in windows(operation, image, 0):
            total = total + values * values
        ones = np.ones((1, *image.shape[1:3], 1), np.float32)
        count = sum(windows(operation, ones, 0), np.zeros((), np.float32))
        return (clamped(operation, np.sqrt(total / count)),)
