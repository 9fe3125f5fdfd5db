"""MEAN: the mean over some axes. See `_mean_sum.py` for the quantized computation."""

from collections.abc import Sequence

import numpy as np

from tinycompile.ir import Array, DType
from tinycompile.ops._limits import QUANTIZED, has_per_tensor_quantization
from tinycompile.ops._mean_sum import has_bounded_scale, scaled_sum, scaled_sum_form
from tinycompile.ops._reduce import Form, ReduceKernel, Reduction, axes_of, reduced_elements
from tinycompile.ops._reduce_asm import ColumnSumKernel
from tinycompile.ops.base import Operation, TypeRule, register


@register
class Mean(Reduction):
    """MEAN over constant axes."""

    kind = "MEAN"
    types = tuple(
        TypeRule((dtype, DType.INT32), (dtype,))
        for dtype in (DType.INT8, DType.UINT8, DType.INT16, DType.INT32, DType.INT64, DType.FLOAT32)
    )
    limits = (*Reduction.limits, has_per_tensor_quantization, has_bounded_scale)
    kernels = (ReduceKernel(), ColumnSumKernel())

    def evaluate(self, operation: Operation, inputs: Sequence[Array | None]) -> tuple[Array, ...]:
        """Scaled sums for quantized types; integers are divided towards zero."""
        values, dtype = inputs[0], operation.output.dtype
        assert values is not None
        if dtype in QUANTIZED:
            return (scaled_sum(operation, values, divide=True),)
        total = values.sum(axis=axes_of(operation), dtype=None if dtype is DType.FLOAT32 else np.int64)
        count = reduced_elements(operation)
        mean = (
            total / np.float32(count) if dtype is DType.FLOAT32 else np.sign(total) * (np.abs(total) // count)
        )
        return (mean.reshape(operation.output.shape).astype(dtype.numpy),)

    def form(self, operation: Operation) -> Form:
        """By type."""
        dtype = operation.output.dtype
        if dtype in QUANTIZED:
            return scaled_sum_form(operation, divide=True)
        name = "real_mean" if dtype is DType.FLOAT32 else "integer_mean"
        return Form(name, count=reduced_elements(operation))
