"""ADD_N and CUMSUM against the reference; int8 against TensorFlow Lite Micro, which alone takes it."""

from collections.abc import Iterator

import numpy as np

from tests.ops.case import Case, Const, one_op
from tests.ops.matrix import OperatorMatrix
from tflite_support.builder import Spec

Shape = tuple[int, ...]

_QUANTIZATIONS = {
    "plain": ((0.05, -3), (0.1, 4)),
    "zero_points_low_high": ((0.05, -128), (0.3, 127)),
    "zero_points_high_low": ((0.05, 127), (0.2, -128)),
    "finer": ((0.05, 0), (0.01, 0)),
    "far_coarser": ((0.001, 5), (0.9, -5)),
}


def _spec(shape: Shape, dtype: str, scale: float = 0.05, zero_point: int = -3) -> Spec:
    return Spec(shape, dtype, scale, zero_point) if dtype == "int8" else Spec(shape, dtype)


def _add_n(shape: Shape, count: int, dtype: str, quantization: str = "plain") -> Case:
    before, after = _QUANTIZATIONS[quantization]
    name = f"{dtype}_{count}_of_{'x'.join(map(str, shape))}_{quantization}"
    oracle = "tflm" if dtype == "int8" else "tflite-runtime"
    operands = [_spec(shape, dtype, *before)] * count
    return one_op(name, "ADD_N", operands, _spec(shape, dtype, *after), oracle=oracle, version=1)


class TestAddN(OperatorMatrix):
    cases = (
        *(
            _add_n(shape, count, dtype)
            for dtype in ("int8", "int32", "float32")
            for shape, count in (((1, 4, 5, 3), 2), ((7,), 3), ((2, 3), 7), ((), 2))
        ),
        *(
            _add_n((3, 5), 3, "int8", quantization)
            for quantization in _QUANTIZATIONS
            if quantization != "plain"
        ),
    )


_AXES: dict[str, tuple[Shape, int]] = {
    "vector": ((11,), 0),
    "rows": ((4, 5), 0),
    "columns": ((4, 5), -1),
    "middle": ((2, 3, 4), 1),
    "image_channels": ((1, 3, 2, 5), 3),
    "image_height": ((2, 5, 3, 2), -3),
}


def _cumsum(
    name: str, dtype: str, exclusive: bool = False, reverse: bool = False, quantization: str = "plain"
) -> Case:
    shape, axis = _AXES[name]
    before, after = _QUANTIZATIONS[quantization]
    case_id = f"{dtype}_{name}_{exclusive}_{reverse}_{quantization}"
    return one_op(
        case_id,
        "CUMSUM",
        [_spec(shape, dtype, *before), Const(np.array(axis, np.int32))],
        _spec(shape, dtype, *after),
        oracle="tflm" if dtype == "int8" else "tflite-builtin",
        version=1,
        exclusive=exclusive,
        reverse=reverse,
    )


def _cumsums() -> Iterator[Case]:
    for dtype in ("int8", "int32", "int64", "float32"):
        for exclusive, reverse in ((False, False), (False, True), (True, False), (True, True)):
            for name in _AXES:
                yield _cumsum(name, dtype, exclusive, reverse)
    for quantization in _QUANTIZATIONS:
        if quantization != "plain":
            yield _cumsum("columns", "int8", quantization=quantization)


class TestCumsum(OperatorMatrix):
    cases = tuple(_cumsums())
