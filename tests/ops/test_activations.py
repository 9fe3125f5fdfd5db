"""Activations against the reference: all values of 8-bit types, zero points at both ends, scales apart, float32."""

from collections.abc import Iterator
from types import MappingProxyType
from typing import Any

import numpy as np

from tests.ops.case import Array, Case, one_op
from tests.ops.matrix import OperatorMatrix
from tflite_support.builder import Spec

_RANGES = {"int8": (-128, 127), "uint8": (0, 255), "int16": (-32768, 32767)}
_SCALES = ((0.05, 0.05), (0.05, 0.03), (0.11, 0.5), (0.003, 0.004), (0.25, 0.125), (1.7, 0.9))
"""Of the input and of the output."""

_RATIO = "TFLM divides the scales in double, tflite-runtime in float32: 0.003 / 0.004 is 0.75 only there"
_NEGATIVE = "a factor of -1/2 makes ties: 63.5 becomes 64 in tflite-runtime and 63 in TFLM"


def _all_values(dtype: str) -> Array:
    low, high = _RANGES[dtype]
    return np.arange(low, high + 1, 1 if dtype != "int16" else 11, dtype=dtype)


def _one(name: str, kind: str, x: Spec, y: Spec, values: Array, **options: Any) -> Case:
    made = one_op(name, kind, [x], y, version=1, **options)
    return Case(made.id, made.model, ((values,),), made.oracle)


