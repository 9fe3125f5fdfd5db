"""int16 activations with int8 weights against the reference: sums of 64 bits are rounded once, those of 32 bits twice."""

from typing import ClassVar

import numpy as np

from tests.ops.case import Case, Const, Operand, one_op, rng_of, spread_scale, weights
from tests.ops.linear import GROUPED, LAYERS, Layer, conv, dense, depthwise
from tests.ops.matrix import OperatorMatrix
from tflite_support.builder import Spec

_X_SCALE = 0.0002
_W_SCALE = 0.01


def _case(name: str, layer: Layer, bias: str = "int64", oracle: str = "tflite-runtime") -> Case:
    rng = rng_of(name)
    scales = np.float32(_W_SCALE * rng.uniform(0.4, 1.6, layer.channels if layer.per_channel else 1))
    operands: list[Operand] = [
        Spec(layer.x, "int16", _X_SCALE),
        Const(weights(rng, layer.weights), scales.tolist(), axis=layer.channel_axis),
    ]
    if layer.bias:
        reach = int(19_000 * 74 * np.sqrt(layer.terms))
        values = rng.integers(-reach, reach + 1, layer.channels).astype(bias)
        operands.append(Const(values, (np.float32(_X_SCALE) * scales).tolist()))
    elif layer.kind == "FULLY_CONNECTED":
        operands.append(None)
    options = dict(layer.options)
    if layer.kind != "DEPTHWISE_CONV_2D":
        options["quantized_bias_type"] = bias
    y = Spec(layer.y, "int16", spread_scale(_X_SCALE * _W_SCALE, layer.terms) / layer.zoom)
    return one_op(name, layer.kind, operands, y, oracle=oracle, **options)


# neither reference takes a bias of 32 bits for a depthwise convolution: TFLM reads it as 64
_BIAS_OF_32_BITS = ("conv_same", "conv_1x1", "conv_relu", "dense", "dense_batch_3", "dense_no_bias")


class TestInt16Layers(OperatorMatrix):
    cases = (
        *(_case(name, layer) for name, layer in LAYERS.items()),
        *(_case(name, layer, oracle="tflm") for name, layer in GROUPED.items()),
        *(_case(f"{name}_bias_of_32_bits", LAYERS[name], "int32") for name in _BIAS_OF_32_BITS),
        _case("conv_long", conv((1, 3, 3, 600), 3)),
        _case("conv_no_bias", conv(bias=False), oracle="tflm"),
        _case("depthwise_no_bias", depthwise(bias=False)),
        _case("dense_per_channel", dense(per_channel=True)),
    )
    tflm_differs: ClassVar = {"dense_no_bias": "sums of 64 bits"}
