"""SignalFftAutoScale: samples shifted left until the greatest one fills 16 bits, and by how many bits.

Source of the semantics: signal/src/fft_auto_scale.cc and max_abs.cc in tflite-micro. There the magnitude of -32768 wraps to
-32768, so that what follows it counts again: the maximum depends on the order.
"""

from collections.abc import Sequence

import numpy as np

from tinycompile.ir import Array, DType
from tinycompile.ops._limits import has_elements
from tinycompile.ops._signal import SignalOperator, is_vector
from tinycompile.ops._template import TemplateCode, TemplateKernel
from tinycompile.ops.base import Operation, TypeRule, register


@register
class SignalFftAutoScale(SignalOperator):
    """SignalFftAutoScale of TFLM; the second output is the shift."""

    custom_code = "SignalFftAutoScale"
    types = (TypeRule((DType.INT16,), (DType.INT16, DType.INT32)),)
    limits = (has_elements, is_vector)
    kernels = (TemplateKernel(lambda operation: _code(operation)),)

    def infer(self, operation: Operation) -> tuple[tuple[int, ...], ...]:
        """The samples, and a scalar."""
        return operation.input(0).shape, ()

    def evaluate(self, operation: Operation, inputs: Sequence[Array | None]) -> tuple[Array, ...]:
        """Leading zeros of the maximum but one."""
        assert inputs[0] is not None
        shift = 16 - _bits(_greatest(inputs[0])) - 1
        shift = max(shift, 0)
        return (inputs[0].astype(np.int32) << shift).astype(np.int16), np.array(shift, np.int32)

    def overwrites(self, operation: Operation) -> tuple[int, ...]:
        """The maximum is known before the first sample is written."""
        return (0,)


def _greatest(samples: Array) -> int:
    greatest = 0
    for sample in map(int, samples):
        if sample > greatest:
            greatest = sample
        elif -sample > greatest:
            greatest = -sample if sample > -32768 else -32768
    return greatest


def _bits(greatest: int) -> int:
    """Bits of the maximum as uint32; 32 for 0, as TFLM's function says."""
    return (greatest & 0xFFFFFFFF).bit_length() or 32


def _code(operation: Operation) -> TemplateCode:
    elements = operation.input(0).elements
    return TemplateCode("signal/fft_auto_scale.c.j2", arguments=(elements,), cycles=9 * elements)