def quantized(
    kind: str, dtype: str, output: tuple[float, int] | None = None, **options: Any
) -> Iterator[Case]:
    """Every value of a type for some scales and zero points; `output` fixes those of the output."""
    low, high = _RANGES[dtype] if dtype != "int16" else (0, 0)
    values = _all_values(dtype)
    for index, (scale, out_scale) in enumerate(_SCALES):
        zero_points = ((low + high) // 2, low, high, low + 17 if low else 0)
        zero_point, out_zero_point = zero_points[index % 4], zero_points[(index // 2) % 4]
        out_scale, out_zero_point = output or (out_scale, out_zero_point)
        x = Spec(values.shape, dtype, float(np.float32(scale)), zero_point)
        y = Spec(values.shape, dtype, float(np.float32(out_scale)), out_zero_point)
        yield _one(f"{dtype}_{index}{_suffix(options)}", kind, x, y, values, **options)


def powers_of_two(kind: str) -> Iterator[Case]:
    """int16 with scales that the reference may take apart from others."""
    values = _all_values("int16")
    for exponent in (-20, -16, -13, -12, -11, -10, -9):
        x, y = Spec(values.shape, "int16", 2.0**exponent), Spec(values.shape, "int16", 1 / 32768)
        yield _one(f"int16_2_to_{exponent}", kind, x, y, values)


def _not_negative(kind: str) -> Iterator[Case]:
    """int8 from the zero point up."""
    for index, (scale, out_scale) in enumerate(_SCALES):
        zero_point, out_zero_point = (-128, 0, 100)[index % 3], (-128, 3)[index % 2]
        values = np.arange(zero_point, 128, dtype=np.int8)
        x = Spec(values.shape, "int8", float(np.float32(scale)), zero_point)
        y = Spec(values.shape, "int8", float(np.float32(out_scale)), out_zero_point)
        yield _one(f"int8_{index}", kind, x, y, values)


def floats(kind: str, values: Array | None = None, **options: Any) -> Case:
    """float32, far from zero and near it."""
    if values is None:
        values = np.concatenate([np.linspace(-12, 12, 401), np.linspace(-0.01, 0.01, 41)])
    spec = Spec(values.shape, "float32")
    return _one(f"float32{_suffix(options)}", kind, spec, spec, values.astype(np.float32), **options)


def _suffix(options: dict[str, Any]) -> str:
    return "".join(f"_{key}_{value}" for key, value in options.items())


class TestRelu(OperatorMatrix):
    cases = (
        *quantized("RELU", "int8"),
        *quantized("RELU", "uint8"),
        *quantized("RELU", "int16"),
        floats("RELU"),
    )
    tflm_differs = MappingProxyType({"int8_3": _RATIO, "int16_3": _RATIO})


class TestRelu6(OperatorMatrix):
    cases = (
        *quantized("RELU6", "int8"),
        *quantized("RELU6", "uint8"),
        *quantized("RELU6", "int16"),
        floats("RELU6"),
    )
    tflm_differs = MappingProxyType(
        {f"{dtype}_{i}": "TFLM does not rescale" for dtype in ("int8", "int16") for i in range(1, 6)}
    )


class TestReluN1To1(OperatorMatrix):
    cases = (*quantized("RELU_N1_TO_1", "int8"), *quantized("RELU_N1_TO_1", "uint8"), floats("RELU_N1_TO_1"))


class TestLeakyRelu(OperatorMatrix):
    cases = tuple(
        case
        for alpha in (0.1, 0.3, -0.5, 1.5)
        for case in (
            *quantized("LEAKY_RELU", "int8", alpha=alpha),
            *quantized("LEAKY_RELU", "uint8", alpha=alpha),
            *quantized("LEAKY_RELU", "int16", alpha=alpha),
            floats("LEAKY_RELU", alpha=alpha),
        )
    )
    tflm_differs = MappingProxyType(
        {f"{dtype}_3_alpha_{alpha}": _RATIO for dtype in ("int8", "int16") for alpha in (0.1, 0.3, -0.5, 1.5)}
        | {f"{dtype}_0_alpha_-0.5": _NEGATIVE for dtype in ("int8", "int16")}
    )


class TestTanh(OperatorMatrix):
    cases = (
        *quantized("TANH", "int8", (1 / 128, 0)),
        *quantized("TANH", "uint8", (1 / 128, 128)),
        *quantized("TANH", "int16", (1 / 32768, 0)),
        *powers_of_two("TANH"),
        floats("TANH"),
    )


class TestLogistic(OperatorMatrix):
    cases = (
        *quantized("LOGISTIC", "int8", (1 / 256, -128)),
        *quantized("LOGISTIC", "uint8", (1 / 256, 0)),
        *quantized("LOGISTIC", "int16", (1 / 32768, 0)),
        *powers_of_two("LOGISTIC"),
        floats("LOGISTIC"),
    )


class TestHardSwish(OperatorMatrix):
    cases = (*quantized("HARD_SWISH", "int8"), *quantized("HARD_SWISH", "uint8"), floats("HARD_SWISH"))


class TestGelu(OperatorMatrix):
    cases = tuple(
        case
        for approximate in (False, True)
        for case in (
            *quantized("GELU", "int8", approximate=approximate),
            *quantized("GELU", "uint8", approximate=approximate),
            floats("GELU", approximate=approximate),
        )
    )


class TestAbs(OperatorMatrix):
    cases = (*quantized("ABS", "int8"), *quantized("ABS", "int16"), floats("ABS"))
    tflm_differs = MappingProxyType({"int8_3": _RATIO, "int16_3": _RATIO})


class TestNeg(OperatorMatrix):
    cases = (
        floats("NEG"),
        *(one_op(t, "NEG", [Spec((3, 5), t)], Spec((3, 5), t)) for t in ("int32", "int64")),
    )


class TestExp(OperatorMatrix):
    cases = tuple(quantized("EXP", "int8"))


class TestRsqrt(OperatorMatrix):
    """int8; the references stop at negative values."""

    cases = tuple(_not_negative("RSQRT"))


class TestFloatFunctions(OperatorMatrix):
    """SQUARE, SQRT, RSQRT, EXP, LOG, SIN, COS and FLOOR of float32."""

    _positive = np.concatenate([np.linspace(0.01, 30, 301), [1e-12, 1e12]])
    cases = tuple(
        Case(kind, case.model, case.samples)
        for kind, case in (
            ("square", floats("SQUARE")),
            ("sqrt", floats("SQRT", _positive)),
            ("rsqrt", floats("RSQRT", _positive)),
            ("exp", floats("EXP")),
            ("log", floats("LOG", _positive)),
            ("sin", floats("SIN")),
            ("cos", floats("COS")),
            ("floor", floats("FLOOR")),
        )
    )
