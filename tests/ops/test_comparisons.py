"""Comparisons, logical operators, MAXIMUM, MINIMUM and SELECT against the reference: types, broadcasts, scales apart."""

from collections.abc import Iterator

import numpy as np

from tests.ops.case import Case, one_op
from tests.ops.matrix import OperatorMatrix
from tflite_support.builder import Spec

Shape = tuple[int, ...]

_IMAGE = (1, 4, 5, 3)
_SHAPES: dict[str, tuple[Shape, Shape]] = {
    "same": (_IMAGE, _IMAGE),
    "vector": (_IMAGE, (1, 1, 1, 3)),
    "scalar": ((7, 9), ()),
    "left": ((4, 5, 1), (2, 4, 5, 3)),
    "both": ((1, 1, 5, 3), (2, 3, 1, 1)),
}
_ZERO_POINTS = {"int8": (-128, 127), "uint8": (0, 200), "int16": (0, 0)}


def _spec(shape: Shape, dtype: str, index: int = 0, scale: float = 0.05) -> Spec:
    if dtype not in _ZERO_POINTS:
        return Spec(shape, dtype)
    return Spec(shape, dtype, float(np.float32(scale)), _ZERO_POINTS[dtype][index])


def binary(
    kind: str, dtypes: tuple[str, ...], *, logical: bool, scales_apart: bool = False
) -> Iterator[Case]:
    """All broadcasts of all types; the output is bool when `logical`."""
    for dtype in dtypes:
        for name, (first, second) in _SHAPES.items():
            shape = np.broadcast_shapes(first, second)
            y = Spec(shape, "bool") if logical else _spec(shape, dtype)
            operands = [
                _spec(first, dtype),
                _spec(second, dtype, int(scales_apart), 0.07 if scales_apart else 0.05),
            ]
            yield one_op(f"{dtype}_{name}", kind, operands, y)


_NUMBERS = ("int8", "uint8", "int32", "int64", "float32")


class TestEqual(OperatorMatrix):
    cases = (*binary("EQUAL", (*_NUMBERS, "int16", "bool"), logical=True, scales_apart=True),)


class TestNotEqual(OperatorMatrix):
    cases = (*binary("NOT_EQUAL", (*_NUMBERS, "bool"), logical=True, scales_apart=True),)


class TestLess(OperatorMatrix):
    cases = (*binary("LESS", (*_NUMBERS, "int16"), logical=True, scales_apart=True),)


class TestLessEqual(OperatorMatrix):
    cases = (*binary("LESS_EQUAL", _NUMBERS, logical=True, scales_apart=True),)


class TestGreater(OperatorMatrix):
    cases = (*binary("GREATER", _NUMBERS, logical=True, scales_apart=True),)


class TestGreaterEqual(OperatorMatrix):
    cases = (*binary("GREATER_EQUAL", (*_NUMBERS, "int16"), logical=True, scales_apart=True),)


class TestMaximum(OperatorMatrix):
    cases = (*binary("MAXIMUM", (*_NUMBERS, "int16"), logical=False),)


class TestMinimum(OperatorMatrix):
    cases = (*binary("MINIMUM", (*_NUMBERS, "int16"), logical=False),)


class TestLogicalAnd(OperatorMatrix):
    cases = (*binary("LOGICAL_AND", ("bool",), logical=True),)


class TestLogicalOr(OperatorMatrix):
    cases = (*binary("LOGICAL_OR", ("bool",), logical=True),)


class TestLogicalNot(OperatorMatrix):
    cases = tuple(
        one_op(f"rank_{len(s)}", "LOGICAL_NOT", [Spec(s, "bool")], Spec(s, "bool"))
        for s in (_IMAGE, (7,), ())
    )


def _select(kind: str, name: str, shapes: tuple[Shape, Shape, Shape], dtype: str) -> Case:
    operands = [Spec(shapes[0], "bool"), _spec(shapes[1], dtype), _spec(shapes[2], dtype)]
    return one_op(f"{dtype}_{name}", kind, operands, _spec(np.broadcast_shapes(*shapes), dtype), version=1)


class TestSelect(OperatorMatrix):
    cases = tuple(_select("SELECT", "same", (_IMAGE,) * 3, dtype) for dtype in (*_NUMBERS, "int16", "bool"))


class TestSelectV2(OperatorMatrix):
    cases = (
        *(_select("SELECT_V2", "same", (_IMAGE,) * 3, dtype) for dtype in (*_NUMBERS, "int16", "bool")),
        _select("SELECT_V2", "condition_for_columns", ((1, 1, 5, 1), _IMAGE, _IMAGE), "int8"),
        _select("SELECT_V2", "scalars", ((), _IMAGE, ()), "int8"),
        _select("SELECT_V2", "all_broadcast", ((2, 1, 1, 1), (1, 3, 1, 4), (1, 1, 5, 1)), "float32"),
    )
