"""SignalIrfft: real samples from pairs of real and imaginary part; the inverse of SignalRfft.

Fixed point divides by fft_length on the way, as float does in the end. Source of the semantics: signal/micro/kernels/irfft.cc
and signal/src/irfft_*.cc in tflite-micro; arithmetic: `_fft.py`.
"""

from collections.abc import Sequence

import numpy as np

from tinycompile.ir import Array, DType, Options
from tinycompile.ops._fft import TYPES, FixedPoint, conjugate, fft_constants, fft_parameters, split_twiddles
from tinycompile.ops._limits import has_elements
from tinycompile.ops._signal import SignalOperator, has_dimension, integer_option
from tinycompile.ops._template import TemplateCode, TemplateKernel
from tinycompile.ops.base import Operation, TypeRule, register
from tinycompile.ops.signal_rfft import FftAttributes, fft_length, has_fft_length
from tinycompile.quant import Int64


def has_all_pairs(operation: Operation) -> str | None:
    """The last dimension has `fft_length` + 2 elements."""
    source = operation.inputs[0]
    if source is None or not source.shape or source.shape[-1] == fft_length(operation) + 2:
        return None
    return f"{source.describe()}, fft_length {fft_length(operation)}"


@register
class SignalIrfft(SignalOperator):
    """SignalIrfft of TFLM."""

    custom_code = "SignalIrfft"
    types = tuple(TypeRule((dtype,), (dtype,)) for dtype in TYPES)
    limits = (has_elements, has_dimension, has_fft_length, has_all_pairs)
    kernels = (TemplateKernel(lambda operation: _code(operation)),)

    def parse(self, options: Options) -> FftAttributes:
        """Read the options."""
        return FftAttributes(integer_option(options, "fft_length"))

    def infer(self, operation: Operation) -> tuple[tuple[int, ...], ...]:
        """Samples in the last dimension."""
        return ((*operation.input(0).shape[:-1], fft_length(operation)),)

    def evaluate(self, operation: Operation, inputs: Sequence[Array | None]) -> tuple[Array, ...]:
        """Each row by itself."""
        assert inputs[0] is not None
        output = operation.output
        pairs = inputs[0].reshape(*output.shape[:-1], -1, 2)
        if output.dtype is DType.FLOAT32:
            wide = pairs.astype(np.float64)
            samples: Array = np.fft.irfft(wide[..., 0] + 1j * wide[..., 1])
        else:
            samples = _fixed_point(pairs.astype(np.int64), output.dtype)
        return (samples.reshape(output.shape).astype(output.dtype.numpy),)


def _fixed_point(pairs: Int64, dtype: DType) -> Int64:
    fixed, points = FixedPoint(dtype), pairs.shape[-2] - 1
    spectrum = np.zeros((*pairs.shape[:-2], points, 2), np.int64)
    first, last = pairs[..., 0, 0], pairs[..., points, 0]
    spectrum[..., 0, :] = fixed.divide(fixed.wrap(np.stack([first + last, first - last], axis=-1)), 2)
    k = np.arange(1, points // 2 + 1)
    here = fixed.divide(pairs[..., k, :], 2)
    there = fixed.divide(fixed.wrap(conjugate(pairs[..., points - k, :])), 2)
    even, odd = fixed.wrap(here + there), fixed.wrap(here - there)
    turned = fixed.multiply(odd, split_twiddles(points, dtype, True).astype(np.int64))
    spectrum[..., k, :] = fixed.wrap(even + turned)
    spectrum[..., points - k, :] = fixed.wrap(conjugate(fixed.wrap(even - turned)))
    return fixed.fft(spectrum, inverse=True)


def _code(operation: Operation) -> TemplateCode:
    source, length = operation.input(0), fft_length(operation)
    points, rows = length // 2, source.elements // source.shape[-1]
    return TemplateCode(
        "signal/irfft.c.j2",
        parameters=fft_parameters(operation, points, inverse=True),
        constants=fft_constants(points, source.dtype, inverse=True),
        arguments=(rows,),
        cycles=rows * 8 * length * length.bit_length(),
    )
