"""LOGISTIC: 1 / (1 + exp(-x))."""

import numpy as np

from tinycompile.ir import Array, DType
from tinycompile.ops._activations import activation_kernels, same_types, through_float
from tinycompile.ops._limits import has_elements, has_per_tensor_quantization
from tinycompile.ops._lookup import Unary
from tinycompile.ops._sigmoid_int16 import SigmoidInt16Kernel, has_sigmoid_scales, sigmoid_int16
from tinycompile.ops.base import Operation, register


@register
class Logistic(Unary):
    """LOGISTIC: 1 / (1 + exp(-x))."""

    kind = "LOGISTIC"
    types = same_types(DType.INT8, DType.UINT8, DType.INT16, DType.FLOAT32)
    limits = (has_elements, has_per_tensor_quantization, has_sigmoid_scales)
    kernels = (*activation_kernels(cycles=60), SigmoidInt16Kernel())

    def apply(self, operation: Operation, values: Array) -> Array:
        """Through float32 for quantized types; for float32 exp(x) below -9, as the reference has it."""
        if values.dtype == np.float32:
            exponentials = np.exp(values.astype(np.float64))
            return np.where(values < -9.0, exponentials, _logistic(values)).astype(np.float32)
        if values.dtype == np.int16:
            return sigmoid_int16(operation, values)
        return through_float(operation, values, _logistic)


def _logistic(values: Array) -> Array:
    """In double."""
    with np.errstate(over="ignore"):
        result: Array = 1.0 / (1.0 + np.exp(-values.astype(np.float64)))
    return result
