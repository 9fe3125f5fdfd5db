"""Reductions that keep the stored values: REDUCE_MAX, REDUCE_MIN, REDUCE_PROD, REDUCE_ANY and REDUCE_ALL."""

from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from tinycompile.ir import Array, DType
from tinycompile.ops._limits import has_same_quantization
from tinycompile.ops._reduce import Form, ReduceKernel, Reduction, axes_of, reduced_elements
from tinycompile.ops.base import Operation, TypeRule


def reduce_types(*dtypes: DType) -> tuple[TypeRule, ...]:
    """Input and output have one of these types, axes are int32."""
    return tuple(TypeRule((dtype, DType.INT32), (dtype,)) for dtype in dtypes)


class PlainReduction(Reduction):
    """Base of these operators."""

    function: ClassVar[np.ufunc]
    """The function of two elements."""
    form_name: ClassVar[str]
    """Its name in `reduce/reduce.c.j2`."""
    limits = (*Reduction.limits, has_same_quantization)
    kernels = (ReduceKernel(),)

    def evaluate(self, operation: Operation, inputs: Sequence[Array | None]) -> tuple[Array, ...]:
        """One axis after the other."""
        values = inputs[0]
        assert values is not None
        with np.errstate(over="ignore", invalid="ignore"):
            for axis in axes_of(operation):
                values = self.function.reduce(values, axis=axis, keepdims=True, dtype=values.dtype)
        return (values.reshape(operation.output.shape),)

    def form(self, operation: Operation) -> Form:
        """The form of the class."""
        return Form(self.form_name, count=reduced_elements(operation))
