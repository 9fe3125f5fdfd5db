"""PRELU, SQUARED_DIFFERENCE, divisions, CAST and RESIZE_* against the reference."""

from collections.abc import Mapping
from dataclasses import replace
from typing import ClassVar

import numpy as np

from tests.ops.case import Array, Case, Const, Operand, make_samples, one_op, rng_of
from tests.ops.matrix import OperatorMatrix
from tests.ops.test_movement import integers, spec
from tflite_support.builder import Spec

Shape = tuple[int, ...]

_IMAGE = (1, 4, 5, 3)
_BROADCASTS: dict[str, tuple[Shape, Shape]] = {
    "same": (_IMAGE, _IMAGE),
    "channels": (_IMAGE, (1, 1, 3)),
    "pixels": (_IMAGE, (1, 4, 5, 1)),
    "scalar": ((7, 9), ()),
    "left": ((4, 5, 1), (2, 4, 5, 3)),
}


def _quantized(shape: Shape, dtype: str, scale: float, zero_point: int) -> Spec:
    if dtype == "float32" or dtype.startswith("int3"):
        return Spec(shape, dtype)
    return Spec(shape, dtype, float(np.float32(scale)), zero_point + (128 if dtype == "uint8" else 0))


def _prelu(name: str, dtype: str, constant: bool, out_scale: float) -> Case:
    shape, alpha_shape = _BROADCASTS[name]
    case_id = f"{dtype}_{name}_{constant}_{out_scale:g}"
    alpha: Operand = _quantized(alpha_shape, dtype, 0.02, 7)
    if constant:
        assert isinstance(alpha, Spec)
        values = make_samples(rng_of(case_id), [alpha])[0][0]
        alpha = Const(values, alpha.scale, 7 + (128 if dtype == "uint8" else 0))
    operands = [_quantized(shape, dtype, 0.05, -3), alpha]
    return one_op(case_id, "PRELU", operands, _quantized(shape, dtype, out_scale, 4), version=1)


class TestPrelu(OperatorMatrix):
    cases = tuple(
        _prelu(name, dtype, constant, out_scale)
        for dtype in ("int8", "uint8", "float32")
        for constant in (False, True)
        for name in ("same", "channels", "pixels")
        for out_scale in (0.05, 0.017, 0.2)
    )


def _squared_difference(name: str, dtype: str, out_scale: float) -> Case:
    """Samples of int32 are small enough for their squares to fit."""
    first, second = _BROADCASTS[name]
    operands = [_quantized(first, dtype, 0.05, -128), _quantized(second, dtype, 0.03, 127)]
    y = _quantized(np.broadcast_shapes(first, second), dtype, out_scale, -20)
    case = one_op(f"{dtype}_{name}_{out_scale:g}", "SQUARED_DIFFERENCE", operands, y, version=1)
    if dtype != "int32":
        return case
    return replace(
        case,
        samples=tuple(
            tuple(np.asarray(values // 8, np.int32) for values in sample) for sample in case.samples
        ),
    )


class TestSquaredDifference(OperatorMatrix):
    cases = tuple(
        _squared_difference(name, dtype, out_scale)
        for dtype in ("int8", "int32", "float32")
        for name in _BROADCASTS
        for out_scale in (0.05, 0.6)
    )


def _nonzero(case: Case) -> Case:
    """The same case with no divisor of 0."""

    def changed(values: Array) -> Array:
        return np.where(values == 0, 3, values).astype(values.dtype)

    return replace(case, samples=tuple((first, changed(second)) for first, second in case.samples))


def _division(kind: str, dtype: str, name: str, version: int) -> Case:
    first, second = _BROADCASTS[name]
    y = Spec(np.broadcast_shapes(first, second), dtype)
    return _nonzero(
        one_op(f"{dtype}_{name}", kind, [Spec(first, dtype), Spec(second, dtype)], y, version=version)
    )


class TestDiv(OperatorMatrix):
    cases = tuple(_division("DIV", dtype, name, 1) for dtype in ("int32", "float32") for name in _BROADCASTS)


class TestFloorDiv(OperatorMatrix):
    cases = tuple(
        _division("FLOOR_DIV", dtype, name, 1) for dtype in ("int32", "float32") for name in _BROADCASTS
    )


class TestFloorMod(OperatorMatrix):
    cases = tuple(
        _division("FLOOR_MOD", dtype, name, 1)
        for dtype in ("int32", "int64", "float32")
        for name in _BROADCASTS
    )


_TENSOR_TYPES = {
    "float32": 0,
    "int32": 2,
    "uint8": 3,
    "int64": 4,
    "bool": 6,
    "int16": 7,
    "int8": 9,
    "uint32": 15,
}


class TestCast(OperatorMatrix):
    """Samples of float32 stay inside of int32: beyond it C leaves the result open."""

    tflm_differs: ClassVar[Mapping[str, str]] = {
        "float32_to_int8": "limits the value to int8",
        "float32_to_uint32": "limits the value to uint32",
    }

    cases = tuple(
        one_op(
            f"{source}_to_{output}",
            "CAST",
            [Spec((4, 60), source)],
            Spec((4, 60), output),
            version=1,
            in_data_type=_TENSOR_TYPES[source],
            out_data_type=_TENSOR_TYPES[output],
        )
        for source in _TENSOR_TYPES
        for output in _TENSOR_TYPES
    )


def _resize(kind: str, shape: Shape, size: tuple[int, int], dtype: str, alignment: str) -> Case:
    name = f"{dtype}_{shape[1]}x{shape[2]}_to_{size[0]}x{size[1]}_{alignment}"
    options = {"align_corners": alignment == "corners", "half_pixel_centers": alignment == "half_pixels"}
    out = spec((shape[0], *size, shape[3]), dtype)
    return one_op(name, kind, [spec(shape, dtype), integers(size)], out, version=3, **options)


_RESIZES: tuple[tuple[Shape, tuple[int, int]], ...] = (
    ((1, 3, 4, 2), (6, 8)),
    ((2, 5, 7, 3), (3, 4)),
    ((1, 4, 4, 1), (9, 5)),
    ((1, 1, 1, 2), (3, 3)),
    ((1, 6, 6, 3), (1, 1)),
    ((1, 2, 3, 2), (7, 11)),
)
_ALIGNMENTS = ("plain", "corners", "half_pixels")
_RESIZES_OF_CHANNELS: tuple[tuple[Shape, tuple[int, int]], ...] = (
    ((2, 3, 5, 5), (6, 10)),
    ((1, 5, 7, 8), (9, 13)),
    ((1, 8, 8, 4), (4, 2)),
    ((1, 3, 9, 6), (12, 36)),
)
"""Weights with few bits, for four channels at a time."""


class TestResizeNearestNeighbor(OperatorMatrix):
    cases = tuple(
        _resize("RESIZE_NEAREST_NEIGHBOR", shape, size, dtype, alignment)
        for dtype in ("int8", "uint8", "int16", "float32")
        for shape, size in _RESIZES
        for alignment in _ALIGNMENTS
    )


class TestResizeBilinear(OperatorMatrix):
    cases = tuple(
        _resize("RESIZE_BILINEAR", shape, size, dtype, alignment)
        for dtype in ("int8", "uint8", "int16", "float32")
        for shape, size in _RESIZES
        for alignment in _ALIGNMENTS
    ) + tuple(
        _resize("RESIZE_BILINEAR", shape, size, "int8", alignment)
        for shape, size in _RESIZES_OF_CHANNELS
        for alignment in _ALIGNMENTS
    )
