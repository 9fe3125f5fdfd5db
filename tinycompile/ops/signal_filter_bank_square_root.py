"""SignalFilterBankSquareRoot: rounded square roots of 64 bits, shifted right by what the second input says.

Source of the semantics: signal/src/square_root_32.cc and square_root_64.cc in tflite-micro: a root that fits 16 bits stays there.
"""

from collections.abc import Sequence
from math import isqrt

import numpy as np

from tinycompile.ir import Array, DType
from tinycompile.ops._limits import has_elements
from tinycompile.ops._signal import SignalOperator, is_vector
from tinycompile.ops._template import TemplateCode, TemplateKernel
from tinycompile.ops.base import Operation, TypeRule, register


def has_one_shift(operation: Operation) -> str | None:
    """The second input is one number; it must be from 0 to 31 at run time."""
    shift = operation.inputs[1]
    return None if shift is None or shift.elements == 1 else f"it is {shift.describe()}"


@register
class SignalFilterBankSquareRoot(SignalOperator):
    """SignalFilterBankSquareRoot of TFLM."""

    custom_code = "SignalFilterBankSquareRoot"
    types = (TypeRule((DType.UINT64, DType.INT32), (DType.UINT32,)),)
    min_inputs = 2
    limits = (has_elements, is_vector, has_one_shift)
    kernels = (TemplateKernel(lambda operation: _code(operation)),)

    def infer(self, operation: Operation) -> tuple[tuple[int, ...], ...]:
        """The shape of the first input."""
        return (operation.input(0).shape,)

    def evaluate(self, operation: Operation, inputs: Sequence[Array | None]) -> tuple[Array, ...]:
        """Exact roots, rounded to the nearest."""
        assert inputs[0] is not None and inputs[1] is not None
        shift = int(inputs[1].reshape(-1)[0]) & 31
        return (np.array([_root(int(value)) >> shift for value in inputs[0]], np.uint32),)


def _root(value: int) -> int:
    root = isqrt(value)
    greatest = 0xFFFF if value < 1 << 32 else 0xFFFFFFFF
    return root + (value - root * root > root and root != greatest)


def _code(operation: Operation) -> TemplateCode:
    elements = operation.output.elements
    return TemplateCode(
        "signal/square_root.c.j2", inputs=(0, 1), arguments=(elements,), cycles=300 * elements
    )
