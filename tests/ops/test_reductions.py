"""SUM, REDUCE_* and ARG_* against the reference: axes, kept dimensions, types. MEAN has a file of its own."""

from collections.abc import Iterator

import numpy as np

from tests.ops.case import Case, Const, one_op
from tests.ops.matrix import OperatorMatrix
from tflite_support.builder import Spec

Shape = tuple[int, ...]

_TABLE: dict[str, tuple[Shape, Shape, bool]] = {
    "height_width": ((1, 5, 6, 3), (1, 2), True),
    "height_width_dropped": ((2, 5, 6, 3), (2, 1), False),
    "channels": ((1, 5, 6, 3), (-1,), True),
    "width": ((1, 5, 6, 3), (2,), False),
    "batch_and_channels": ((2, 3, 4, 5), (0, 3), False),
    "all": ((2, 3, 4, 5), (0, 1, 2, 3), True),
    "axis_twice": ((2, 3, 4), (1, -2), False),
    "many_channels": ((1, 3, 2, 37), (1, 2), False),
    "matrix_rows": ((7, 9), (0,), False),
    "matrix_columns": ((7, 9), (1,), True),
    "vector": ((11,), (0,), False),
}
_QUANTIZED = {"int8": -3, "uint8": 130, "int16": 0}


def _spec(shape: Shape, dtype: str, scale: float = 0.05, shift: int = 0) -> Spec:
    if dtype not in _QUANTIZED:
        return Spec(shape, dtype)
    zero_point = _QUANTIZED[dtype] + (shift if dtype != "int16" else 0)
    return Spec(shape, dtype, float(np.float32(scale)), zero_point)


def _reduce(
    kind: str, dtype: str, name: str, *, oracle: str = "tflite-runtime", out_scale: float = 0.05
) -> Case:
    shape, axes, keep = _TABLE[name]
    out = np.empty(shape, np.int8).sum(axis=tuple({axis % len(shape) for axis in axes}), keepdims=keep).shape
    y = _spec(out, dtype, out_scale, 9 if out_scale != 0.05 else 0)
    operands = [_spec(shape, dtype), Const(np.array(axes, np.int32))]
    case_id = f"{dtype}_{name}_{out_scale:g}"
    version = 1 if dtype == "bool" else 2
    return one_op(case_id, kind, operands, y, oracle=oracle, version=version, keep_dims=keep)


def _cases(kind: str, dtypes: tuple[str, ...]) -> Iterator[Case]:
    for dtype in dtypes:
        for name in _TABLE:
            yield _reduce(kind, dtype, name)


class TestSum(OperatorMatrix):
    """int8 and int16 against TensorFlow Lite Micro: tflite_runtime's reference SUM uses a multiplier that it never sets."""

    cases = (
        *_cases("SUM", ("int32", "int64", "float32")),
        *(
            _reduce("SUM", dtype, name, oracle="tflm", out_scale=out_scale)
            for dtype in ("int8", "int16")
            for name in _TABLE
            for out_scale in (0.05, 0.4)
        ),
    )


class TestReduceMax(OperatorMatrix):
    cases = (*_cases("REDUCE_MAX", ("int8", "uint8", "int16", "int32", "int64", "float32")),)


class TestReduceMin(OperatorMatrix):
    cases = (*_cases("REDUCE_MIN", ("int8", "uint8", "int16", "int32", "int64", "float32")),)


class TestReduceProd(OperatorMatrix):
    cases = tuple(_reduce("REDUCE_PROD", "float32", name) for name in _TABLE)


class TestReduceAny(OperatorMatrix):
    cases = (*_cases("REDUCE_ANY", ("bool",)),)


class TestReduceAll(OperatorMatrix):
    cases = (*_cases("REDUCE_ALL", ("bool",)),)


def _arg(kind: str, dtype: str, shape: Shape, axis: int, output: str) -> Case:
    out = tuple(np.delete(shape, axis).tolist())
    operands = [_spec(shape, dtype), Const(np.array(axis, np.int32))]
    name = f"{dtype}_{'x'.join(map(str, shape))}_axis_{axis}_{output}"
    options = {"output_type": {"int32": 2, "int64": 4}[output]}
    return one_op(name, kind, operands, Spec(out, output), version=1, **options)


def _args(kind: str) -> Iterator[Case]:
    for dtype in ("int8", "uint8", "int32", "float32", "bool"):
        yield _arg(kind, dtype, (2, 3, 4, 5), -1, "int32")
        yield _arg(kind, dtype, (2, 3, 4, 5), 1, "int64")
        yield _arg(kind, dtype, (9,), 0, "int32")


class TestArgMax(OperatorMatrix):
    cases = (*_args("ARG_MAX"),)


class TestArgMin(OperatorMatrix):
    cases = (*_args("ARG_MIN"),)
