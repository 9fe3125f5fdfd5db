"""ELU: x where it is not negative, else exp(x) - 1."""

import numpy as np

from tinycompile.ir import Array, DType
from tinycompile.ops._activations import activation_kernels, same_types, through_float
from tinycompile.ops._limits import has_elements, has_per_tensor_quantization
from tinycompile.ops._lookup import Unary
from tinycompile.ops.base import Operation, register


@register
class Elu(Unary):
    """ELU."""

    kind = "ELU"
    types = same_types(DType.INT8, DType.FLOAT32)
    limits = (has_elements, has_per_tensor_quantization)
    kernels = activation_kernels(cycles=50)

    def apply(self, operation: Operation, values: Array) -> Array:
        """Through float32 for int8."""
        return _elu(values) if values.dtype == np.float32 else through_float(operation, values, _elu)


def _elu(values: Array) -> Array:
    wide = values.astype(np.float64)
    return np.where(wide < 0, np.expm1(np.minimum(wide, 0)), wide).astype(np.float32)
