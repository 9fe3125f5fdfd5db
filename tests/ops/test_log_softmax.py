"""LOG_SOFTMAX against the reference: lengths, ranks, scales of the input, types."""

from tests.ops.case import Case, one_op
from tests.ops.matrix import OperatorMatrix
from tflite_support.builder import Spec

Shape = tuple[int, ...]

_ZERO_POINTS = {"int8": 127, "uint8": 255}


def _case(name: str, shape: Shape, dtype: str, scale: float = 0.1, zero_point: int = 5) -> Case:
    if dtype == "float32":
        return one_op(f"float32_{name}", "LOG_SOFTMAX", [Spec(shape, dtype)], Spec(shape, dtype))
    x, y = Spec(shape, dtype, scale, zero_point), Spec(shape, dtype, 16 / 256, _ZERO_POINTS[dtype])
    return one_op(f"{dtype}_{name}", "LOG_SOFTMAX", [x], y, version=2 if dtype == "int8" else 1)


class TestLogSoftmax(OperatorMatrix):
    cases = tuple(
        case
        for dtype in ("int8", "uint8", "float32")
        for case in (
            _case("row", (1, 10), dtype),
            _case("batch", (3, 5), dtype),
            _case("image", (1, 3, 4, 5), dtype),
            _case("vector", (7,), dtype),
            _case("one_element", (4, 1), dtype),
            _case("long", (1, 1000), dtype),
            *(
                _case(f"scale_{scale:g}_of_{n}", (4, n), dtype, scale)
                for scale in (1e-6, 0.001, 0.03, 0.25, 1.7, 20.0)
                for n in (2, 12, 100)
                if dtype != "float32"
            ),
            *(_case(f"elements_{n}", (6, n), dtype, 0.2, 0) for n in range(2, 40, 5)),
        )
    )
