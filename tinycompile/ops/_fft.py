"""The real FFT of TFLM's front end: factors, permutation, twiddles, and the arithmetic of every step in fixed point.

A real transform of n points is a complex one of n / 2 points and a step that splits the spectrum. Fixed point divides by the
radix at each stage, so that nothing overflows; rounding is part of the semantics. Sources: `kiss_fft` and `kiss_fftr` as
TFLM builds them, with `FIXED_POINT` 16 and 32 and without (signal/src/kiss_fft_wrappers in tflite-micro).
"""

from dataclasses import dataclass
from functools import cache
from math import cos, floor, pi, sin

import numpy as np

from tinycompile.ir import Array, DType
from tinycompile.ops.base import Operation
from tinycompile.program import Constant, Parameter
from tinycompile.quant import Int64

FRACTION_BITS = {DType.INT16: 15, DType.INT32: 31}
TYPES = (*FRACTION_BITS, DType.FLOAT32)
GREATEST_LENGTH = 1 << 14


RADICES = (4, 2, 3, 5)
"""In the order in which factors are split off."""


def is_fft_length(length: int) -> bool:
    """True for the even numbers from 4 to 16384 without prime factors above 5."""
    if not 4 <= length <= GREATEST_LENGTH or length % 2:
        return False
    for radix in RADICES:
        while length % radix == 0:
            length //= radix
    return length == 1


@dataclass(frozen=True)
class Stage:
    """Butterflies of `radix` points, `span` apart; they take every `stride`-th twiddle."""

    radix: int
    span: int
    stride: int


@cache
def stages(points: int) -> tuple[Stage, ...]:
    """The stages of a complex FFT in the order of execution: the radix that is split off first comes last."""
    found: list[Stage] = []
    stride = 1
    while points > 1:
        radix = next(radix for radix in RADICES if points % radix == 0)
        points //= radix
        found.insert(0, Stage(radix, points, stride))
        stride *= radix
    return tuple(found)


@cache
def sources(points: int) -> tuple[int, ...]:
    """The input that each place of the first stage takes."""
    order = [0]
    for stage in reversed(stages(points)):
        order = [base + part * stage.stride for base in order for part in range(stage.radix)]
    return tuple(order)


def twiddles(points: int, dtype: DType, inverse: bool) -> Array:
    """[points, 2]: exp(-2 pi i k / points), conjugated for the inverse."""
    sign = 1.0 if inverse else -1.0
    return _unit_circle([sign * 2.0 * pi * k / points for k in range(points)], dtype)


