"""BATCH_MATMUL against the reference: transposed operands, broadcast batches, constants, scales, types."""

from collections.abc import Iterator

import numpy as np

from tests.ops.case import Case, Const, Operand, make_samples, one_op, rng_of
from tests.ops.matrix import OperatorMatrix
from tflite_support.builder import Spec

Shape = tuple[int, ...]

_BATCHES: dict[str, tuple[Shape, Shape]] = {
    "matrices": ((), ()),
    "batch": ((3,), (3,)),
    "image": ((2, 3), (2, 3)),
    "one_right": ((3,), (1,)),
    "one_left": ((1,), (3,)),
    "fewer_right": ((2, 3), (3,)),
    "both": ((2, 1), (1, 3)),
    "five_dimensions": ((2, 1, 2), (1, 3, 2)),
}
_ZERO_POINTS = {"int8": (-3, 7, 5), "int16": (0, 0, 0)}


def _case(
    name: str,
    dtype: str,
    batches: tuple[Shape, Shape],
    extents: tuple[int, int, int] = (4, 5, 3),
    adjoint: tuple[bool, bool] = (False, False),
    *,
    zero_points: tuple[int, int, int] | None = None,
    zoom: float = 1.0,
    constant: bool = False,
) -> Case:
    rows, depth, columns = extents
    first = (*batches[0], *((depth, rows) if adjoint[0] else (rows, depth)))
    second = (*batches[1], *((columns, depth) if adjoint[1] else (depth, columns)))
    out = (*np.broadcast_shapes(*batches), rows, columns)
    case_id = f"{dtype}_{name}"
    scale = 0.05 if dtype == "int8" else 0.0005
    points = zero_points or _ZERO_POINTS.get(dtype, (0, 0, 0))

    def spec(shape: Shape, index: int, factor: float) -> Spec:
        return (
            Spec(shape, dtype)
            if dtype == "float32"
            else Spec(shape, dtype, float(np.float32(scale * factor)), points[index])
        )

    right = spec(second, 1, 0.7)
    operand: Operand = right
    if constant:
        operand = Const(make_samples(rng_of(case_id), [right])[0][0], right.scale, points[1])
    y = spec(out, 2, (2.6 if dtype == "int8" else 12.0) * np.sqrt(depth) / zoom)
    version = {"int8": 2, "int16": 3}.get(dtype, 1)
    # tflite-runtime reads a transposed batch wrongly that meets a batch of one; TFLM computes the product
    wrong = adjoint[0] and batches == _BATCHES["one_right"]
    return one_op(
        case_id, "BATCH_MATMUL", [spec(first, 0, 1.0), operand], y,
        oracle="tflm" if wrong else "tflite-runtime", version=version, adj_x=adjoint[0], adj_y=adjoint[1],
    )  # fmt: skip


def _cases(dtype: str) -> Iterator[Case]:
    for name, batches in _BATCHES.items():
        for adjoint in ((False, False), (True, False), (False, True), (True, True)):
            yield _case(f"{name}_{adjoint[0]}_{adjoint[1]}", dtype, batches, adjoint=adjoint)
    for depth in (1, 2, 7, 64):
        yield _case(f"depth_{depth}", dtype, ((2,), (2,)), (3, depth, 2))
    yield _case("vector", dtype, ((), ()), (1, 9, 1))
    yield _case("constant", dtype, ((2,), ()), constant=True)
    yield _case("saturates", dtype, ((2,), (2,)), zoom=9.0)
    yield _case("multiplier_above_1", dtype, ((2,), (2,)), zoom=9000.0 if dtype == "int8" else 30.0)
    yield _case("multiplier_tiny", dtype, ((2,), (2,)), zoom=1e-4)


def _wide(zero_points: tuple[int, int, int]) -> Iterator[Case]:
    """More columns than a kernel computes together."""
    for adjoint in ((False, False), (True, False), (False, True), (True, True)):
        for extents in ((3, 7, 9), (2, 16, 4)):
            name = f"wide_{extents}_{adjoint[0]}_{adjoint[1]}_{zero_points}"
            yield _case(name, "int8", ((2,), (2,)), extents, adjoint, zero_points=zero_points)


class TestBatchMatMul(OperatorMatrix):
    cases = (
        *_cases("int8"),
        *_wide((-3, 7, 5)),
        *_wide((0, 7, 5)),
        *_wide((-3, 0, 5)),
        *_wide((0, 0, 0)),
        *_cases("int16"),
        *_cases("float32"),
        _case("zero_points_low_high_low", "int8", ((2,), (2,)), zero_points=(-128, 127, -128)),
        _case("zero_points_high_low_high", "int8", ((2,), (2,)), zero_points=(127, -128, 127)),
    )
