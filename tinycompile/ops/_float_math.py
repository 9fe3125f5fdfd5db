"""Elementary functions of float32, element by element; the C expression of each kind stands in `unary/float.c.j2`."""

from typing import ClassVar

import numpy as np

from tinycompile.ir import Array, DType
from tinycompile.ops._activations import FloatKernel, same_types
from tinycompile.ops._limits import has_elements
from tinycompile.ops._lookup import Unary
from tinycompile.ops.base import Kernel, Limit, Operation


class FloatFunction(Unary):
    """Base of these operators."""

    function: ClassVar[np.ufunc]
    """The function, which is given float64 arrays."""
    types = same_types(DType.FLOAT32)
    limits: ClassVar[tuple[Limit, ...]] = (has_elements,)
    kernels: ClassVar[tuple[Kernel, ...]] = (FloatKernel(cycles=40),)

    def apply(self, operation: Operation, values: Array) -> Array:
        """In double, rounded to float32."""
        with np.errstate(all="ignore"):
            result: Array = self.function(values.astype(np.float64)).astype(np.float32)
        return result
