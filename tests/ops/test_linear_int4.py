"""int4 weights, two in a byte, against the references."""

import numpy as np

from tests.ops.case import Case, Const, Operand, biases, int8, one_op, rng_of, spread_scale
from tests.ops.linear import GROUPED, LAYERS, Layer
from tests.ops.matrix import OperatorMatrix

_X_SCALE, _W_SCALE = 0.05, 0.15


def _case(name: str, layer: Layer, oracle: str = "tflite-runtime") -> Case:
    rng = rng_of(name)
    values = rng.integers(-8 if layer.zoom > 1 else -7, 8, layer.weights).astype(np.int8)
    scales = np.float32(_W_SCALE * rng.uniform(0.4, 1.6, layer.channels if layer.per_channel else 1))
    operands: list[Operand] = [
        int8(layer.x, _X_SCALE, layer.zero_points[0]),
        Const(values, scales.tolist(), axis=layer.channel_axis, dtype="int4"),
    ]
    if layer.bias:
        bias = biases(rng, layer.channels, layer.terms) // 16
        operands.append(Const(bias, (np.float32(_X_SCALE) * scales).tolist()))
    elif layer.kind == "FULLY_CONNECTED":
        operands.append(None)
    y_scale = spread_scale(_X_SCALE * _W_SCALE, layer.terms) / 16 / layer.zoom
    return one_op(
        name,
        layer.kind,
        operands,
        int8(layer.y, y_scale, layer.zero_points[1]),
        oracle=oracle,
        **layer.options,
    )


class TestInt4Layers(OperatorMatrix):
    cases = tuple(_case(name, layer) for name, layer in (LAYERS | GROUPED).items())
