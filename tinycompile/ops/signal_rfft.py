"""SignalRfft: the spectrum of real samples, as pairs of real and imaginary part.

The last dimension is filled up with zeros to `fft_length`; the result has fft_length / 2 + 1 pairs. Source of the semantics:
signal/micro/kernels/rfft.cc and signal/src/rfft_*.cc in tflite-micro; arithmetic: `_fft.py`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tinycompile.ir import Array, Attributes, DType, Options
from tinycompile.ops._fft import (
    TYPES,
    FixedPoint,
    conjugate,
    fft_constants,
    fft_parameters,
    is_fft_length,
    split_twiddles,
)
from tinycompile.ops._limits import has_elements
from tinycompile.ops._signal import SignalOperator, has_dimension, integer_option
from tinycompile.ops._template import TemplateCode, TemplateKernel
from tinycompile.ops.base import Operation, TypeRule, register
from tinycompile.quant import Int64


@dataclass(frozen=True)
class FftAttributes(Attributes):
    """Options of SignalRfft and SignalIrfft."""

    fft_length: int


def fft_length(operation: Operation) -> int:
    """Samples of the transform."""
    assert isinstance(operation.node.attributes, FftAttributes)
    return operation.node.attributes.fft_length


def has_fft_length(operation: Operation) -> str | None:
    """`fft_length` is even, from 4 to 16384, and has no prime factor above 5."""
    length = fft_length(operation)
    return None if is_fft_length(length) else f"it is {length}"


def has_enough_points(operation: Operation) -> str | None:
    """The last dimension has at most `fft_length` samples."""
    source = operation.inputs[0]
    if source is None or not source.shape or source.shape[-1] <= fft_length(operation):
        return None
    return f"{source.describe()}, fft_length {fft_length(operation)}"


@register
class SignalRfft(SignalOperator):
    """SignalRfft of TFLM."""

    custom_code = "SignalRfft"
    types = tuple(TypeRule((dtype,), (dtype,)) for dtype in TYPES)
    limits = (has_elements, has_dimension, has_fft_length, has_enough_points)
    kernels = (TemplateKernel(lambda operation: _code(operation)),)

    def parse(self, options: Options) -> FftAttributes:
        """Read the options."""
        return FftAttributes(integer_option(options, "fft_length"))

    def infer(self, operation: Operation) -> tuple[tuple[int, ...], ...]:
        """Pairs in the last dimension."""
        return ((*operation.input(0).shape[:-1], fft_length(operation) + 2),)

    def evaluate(self, operation: Operation, inputs: Sequence[Array | None]) -> tuple[Array, ...]:
        """Each row by itself."""
        samples, output = inputs[0], operation.output
        assert samples is not None
        padding = [(0, 0)] * (samples.ndim - 1) + [(0, fft_length(operation) - samples.shape[-1])]
        padded = np.pad(samples, padding)
        if output.dtype is DType.FLOAT32:
            spectrum = np.fft.rfft(padded.astype(np.float64))
            pairs: Array = np.stack([spectrum.real, spectrum.imag], axis=-1)
        else:
            pairs = _fixed_point(padded.astype(np.int64), output.dtype)
        return (pairs.reshape(output.shape).astype(output.dtype.numpy),)


def _fixed_point(samples: Int64, dtype: DType) -> Int64:
    fixed, points = FixedPoint(dtype), samples.shape[-1] // 2
    spectrum = fixed.fft(samples.reshape(*samples.shape[:-1], points, 2), inverse=False)
    half = fixed.divide(spectrum, 2)
    first = np.stack([half[..., 0, 0] + half[..., 0, 1], half[..., 0, 0] - half[..., 0, 1]], axis=-1)
    result = np.zeros((*samples.shape[:-1], points + 1, 2), np.int64)
    result[..., [0, points], 0] = fixed.wrap(first)
    k = np.arange(1, points // 2 + 1)
    here, there = half[..., k, :], fixed.divide(fixed.wrap(conjugate(spectrum[..., points - k, :])), 2)
    even, odd = fixed.wrap(here + there), fixed.wrap(here - there)
    turned = fixed.multiply(odd, split_twiddles(points, dtype, False).astype(np.int64))
    mirrored = np.stack([even[..., 0] - turned[..., 0], turned[..., 1] - even[..., 1]], axis=-1)
    result[..., k, :] = _half(fixed, even + turned)
    result[..., points - k, :] = _half(fixed, mirrored)
    return result


def _half(fixed: FixedPoint, sums: Int64) -> Int64:
    """Rounded down; sums of int16 are as wide as an int, those of int32 wrap."""
    return (fixed.wrap(sums) if fixed.bits == 31 else sums) >> 1


def _code(operation: Operation) -> TemplateCode:
    source, length = operation.input(0), fft_length(operation)
    points, rows = length // 2, source.elements // source.shape[-1]
    return TemplateCode(
        "signal/rfft.c.j2",
        parameters=fft_parameters(operation, points, inverse=False),
        constants=fft_constants(points, source.dtype, inverse=False),
        arguments=(rows, source.shape[-1]),
        cycles=rows * 8 * length * length.bit_length(),
    )
