"""Operators that move elements, against the reference: axes, negative ones, odd extents, element types of every size."""

from typing import Any

import numpy as np

from tests.ops.case import Case, Const, Operand, one_op
from tests.ops.matrix import OperatorMatrix
from tflite_support.builder import Spec

Shape = tuple[int, ...]

_DTYPES = ("int8", "uint8", "int16", "int32", "int64", "float32", "bool")


def spec(shape: Shape, dtype: str = "int8") -> Spec:
    """A tensor, quantized where its type is."""
    quantized = {"int8": -3, "uint8": 100, "int16": 0}
    return Spec(shape, dtype, 0.05 if dtype in quantized else None, quantized.get(dtype, 0))


def integers(values: Any) -> Const:
    """A constant of int32."""
    return Const(np.asarray(values, np.int32))


def _concatenation(name: str, axis: int, shapes: list[Shape], dtype: str = "int8") -> Case:
    out = list(shapes[0])
    out[axis] = sum(shape[axis] for shape in shapes)
    return one_op(
        name, "CONCATENATION", [spec(s, dtype) for s in shapes], spec(tuple(out), dtype), version=2, axis=axis
    )


class TestConcatenation(OperatorMatrix):
    cases = (
        _concatenation("channels", 3, [(1, 4, 5, 2), (1, 4, 5, 3), (1, 4, 5, 1)]),
        _concatenation("last_axis", -1, [(1, 4, 5, 2), (1, 4, 5, 2)]),
        _concatenation("rows", 1, [(1, 4, 5, 2), (1, 1, 5, 2)]),
        _concatenation("columns", 2, [(2, 4, 5, 2), (2, 4, 1, 2)]),
        _concatenation("batch", 0, [(1, 2, 2, 2), (3, 2, 2, 2)]),
        _concatenation("vectors", 0, [(3,), (4,), (1,)]),
        _concatenation("one_input", 1, [(2, 3)]),
        _concatenation("five_dimensions", 2, [(1, 2, 3, 2, 2), (1, 2, 1, 2, 2)]),
        *(_concatenation(f"many_{n}", 0, [(2, 3)] * n) for n in (2, 7)),
        *(_concatenation(f"{dtype}_columns", 1, [(2, 3), (2, 4)], dtype) for dtype in _DTYPES),
    )


def _pack(name: str, axis: int, shape: Shape, count: int, dtype: str = "int8") -> Case:
    out = np.stack([np.empty(shape)] * count, axis).shape
    return one_op(name, "PACK", [spec(shape, dtype)] * count, spec(out, dtype), axis=axis, values_count=count)


class TestPack(OperatorMatrix):
    cases = (
        _pack("first", 0, (2, 3), 3),
        _pack("middle", 1, (2, 3), 2),
        _pack("last", -1, (2, 3), 4),
        _pack("scalars", 0, (), 2),
        _pack("one", 2, (2, 3), 1),
        *(_pack(f"{dtype}_last", -1, (2, 3), 2, dtype) for dtype in _DTYPES if dtype != "bool"),
    )


def _unpack(name: str, axis: int, shape: Shape, dtype: str = "int8") -> Case:
    out = tuple(np.delete(shape, axis).tolist())
    outputs = [spec(out, dtype)] * shape[axis]
    return one_op(name, "UNPACK", [spec(shape, dtype)], outputs, axis=axis, num=shape[axis])


class TestUnpack(OperatorMatrix):
    cases = (
        _unpack("first", 0, (3, 2, 2)),
        _unpack("middle", 1, (2, 3, 4)),
        _unpack("last", -1, (2, 3, 4)),
        _unpack("one", 1, (2, 1, 3)),
        *(_unpack(f"{dtype}_last", 2, (2, 2, 3), dtype) for dtype in _DTYPES if dtype != "int64"),
    )


def _split(name: str, axis: int, shape: Shape, count: int, dtype: str = "int8") -> Case:
    out = list(shape)
    out[axis] //= count
    outputs = [spec(tuple(out), dtype)] * count
    return one_op(name, "SPLIT", [integers(axis), spec(shape, dtype)], outputs, version=2, num_splits=count)


class TestSplit(OperatorMatrix):
    cases = (
        _split("rows", 0, (4, 3), 2),
        _split("columns", 1, (2, 6), 3),
        _split("channels", -1, (1, 4, 5, 6), 2),
        _split("each", 1, (2, 4, 3), 4),
        *(_split(f"{t}_columns", 1, (2, 6), 2, t) for t in _DTYPES if t not in ("bool", "int64")),
    )


