"""uint8 layers against the reference: one scale and zero point for all weights. TensorFlow Lite Micro has no such kernels."""

import numpy as np

from tests.ops.case import Case, Const, Operand, biases, one_op, rng_of, spread_scale
from tests.ops.linear import LAYERS, Layer
from tests.ops.matrix import OperatorMatrix
from tflite_support.builder import Spec

_X_SCALE, _W_SCALE = 0.05, 0.01


def _case(name: str, layer: Layer, zero_point: int = 121, least: int = 0) -> Case:
    """The zero points of a layer's activations are those of int8, moved by 128; `zero_point` is that of the weights."""
    rng = rng_of(name)
    values = rng.integers(least, 256, layer.weights).astype(np.uint8)
    bias_scale = float(np.float32(_X_SCALE) * np.float32(_W_SCALE))
    x_zero_point, y_zero_point = (point + 128 for point in layer.zero_points)
    operands: list[Operand] = [
        Spec(layer.x, "uint8", _X_SCALE, x_zero_point),
        Const(values, _W_SCALE, zero_point),
    ]
    if layer.bias:
        operands.append(Const(biases(rng, layer.channels, layer.terms), bias_scale))
    elif layer.kind == "FULLY_CONNECTED":
        operands.append(None)
    y_scale = spread_scale(_X_SCALE * _W_SCALE, layer.terms) / layer.zoom
    return one_op(name, layer.kind, operands, Spec(layer.y, "uint8", y_scale, y_zero_point), **layer.options)


_SOME = (
    "conv_same",
    "conv_1x1",
    "conv_stride_2",
    "depthwise_same",
    "depthwise_multiplier_3",
    "dense",
    "dense_batch_3",
)


class TestUint8Layers(OperatorMatrix):
    cases = (
        *(_case(name, layer) for name, layer in LAYERS.items()),
        *(
            _case(f"{name}_weights_around_{point}", LAYERS[name], point)
            for name in _SOME
            for point in (0, 3, 128, 255)
        ),
        # differences to the zero point fit 8 bits
        *(_case(f"{name}_narrow", LAYERS[name], 129, least=1) for name in _SOME),
    )
