"""UNIDIRECTIONAL_SEQUENCE_LSTM over consecutive calls against the reference: shapes, batches, scales, clips, types."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from tests.ops.case import Case, Const, Operand, make_samples, one_op, rng_of
from tests.ops.matrix import OperatorMatrix
from tflite_support.builder import Spec

CALLS = 4


@dataclass(frozen=True)
class Lstm:
    """Sequences of `steps` vectors of `features`, through `cells`."""

    steps: int = 5
    features: int = 6
    cells: int = 4
    batch: int = 1
    time_major: bool = False
    dtype: str = "int8"
    zero_points: tuple[int, int] = (-3, 0)
    """Of the sequence and of the hidden state."""
    hidden_scale: float = 0.0078
    cell_scale: float = 2.0**-12
    cell_clip: float = 0.0
    zoom: float = 1.0
    """Weights of a gate are so many times greater."""


_TABLE = {
    "plain": Lstm(),
    "one_step": Lstm(steps=1),
    "one_cell": Lstm(cells=1, features=1),
    "cells_17_features_33": Lstm(cells=17, features=33),
    "batch_3": Lstm(batch=3),
    "time_major_batch_3": Lstm(batch=3, time_major=True),
    "long": Lstm(steps=40),
    "zero_points_low": Lstm(zero_points=(-128, -128), hidden_scale=0.0039),
    "zero_points_high": Lstm(zero_points=(127, 100)),
    "zero_points_odd": Lstm(zero_points=(3, -7)),
    "cell_scale_2**-9": Lstm(cell_scale=2.0**-9),
    "cell_scale_2**-10": Lstm(cell_scale=2.0**-10),
    "cell_scale_2**-11": Lstm(cell_scale=2.0**-11),
    "cell_scale_2**-13": Lstm(cell_scale=2.0**-13),
    "cell_scale_2**-15": Lstm(cell_scale=2.0**-15),
    "cell_clip_10": Lstm(cell_clip=10.0),
    "cell_clip_half": Lstm(cell_clip=0.5, steps=12),
    "saturates": Lstm(zoom=20.0),
    "flat": Lstm(zoom=0.05),
    **{
        f"int16_{name}": replace(lstm, dtype="int16", zero_points=(0, 0), hidden_scale=2.0**-15)
        for name, lstm in {
            "plain": Lstm(),
            "cells_17_features_33": Lstm(cells=17, features=33),
            "batch_3": Lstm(batch=3),
            "time_major_batch_3": Lstm(batch=3, time_major=True),
            "cell_scale_2**-9": Lstm(cell_scale=2.0**-9),
            "cell_scale_2**-11": Lstm(cell_scale=2.0**-11),
            "cell_scale_2**-13": Lstm(cell_scale=2.0**-13),
            "cell_scale_2**-15": Lstm(cell_scale=2.0**-15),
            "cell_clip_half": Lstm(cell_clip=0.5, steps=12),
            "saturates": Lstm(zoom=20.0),
        }.items()
    },
    "float32": Lstm(dtype="float32"),
    "float32_batch_3_clip": Lstm(dtype="float32", batch=3, cell_clip=0.4),
    "float32_time_major": Lstm(dtype="float32", batch=2, time_major=True, cells=9),
}


def _weights(rng: np.random.Generator, lstm: Lstm, shape: tuple[int, ...]) -> Const:
    real = rng.normal(0, lstm.zoom / np.sqrt(shape[-1]), shape)
    if lstm.dtype == "float32":
        return Const(real.astype(np.float32))
    scale = float(np.float32(np.abs(real).max() / 127))
    return Const(np.round(real / scale).astype(np.int8), scale)


def _bias(rng: np.random.Generator, lstm: Lstm, weights: Const) -> Const:
    real = rng.normal(0, 0.5 * lstm.zoom, lstm.cells)
    if lstm.dtype == "float32":
        return Const(real.astype(np.float32))
    assert isinstance(weights.scale, float)
    scale = float(np.float32((0.02 if lstm.dtype == "int8" else 0.00008) * weights.scale))
    return Const(np.round(real / scale).astype(np.int32 if lstm.dtype == "int8" else np.int64), scale)


def _case(name: str, lstm: Lstm) -> Case:
    rng = rng_of(name)
    is_float = lstm.dtype == "float32"
    outer = (lstm.steps, lstm.batch) if lstm.time_major else (lstm.batch, lstm.steps)
    states, hidden_scale = (lstm.batch, lstm.cells), float(np.float32(lstm.hidden_scale))
    x, y = Spec((*outer, lstm.features), "float32"), Spec((*outer, lstm.cells), "float32")
    hidden = cell = Spec(states, "float32", is_variable=True)
    if not is_float:
        x_scale = float(np.float32(0.02 if lstm.dtype == "int8" else 0.00008))
        x = Spec(x.shape, lstm.dtype, x_scale, lstm.zero_points[0])
        y = Spec(y.shape, lstm.dtype, hidden_scale, lstm.zero_points[1])
        hidden = Spec(states, lstm.dtype, hidden_scale, lstm.zero_points[1], is_variable=True)
        cell = Spec(states, "int16", lstm.cell_scale, is_variable=True)
    on_features = [_weights(rng, lstm, (lstm.cells, lstm.features)) for _ in range(4)]
    on_hidden = [_weights(rng, lstm, (lstm.cells, lstm.cells)) for _ in range(4)]
    biases = [_bias(rng, lstm, weights) for weights in on_features]
    no: list[Operand] = [None]
    operands = [x, *on_features, *on_hidden, *no * 3, *biases, *no * 2, hidden, cell, *no * 4]
    inner = [Spec((0,), "float32")] * 4 + [Spec((0,), "int8", hidden_scale, lstm.zero_points[1])]
    case = one_op(
        name, "UNIDIRECTIONAL_SEQUENCE_LSTM", operands, y,
        version=1 if is_float else 3, intermediates=[] if is_float else inner, time_major=lstm.time_major,
        fused_activation_function="TANH", cell_clip=lstm.cell_clip,
    )  # fmt: skip
    oracle = "tflm" if lstm.dtype == "int16" else "tflite-runtime"
    return Case(case.id, case.model, tuple(s for _ in range(CALLS) for s in make_samples(rng, [x])), oracle)


class TestUnidirectionalSequenceLstm(OperatorMatrix):
    cases = tuple(_case(name, lstm) for name, lstm in _TABLE.items())
    tflm_differs: ClassVar[Mapping[str, str]] = {
        name: "logistic and tanh come from tables, and the cell is rounded twice: a step more or less at times"
        for name, lstm in _TABLE.items()
        if lstm.dtype == "int8" and lstm.cells > 1
    }
