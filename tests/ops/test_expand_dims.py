"""EXPAND_DIMS against the reference."""

import numpy as np

from tests.ops.case import Case, Const
from tests.ops.matrix import OperatorMatrix
from tests.ops.views import TYPES, Shape, view


def _case(name: str, x: Shape, y: Shape, axis: int, dtype: str = "int8") -> Case:
    return view(name, "EXPAND_DIMS", x, y, Const(np.array(axis, np.int32)), dtype=dtype)


class TestExpandDims(OperatorMatrix):
    cases = (
        _case("first", (3, 4), (1, 3, 4), 0),
        _case("middle", (3, 4), (3, 1, 4), 1),
        _case("last", (3, 4), (3, 4, 1), 2),
        _case("negative", (3, 4), (3, 4, 1), -1),
        _case("vector", (5,), (1, 5), 0),
        *(_case(dtype, (2, 3), (2, 1, 3), 1, dtype) for dtype in TYPES),
    )
