"""DEQUANTIZE against the reference."""

from tests.ops.case import Case, one_op
from tests.ops.matrix import OperatorMatrix
from tflite_support.builder import Spec


def _case(name: str, dtype: str, scale: float, zero_point: int, x: tuple[int, ...] = (1, 4, 5, 3)) -> Case:
    return one_op(name, "DEQUANTIZE", [Spec(x, dtype, scale, zero_point)], Spec(x, "float32"))


class TestDequantize(OperatorMatrix):
    cases = (
        _case("int8", "int8", 0.05, -3),
        _case("zero_point_low", "int8", 0.05, -128),
        _case("zero_point_high", "int8", 0.05, 127),
        _case("tiny_scale", "int8", 1e-9, 5),
        _case("great_scale", "int8", 1e6, 5),
        _case("one_256th", "int8", 1 / 256, -128),
        _case("vector", "int8", 0.05, -3, (13,)),
        _case("scalar", "int8", 0.05, -3, ()),
        _case("uint8", "uint8", 0.05, 128),
        _case("int16", "int16", 0.0003, 0),
    )
