"""MAX_POOL_2D: the greatest element of each window; what lies outside of the image does not count.

Source of the semantics: `MaxPool` in tensorflow/lite/kernels/internal/reference/integer_ops/pooling.h and pooling.h.
"""

from collections.abc import Sequence

import numpy as np

from tinycompile.ir import Array, DType
from tinycompile.ops._fused import clamped
from tinycompile.ops._pool_asm import MaxPoolAsm
from tinycompile.ops._pool_dsp import MaxPoolDsp
from tinycompile.ops._pooling import Pooling, PoolRows, windows
from tinycompile.ops.base import Operation, register


@register
class MaxPool2D(Pooling):
    """MAX_POOL_2D with a fused activation."""

    kind = "MAX_POOL_2D"
    kernels = (
        MaxPoolAsm(),
        MaxPoolDsp(),
        PoolRows("max_pool_2d/rows.c.j2"),
    )

    def evaluate(self, operation: Operation, inputs: Sequence[Array | None]) -> tuple[Array, ...]:
        """The greatest value over the taps."""
        image, dtype = inputs[0], operation.output.dtype
        assert image is not None
        lowest = float(np.finfo(np.float32).min) if dtype is DType.FLOAT32 else dtype.limits[0]
        greatest = np.full(operation.output.shape, lowest, dtype.numpy)
        for values in windows(operation, image, lowest):
            greatest = np.maximum(greatest, values)
        return (clamped(operation, greatest),)