def _split_v(name: str, axis: int, shape: Shape, extents: list[int], dtype: str = "int8") -> Case:
    rest = shape[axis] - sum(extent for extent in extents if extent >= 0)
    outputs = []
    for extent in extents:
        out = list(shape)
        out[axis] = rest if extent < 0 else extent
        outputs.append(spec(tuple(out), dtype))
    operands: list[Operand] = [spec(shape, dtype), integers(extents), integers(axis)]
    return one_op(name, "SPLIT_V", operands, outputs, version=2, num_splits=len(extents))


class TestSplitV(OperatorMatrix):
    cases = (
        _split_v("rows", 0, (4, 3), [1, 3]),
        _split_v("columns", 1, (2, 6), [1, 2, 3]),
        _split_v("channels_rest", -1, (1, 4, 5, 6), [4, -1]),
        _split_v("rest_first", 1, (2, 4, 3), [-1, 1]),
        _split_v("whole", 1, (2, 4, 3), [4]),
        *(_split_v(f"{dtype}_columns", 1, (2, 6), [1, 5], dtype) for dtype in _DTYPES if dtype != "bool"),
    )


def _slice(name: str, shape: Shape, begin: Shape, size: Shape, dtype: str = "int8") -> Case:
    box = tuple(slice(b, None if s < 0 else b + s) for b, s in zip(begin, size, strict=True))
    out = np.empty(shape)[box].shape
    version = {"int16": 4, "bool": 2}.get(dtype)
    operands: list[Operand] = [spec(shape, dtype), integers(begin), integers(size)]
    return one_op(name, "SLICE", operands, spec(out, dtype), version=version)


class TestSlice(OperatorMatrix):
    cases = (
        _slice("matrix", (4, 5), (1, 2), (2, 3)),
        _slice("rest", (4, 5), (1, 0), (-1, -1)),
        _slice("image", (1, 4, 5, 6), (0, 1, 2, 3), (1, 2, 2, -1)),
        _slice("vector", (7,), (3,), (1,)),
        _slice("all", (2, 3, 2), (0, 0, 0), (2, 3, 2)),
        *(_slice(f"{dtype}_matrix", (4, 5), (1, 2), (2, 3), dtype) for dtype in _DTYPES),
    )


def _strided_slice(
    name: str,
    shape: Shape,
    begin: Shape,
    end: Shape,
    strides: Shape,
    out: Shape,
    dtype: str = "int8",
    **masks: int,
) -> Case:
    operands: list[Operand] = [spec(shape, dtype), integers(begin), integers(end), integers(strides)]
    return one_op(name, "STRIDED_SLICE", operands, spec(out, dtype), version=2, **masks)


class TestStridedSlice(OperatorMatrix):
    cases = (
        _strided_slice("box", (4, 5), (1, 2), (3, 5), (1, 1), (2, 3)),
        _strided_slice("steps", (4, 5), (0, 0), (4, 5), (2, 3), (2, 2)),
        _strided_slice("backwards", (4, 5), (3, 4), (-10, -10), (-1, -2), (4, 3)),
        _strided_slice("image", (1, 4, 5, 6), (0, 1, -3, 0), (1, 3, 5, 6), (1, 1, 1, 2), (1, 2, 3, 3)),
        _strided_slice("open_ends", (4, 5), (1, 2), (3, 4), (1, 1), (3, 4), begin_mask=2, end_mask=1),
        _strided_slice("beyond", (4, 5), (-100, 1), (100, 100), (1, 1), (4, 4)),
        _strided_slice(
            "shrink_first", (4, 5, 3), (-1, 2, 0), (0, 5, 3), (1, 1, 1), (3, 3), shrink_axis_mask=1
        ),
        _strided_slice("shrink_all", (4, 5, 3), (1, 2, 1), (2, 3, 2), (1, 1, 1), (), shrink_axis_mask=7),
        _strided_slice("ellipsis_first", (4, 5, 3), (0, 1), (0, 2), (1, 1), (4, 5, 1), ellipsis_mask=1),
        _strided_slice(
            "ellipsis_middle", (4, 5, 3), (1, 0, 1), (3, 0, 2), (1, 1, 1), (2, 5, 1), ellipsis_mask=2
        ),
        _strided_slice("new_axis", (4, 5), (0, 1, 0), (0, 3, 5), (1, 1, 1), (1, 2, 5), new_axis_mask=1),
        _strided_slice("fewer_than_dimensions", (4, 5), (1,), (3,), (1,), (2, 5)),
        _strided_slice(
            "ring",
            (1, 24, 1, 3),
            (0, 16, 0, 0),
            (0, 24, 0, 0),
            (1,) * 4,
            (1, 8, 1, 3),
            begin_mask=13,
            end_mask=13,
        ),
        *(
            _strided_slice(f"{dtype}_steps", (4, 5), (1, 4), (4, 0), (2, -1), (2, 4), dtype)
            for dtype in _DTYPES
        ),
    )
