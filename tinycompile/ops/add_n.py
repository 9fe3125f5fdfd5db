"""ADD_N: the sum of any number of tensors of one shape, in order.

Source of the semantics: tensorflow/lite/kernels/internal/reference/add_n.h; int8 as TensorFlow Lite Micro has it.
"""

from collections.abc import Sequence

import numpy as np

from tinycompile.ir import Array, DType
from tinycompile.ops._elementwise import Body, Elementwise, elementwise_kernels
from tinycompile.ops._limits import has_elements, has_per_tensor_quantization
from tinycompile.ops._sums import SUM_BITS, has_small_steps, scaled_sums, sum_arguments
from tinycompile.ops.base import Operation, TypeRule, register


def has_one_shape(operation: Operation) -> str | None:
    """All inputs have one shape."""
    shapes = {tensor.shape if tensor is not None else None for tensor in operation.inputs}
    return None if len(shapes) == 1 and None not in shapes else f"{len(shapes)} shapes"


def has_one_quantization(operation: Operation) -> str | None:
    """int8: all inputs have one scale and zero point."""
    if has_per_tensor_quantization(operation):
        return None
    pairs = {(t.scale, t.zero_point) for t in operation.inputs if t is not None and t.dtype is DType.INT8}
    return f"{len(pairs)} of them" if len(pairs) > 1 else None


@register
class AddN(Elementwise):
    """ADD_N."""

    kind = "ADD_N"
    types = tuple(TypeRule((dtype,), (dtype,)) for dtype in (DType.INT8, DType.INT32, DType.FLOAT32))
    limits = (has_elements, has_one_shape, has_per_tensor_quantization, has_one_quantization, has_small_steps)
    max_inputs = 1 << 16
    kernels = elementwise_kernels(lambda operation, board: _body(operation))

    def evaluate(self, operation: Operation, inputs: Sequence[Array | None]) -> tuple[Array, ...]:
        """One after the other."""
        quantized = operation.output.dtype is DType.INT8
        wide = np.dtype(np.int64) if quantized else operation.output.dtype.numpy
        total = np.zeros(operation.output.shape, wide)
        for array in inputs:
            assert array is not None
            total = (
                total + array.astype(wide) - (operation.input(0).zero_point if quantized else wide.type(0))
            )
        return (scaled_sums(operation, total) if quantized else total,)


def _body(operation: Operation) -> Body:
    quantized = operation.output.dtype is DType.INT8
    return Body(
        "add_n/plain.c.j2",
        {
            "c_type": operation.output.dtype.c_type,
            "quantized": quantized,
            "inputs": len(operation.inputs),
            "sum_bits": SUM_BITS,
        },
        arguments=sum_arguments(operation) if quantized else (),
        runtime=("tc_requantize.h",) if quantized else (),
        cycles=(15 if quantized else 3) + 2 * len(operation.inputs),
    )
