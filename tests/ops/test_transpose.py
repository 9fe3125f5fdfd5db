"""TRANSPOSE against the reference: every permutation of up to four dimensions, types."""

from itertools import permutations

import numpy as np

from tests.ops.case import Case, Const, one_op
from tests.ops.matrix import OperatorMatrix
from tflite_support.builder import Spec

_SHAPE = (2, 3, 4, 5)
_TYPES = ("uint8", "int16", "int32", "int64", "float32")


def _case(name: str, shape: tuple[int, ...], order: tuple[int, ...], dtype: str = "int8") -> Case:
    quantized = dtype in ("int8", "uint8", "int16")
    scale, zero_point = (0.05, 0 if dtype == "int16" else 7) if quantized else (None, 0)
    x = Spec(shape, dtype, scale, zero_point)
    y = Spec(tuple(shape[axis] for axis in order), dtype, scale, zero_point)
    return one_op(name, "TRANSPOSE", [x, Const(np.array(order, np.int32))], y)


def _cases() -> list[Case]:
    orders = [order for rank in range(1, 5) for order in permutations(range(rank))]
    cases = [_case("".join(map(str, order)), _SHAPE[: len(order)], order) for order in orders]
    cases += [_case(dtype, _SHAPE, (0, 3, 1, 2), dtype) for dtype in _TYPES]
    cases.append(_case("five_dimensions", (2, 1, 3, 2, 4), (0, 3, 1, 4, 2)))
    cases.append(_case("ones", (1, 6, 1, 4), (0, 3, 2, 1)))
    return cases


class TestTranspose(OperatorMatrix):
    cases = tuple(_cases())
