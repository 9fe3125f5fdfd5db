"""NEG: the negative value."""

import numpy as np

from tinycompile.ir import Array, DType
from tinycompile.ops._activations import same_types
from tinycompile.ops._elementwise import Body, elementwise_kernels
from tinycompile.ops._limits import has_elements
from tinycompile.ops._lookup import Unary
from tinycompile.ops.base import Operation, register


@register
class Neg(Unary):
    """NEG; the least integer stays what it is."""

    kind = "NEG"
    types = same_types(DType.FLOAT32, DType.INT32, DType.INT64)
    limits = (has_elements,)
    kernels = elementwise_kernels(
        lambda operation, board: Body("neg/plain.c.j2", {"c_type": operation.output.dtype.c_type}, cycles=4)
    )

    def apply(self, operation: Operation, values: Array) -> Array:
        """0 - x, which wraps for integers."""
        with np.errstate(over="ignore"):
            return np.negative(values)
