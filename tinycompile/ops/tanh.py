"""TANH."""

import numpy as np

from tinycompile.ir import Array, DType
from tinycompile.ops._activations import activation_kernels, same_types, through_float
from tinycompile.ops._limits import has_elements, has_per_tensor_quantization
from tinycompile.ops._lookup import Unary
from tinycompile.ops._sigmoid_int16 import SigmoidInt16Kernel, has_sigmoid_scales, sigmoid_int16
from tinycompile.ops.base import Operation, register


@register
class Tanh(Unary):
    """TANH."""

    kind = "TANH"
    types = same_types(DType.INT8, DType.UINT8, DType.INT16, DType.FLOAT32)
    limits = (has_elements, has_per_tensor_quantization, has_sigmoid_scales)
    kernels = (*activation_kernels(cycles=60), SigmoidInt16Kernel())

    def apply(self, operation: Operation, values: Array) -> Array:
        """Through float32 for quantized types."""
        if values.dtype == np.float32:
            return np.tanh(values.astype(np.float64)).astype(np.float32)
        if values.dtype == np.int16:
            return sigmoid_int16(operation, values)
        return through_float(operation, values, lambda x: np.tanh(x.astype(np.float64)))
