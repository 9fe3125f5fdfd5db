"""FULLY_CONNECTED against the reference: tails of the inner product and of the units, batches, ranks, scales."""

from dataclasses import dataclass

import numpy as np

from tests.ops.case import Case, Const, biases, int8, one_op, rng_of, spread_scale, weights
from tests.ops.matrix import OperatorMatrix


@dataclass(frozen=True)
class Dense:
    """A fully connected layer; the last dimension(s) of `x` make up `depth`."""

    depth: int = 20
    units: int = 6
    x: tuple[int, ...] | None = None
    """Shape of the input; [1, depth] by default."""
    y: tuple[int, ...] | None = None
    """Shape of the output; [1, units] by default."""
    activation: str = "NONE"
    zero_points: tuple[int, int] = (-3, 5)
    per_channel: bool = False
    bias: bool = True
    weights: str = "random"
    zoom: float = 1.0
    keep_num_dims: bool = False
    oracle: str = "tflite-runtime"


_TABLE = {
    "plain": Dense(),
    "batch_2": Dense(x=(2, 20), y=(2, 6)),
    "batch_5_odd": Dense(depth=7, units=3, x=(5, 7), y=(5, 3)),
    "flattens_an_image": Dense(depth=24, x=(1, 2, 3, 4), y=(1, 6)),
    "flattens_a_batch_of_images": Dense(depth=12, x=(3, 1, 3, 4), y=(3, 6)),
    "keeps_dimensions": Dense(depth=5, x=(2, 3, 5), y=(2, 3, 6), keep_num_dims=True),
    "keeps_four_dimensions": Dense(depth=5, units=4, x=(1, 2, 3, 5), y=(1, 2, 3, 4), keep_num_dims=True),
    "vector": Dense(x=(20,), y=(1, 6)),
    "one_unit": Dense(units=1),
    "one_unit_of_one": Dense(depth=1, units=1),
    "no_bias": Dense(bias=False),
    "no_bias_batch": Dense(bias=False, x=(3, 20), y=(3, 6)),
    "relu": Dense(activation="RELU", zoom=0.7),
    "relu6": Dense(activation="RELU6", zoom=0.5),
    "relu_n1_to_1": Dense(activation="RELU_N1_TO_1", zoom=0.5),
    "relu_at_the_lower_end": Dense(activation="RELU", zero_points=(-128, -128)),
    "zero_points_low_high": Dense(zero_points=(-128, 127)),
    "zero_points_high_low": Dense(zero_points=(127, -128)),
    "zero_points_zero": Dense(zero_points=(0, 0)),
    "weights_extreme": Dense(weights="extreme", depth=67),
    "weights_minus_128": Dense(weights="lowest", depth=33, zero_points=(-128, 0)),
    "weights_minus_128_high": Dense(weights="lowest", depth=34, zero_points=(127, 0)),
    "weights_sparse": Dense(weights="sparse", depth=40),
    "long": Dense(depth=1030, units=3),
    "wide": Dense(depth=9, units=131),
    "zoom_20": Dense(zoom=20),
    "multiplier_above_1": Dense(zoom=5000),
    "multiplier_far_above_1": Dense(zoom=300_000),
    "multiplier_tiny": Dense(zoom=1e-4),
    "multiplier_vanishing": Dense(zoom=1e-8),
    "per_channel": Dense(per_channel=True),
    "per_channel_batch": Dense(per_channel=True, x=(3, 20), y=(3, 6)),
    "per_channel_relu": Dense(per_channel=True, units=9, activation="RELU"),
    # tflite-runtime 2.14 does not compute the rows behind the first dimension, see toolchain/oracle_defects.py
    "per_channel_rows": Dense(
        per_channel=True, oracle="tflm", depth=5, x=(2, 3, 5), y=(2, 3, 6), keep_num_dims=True
    ),
    **{f"depth_{k}": Dense(depth=k, units=5) for k in range(1, 71)},
    **{f"units_{n}": Dense(units=n) for n in range(1, 18)},
    **{f"units_{n}_batch_3": Dense(depth=11, units=n, x=(3, 11), y=(3, n)) for n in range(1, 7)},
}


def _case(name: str, dense: Dense) -> Case:
    rng = rng_of(name)
    x_scale, w_scale = 0.05, 0.01
    scales = np.float32(w_scale * rng.uniform(0.4, 1.6, dense.units if dense.per_channel else 1))
    bias_scales = np.float32(x_scale) * scales
    matrix = Const(weights(rng, (dense.units, dense.depth), dense.weights), scales.tolist())
    bias = Const(biases(rng, dense.units, dense.depth), bias_scales.tolist()) if dense.bias else None
    y_scale = spread_scale(x_scale * w_scale, dense.depth) / dense.zoom
    return one_op(
        name,
        "FULLY_CONNECTED",
        [int8(dense.x or (1, dense.depth), x_scale, dense.zero_points[0]), matrix, bias],
        int8(dense.y or (1, dense.units), y_scale, dense.zero_points[1]),
        oracle=dense.oracle,
        fused_activation_function=dense.activation,
        keep_num_dims=dense.keep_num_dims,
    )


class TestFullyConnected(OperatorMatrix):
    cases = tuple(_case(name, dense) for name, dense in _TABLE.items())