def split_twiddles(points: int, dtype: DType, inverse: bool) -> Array:
    """[points / 2, 2]: what splits the spectrum of pairs into that of real samples."""
    sign = 1.0 if inverse else -1.0
    return _unit_circle([sign * pi * ((k + 1) / points + 0.5) for k in range(points // 2)], dtype)


def _unit_circle(phases: list[float], dtype: DType) -> Array:
    pairs = [(cos(phase), sin(phase)) for phase in phases]
    if dtype is DType.FLOAT32:
        return np.array(pairs, np.float32).reshape(-1, 2)
    greatest = (1 << FRACTION_BITS[dtype]) - 1
    scaled = [(floor(0.5 + greatest * re), floor(0.5 + greatest * im)) for re, im in pairs]
    return np.array(scaled, dtype.numpy).reshape(-1, 2)


class FixedPoint:
    """Complex numbers as int64 [..., 2], each operation rounded and wrapped to the type as the C does."""

    def __init__(self, dtype: DType) -> None:
        self.type = dtype.numpy
        self.bits = FRACTION_BITS[dtype]

    def wrap(self, values: Int64) -> Int64:
        """To the type and back."""
        return values.astype(self.type).astype(np.int64)

    def round(self, products: Int64) -> Int64:
        """Away from the fraction bits, halves up."""
        return self.wrap((products + (1 << (self.bits - 1))) >> self.bits)

    def divide(self, values: Int64, divisor: int) -> Int64:
        """By a small number, as a product with its reciprocal."""
        return self.round(values * (((1 << self.bits) - 1) // divisor))

    def multiply(self, a: Int64, b: Int64) -> Int64:
        """Of two complex numbers."""
        real = a[..., 0] * b[..., 0] - a[..., 1] * b[..., 1]
        imaginary = a[..., 0] * b[..., 1] + a[..., 1] * b[..., 0]
        return self.round(np.stack([real, imaginary], axis=-1))

    def fft(self, values: Int64, inverse: bool) -> Int64:
        """Complex FFT over [..., points, 2]."""
        points = values.shape[-2]
        table = twiddles(points, DType(self.type.name), inverse).astype(np.int64)
        values = values[..., list(sources(points)), :]
        for stage in stages(points):
            parts = values.reshape(*values.shape[:-2], -1, stage.radix, stage.span, 2)
            parts = self.divide(parts, stage.radix)
            steps = np.arange(stage.span) * stage.stride
            turned = [parts[..., 0, :, :]]
            turned += [self.multiply(parts[..., j, :, :], table[j * steps]) for j in range(1, stage.radix)]
            combined = _BUTTERFLIES[stage.radix](self, turned, _roots(table, stage), inverse)
            values = np.stack(combined, axis=-3).reshape(values.shape)
        return values

    def scale(self, values: Int64, factor: Int64) -> Int64:
        """Of complex numbers by a real one."""
        return self.round(values * factor)


def _roots(table: Int64, stage: Stage) -> Int64:
    """[2, 2]: the first two roots of unity of a stage's radix."""
    step = stage.span * stage.stride
    return table[[step % len(table), 2 * step % len(table)]]


def _turn(values: Int64) -> Int64:
    """Times -i."""
    return np.stack([values[..., 1], -values[..., 0]], axis=-1)


def _radix_2(fixed: FixedPoint, x: list[Int64], roots: Int64, inverse: bool) -> list[Int64]:
    return [fixed.wrap(x[0] + x[1]), fixed.wrap(x[0] - x[1])]


def _radix_3(fixed: FixedPoint, x: list[Int64], roots: Int64, inverse: bool) -> list[Int64]:
    total, difference = fixed.wrap(x[1] + x[2]), fixed.wrap(x[1] - x[2])
    middle = fixed.wrap(x[0] - (total >> 1))
    turned = _turn(fixed.scale(difference, roots[0, 1]))
    return [fixed.wrap(x[0] + total), fixed.wrap(middle - turned), fixed.wrap(middle + turned)]


def _radix_4(fixed: FixedPoint, x: list[Int64], roots: Int64, inverse: bool) -> list[Int64]:
    total, difference = fixed.wrap(x[1] + x[3]), fixed.wrap(x[1] - x[3])
    even, odd = fixed.wrap(x[0] + x[2]), fixed.wrap(x[0] - x[2])
    turned = _turn(difference) * (-1 if inverse else 1)
    sums = [even + total, odd + turned, even - total, odd - turned]
    return [fixed.wrap(values) for values in sums]


def _radix_5(fixed: FixedPoint, x: list[Int64], roots: Int64, inverse: bool) -> list[Int64]:
    outer, inner = fixed.wrap(x[1] + x[4]), fixed.wrap(x[2] + x[3])
    outer_difference, inner_difference = fixed.wrap(x[1] - x[4]), fixed.wrap(x[2] - x[3])
    (near, near_turn), (far, far_turn) = roots
    a = fixed.wrap(x[0] + fixed.scale(outer, near) + fixed.scale(inner, far))
    b = fixed.wrap(x[0] + fixed.scale(outer, far) + fixed.scale(inner, near))
    first = fixed.scale(outer_difference, near_turn) + fixed.scale(inner_difference, far_turn)
    second = fixed.scale(inner_difference, near_turn) - fixed.scale(outer_difference, far_turn)
    c, d = fixed.wrap(_turn(first)), fixed.wrap(_turn(second))
    return [fixed.wrap(v) for v in (x[0] + outer + inner, a - c, b + d, b - d, a + c)]


_BUTTERFLIES = {2: _radix_2, 3: _radix_3, 4: _radix_4, 5: _radix_5}


def conjugate(values: Int64) -> Int64:
    """Of [..., 2]."""
    conjugated: Int64 = values * np.array([1, -1])
    return conjugated


def fft_parameters(operation: Operation, points: int, inverse: bool) -> dict[str, Parameter]:
    """Holes of the templates."""
    dtype = operation.output.dtype
    return {
        "type": dtype.c_type,
        "bits": FRACTION_BITS.get(dtype, 0),
        "wide": "int64_t" if dtype is DType.INT32 else "int32_t",
        "points": points,
        "inverse": inverse,
        "stages": tuple((stage.radix, stage.span, stage.stride) for stage in stages(points)),
    }


def fft_constants(points: int, dtype: DType, inverse: bool) -> tuple[Constant, ...]:
    """Permutation, twiddles, and the twiddles of the split."""
    return (
        Constant("order", np.array(sources(points), np.uint16), "input of each place", is_weight=False),
        Constant("twiddles", twiddles(points, dtype, inverse), "cos, sin", is_weight=False),
        Constant("split", split_twiddles(points, dtype, inverse), "cos, sin", is_weight=False),
    )
