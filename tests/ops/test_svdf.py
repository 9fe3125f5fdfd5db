"""SVDF over consecutive calls against the reference: ranks, lengths of memory, batches, zero points, types of the state."""

from dataclasses import dataclass

import numpy as np

from tests.ops.case import Case, Const, Operand, make_samples, one_op, rng_of
from tests.ops.matrix import OperatorMatrix
from tflite_support.builder import Spec

CALLS = 12


@dataclass(frozen=True)
class Svdf:
    """Features in, units out; each unit has `rank` filters that look back `memory` calls."""

    features: int = 5
    units: int = 4
    rank: int = 1
    memory: int = 3
    batch: int = 1
    state: str = "int16"
    zero_points: tuple[int, int, int] = (-3, 0, 5)
    """Of input, state and output."""
    bias: bool = True
    zoom: float = 1.0
    activation: str = "RELU"


_TABLE = {
    "plain": Svdf(),
    "rank_2": Svdf(rank=2),
    "rank_3_batch_2": Svdf(rank=3, batch=2),
    "memory_1": Svdf(memory=1),
    "memory_10": Svdf(memory=10),
    "features_33": Svdf(features=33, units=7),
    "one_unit": Svdf(units=1, features=1),
    "zero_points_low_high": Svdf(zero_points=(-128, 0, 127)),
    "zero_points_high_low": Svdf(zero_points=(127, 0, -128)),
    "saturates": Svdf(zoom=8.0),
    "no_activation": Svdf(activation="NONE"),
    "no_bias": Svdf(bias=False),
    "state_int8": Svdf(state="int8"),
    "state_int8_zero_point": Svdf(state="int8", zero_points=(-3, 17, 5)),
    "state_int8_zero_point_low": Svdf(state="int8", zero_points=(0, -128, 0), rank=2, memory=6),
    "state_int8_rank_2_batch_2": Svdf(state="int8", zero_points=(-3, -9, 5), rank=2, batch=2, memory=8),
    "state_int8_saturates": Svdf(state="int8", zero_points=(-3, 0, 5), zoom=8.0),
    "float32": Svdf(state="float32", activation="NONE"),
    "float32_rank_2_batch_3": Svdf(state="float32", rank=2, batch=3, memory=7, activation="NONE"),
    "float32_relu6": Svdf(state="float32", activation="RELU6"),
}


def _case(name: str, svdf: Svdf) -> Case:
    rng = rng_of(name)
    filters = svdf.units * svdf.rank
    shapes = {"features": (filters, svdf.features), "time": (filters, svdf.memory)}
    state_shape = (svdf.batch, filters * svdf.memory)
    operands: list[Operand]
    if svdf.state == "float32":
        x, y = Spec((svdf.batch, svdf.features), "float32"), Spec((svdf.batch, svdf.units), "float32")
        weights = [Const(rng.normal(size=shape).astype(np.float32)) for shape in shapes.values()]
        bias = Const(rng.normal(size=svdf.units).astype(np.float32))
        operands = [x, *weights, bias, Spec(state_shape, "float32", is_variable=True)]
    else:
        wide = svdf.state == "int16"
        time_scale, state_scale = (0.00004, 0.001) if wide else (0.008, 0.2)
        x = Spec((svdf.batch, svdf.features), "int8", 0.05, svdf.zero_points[0])
        reach = 30_000 if wide else 127
        features = rng.integers(-127, 128, shapes["features"]).astype(np.int8)
        time = rng.integers(-reach, reach + 1, shapes["time"]).astype(svdf.state)
        time //= svdf.memory if wide else 1  # sums of the reference stay inside of int32
        bias = Const(rng.integers(-2000, 2000, svdf.units).astype(np.int32), time_scale * state_scale)
        state = Spec(state_shape, svdf.state, state_scale, svdf.zero_points[1], is_variable=True)
        operands = [x, Const(features, 0.02), Const(time, time_scale), bias if svdf.bias else None, state]
        y = Spec((svdf.batch, svdf.units), "int8", float(np.float32(0.15 / svdf.zoom)), svdf.zero_points[2])
    # tflite-runtime has no state of int8, and insists on RELU for integers, which it then does not compute
    is_float = svdf.state == "float32"
    oracle = "tflite-runtime" if is_float or (svdf.state == "int16" and svdf.activation == "RELU") else "tflm"
    version = 1 if is_float else 3
    case = one_op(
        name, "SVDF", operands, y,
        oracle=oracle, version=version, rank=svdf.rank, fused_activation_function=svdf.activation,
    )  # fmt: skip
    return Case(
        case.id, case.model, tuple(s for _ in range(CALLS // 3) for s in make_samples(rng, [x])), oracle
    )


class TestSvdf(OperatorMatrix):
    cases = tuple(_case(name, svdf) for name, svdf in _TABLE.items())
