"""EXP: e**x, see `_float_math.py`."""

import numpy as np

from tinycompile.ir import Array, DType
from tinycompile.ops._activations import activation_kernels, same_types, through_float
from tinycompile.ops._float_math import FloatFunction
from tinycompile.ops._limits import has_elements, has_per_tensor_quantization
from tinycompile.ops.base import Operation, register


@register
class Exp(FloatFunction):
    """EXP."""

    kind = "EXP"
    function = np.exp
    types = same_types(DType.INT8, DType.FLOAT32)
    limits = (has_elements, has_per_tensor_quantization)
    kernels = activation_kernels(cycles=40)

    def apply(self, operation: Operation, values: Array) -> Array:
        """int8 through a table that is filled in float32."""
        if values.dtype == np.float32:
            return super().apply(operation, values)
        return through_float(operation, values, lambda real: super(Exp, self).apply(operation, real))
