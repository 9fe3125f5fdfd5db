"""L2_NORMALIZATION against the reference: lengths of the vectors, zero points, types."""

from tests.ops.case import Case, one_op
from tests.ops.matrix import OperatorMatrix
from tflite_support.builder import Spec

Shape = tuple[int, ...]

_ZERO_POINTS = {"int8": 0, "uint8": 128}


def _case(name: str, shape: Shape, dtype: str, zero_point: int = 3) -> Case:
    if dtype == "float32":
        return one_op(f"float32_{name}", "L2_NORMALIZATION", [Spec(shape, dtype)], Spec(shape, dtype))
    x = Spec(shape, dtype, 0.05, zero_point + (128 if dtype == "uint8" else 0))
    y = Spec(shape, dtype, 1 / 128, _ZERO_POINTS[dtype])
    return one_op(f"{dtype}_{name}", "L2_NORMALIZATION", [x], y, version=2 if dtype == "int8" else 1)


class TestL2Normalization(OperatorMatrix):
    cases = tuple(
        case
        for dtype in ("int8", "uint8", "float32")
        for case in (
            _case("image", (1, 3, 4, 5), dtype),
            _case("batch", (3, 17), dtype),
            _case("vector", (7,), dtype),
            _case("long", (2, 3000), dtype),
            _case("zero_point_low", (2, 9), dtype, -128),
            _case("zero_point_high", (2, 9), dtype, 127),
            *(_case(f"elements_{n}", (5, n), dtype, 0) for n in range(1, 12)),
        )
    )
