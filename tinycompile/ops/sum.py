"""SUM over some axes. See `_mean_sum.py` for the quantized computation.

For int8 and int16 TensorFlow Lite Micro is followed: the reference of tflite_runtime uses a multiplier that it never set.
"""

from collections.abc import Sequence

import numpy as np

from tinycompile.ir import Array, DType
from tinycompile.ops._limits import QUANTIZED, has_per_tensor_quantization
from tinycompile.ops._mean_sum import has_bounded_scale, scaled_sum, scaled_sum_form
from tinycompile.ops._reduce import Form, ReduceKernel, Reduction, axes_of, reduced_elements
from tinycompile.ops._reduce_asm import ColumnSumKernel
from tinycompile.ops.base import Operation, TypeRule, register


@register
class Sum(Reduction):
    """SUM over constant axes."""

    kind = "SUM"
    types = tuple(
        TypeRule((dtype, DType.INT32), (dtype,))
        for dtype in (DType.INT8, DType.INT16, DType.INT32, DType.INT64, DType.FLOAT32)
    )
    limits = (*Reduction.limits, has_per_tensor_quantization, has_bounded_scale)
    kernels = (ReduceKernel(), ColumnSumKernel())

    def evaluate(self, operation: Operation, inputs: Sequence[Array | None]) -> tuple[Array, ...]:
        """Scaled for quantized types, else in the type itself."""
        values = inputs[0]
        assert values is not None
        if operation.output.dtype in QUANTIZED:
            return (scaled_sum(operation, values, divide=False),)
        total = values.sum(axis=axes_of(operation), dtype=values.dtype)
        return (np.asarray(total).reshape(operation.output.shape),)

    def form(self, operation: Operation) -> Form:
        """By type."""
        if operation.output.dtype in QUANTIZED:
            return scaled_sum_form(operation, divide=False)
        return Form("plain_sum", count=reduced_elements(operation))
