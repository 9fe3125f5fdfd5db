"""Hybrid layers that the reference refuses, or computes wrongly, are refused by name."""

import numpy as np
import pytest

from tflite_support.builder import Builder, Spec
from tinycompile.errors import ModelError
from tinycompile.frontend import read_model

_WINDOW = {"padding": "SAME", "stride_w": 1, "stride_h": 1}


def _layer(
    kind: str, x: tuple[int, ...], weights: tuple[int, ...], scales: list[float], axis: int, **options: object
) -> bytes:
    builder = Builder()
    source = builder.input(x, "float32")
    matrix = builder.const(np.ones(weights, np.int8), scales, axis=axis)
    bias = builder.const(np.zeros(3, np.float32))
    y = builder.op(kind, [source, matrix, bias], Spec((*x[:-1], 3), "float32"), **options)
    return builder.finish([source], [y])


def test_a_depthwise_convolution_with_one_scale() -> None:
    model = _layer("DEPTHWISE_CONV_2D", (1, 4, 4, 3), (1, 3, 3, 3), [0.1], 3, depth_multiplier=1, **_WINDOW)
    with pytest.raises(ModelError, match=r"#0 DEPTHWISE_CONV_2D .*1 scales for 3 output channels"):
        read_model(model, "m")


def test_quantized_inputs_of_a_hybrid_layer_are_no_types_of_a_file() -> None:
    """int8 activations, int8 weights and a float bias are what a pass makes, not what a file may hold."""
    builder = Builder()
    source = builder.input((1, 4), "int8", 0.1)
    matrix = builder.const(np.ones((3, 4), np.int8), 0.1)
    bias = builder.const(np.zeros(3, np.float32))
    y = builder.op("FULLY_CONNECTED", [source, matrix, bias], Spec((1, 3), "float32"))
    with pytest.raises(ModelError, match="types are int8, int8, float32 -> float32"):
        read_model(builder.finish([source], [y]), "m")
