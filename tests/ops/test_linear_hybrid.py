"""Hybrid layers against the reference: float activations, int8 weights. TensorFlow Lite Micro has no such kernels.

A matrix with a scale for each unit is refused: tflite-runtime 2.14 takes it and returns the bias.
"""

import numpy as np

from tests.ops.case import Case, Const, Operand, one_op, rng_of, weights
from tests.ops.linear import LAYERS, Layer
from tests.ops.matrix import OperatorMatrix
from tests.support.tflite_builder import Spec


def _case(name: str, layer: Layer, asymmetric: bool = False, dtype: str = "int8") -> Case:
    rng = rng_of(name)
    values = weights(rng, layer.weights) // (1 if dtype == "int8" else 16)
    scales = np.float32(0.01 * rng.uniform(0.4, 1.6, layer.channels if layer.per_channel else 1))
    matrix = Const(values, scales.tolist(), axis=layer.channel_axis, dtype=dtype)
    operands: list[Operand] = [Spec(layer.x, "float32"), matrix]
    if layer.bias:
        operands.append(Const(rng.normal(0, 3, layer.channels).astype("float32")))
    elif layer.kind == "FULLY_CONNECTED":
        operands.append(None)
    options = dict(layer.options)
    if asymmetric:
        options["asymmetric_quantize_inputs"] = True
    return one_op(name, layer.kind, operands, Spec(layer.y, "float32"), **options)


def _is_taken(layer: Layer) -> bool:
    """The reference asks for a scale for each channel of a depthwise convolution, and cannot tell one from none."""
    return layer.kind != "DEPTHWISE_CONV_2D" or (layer.per_channel and layer.channels > 1)


_TAKEN = {name: layer for name, layer in LAYERS.items() if _is_taken(layer)}


class TestHybridLayers(OperatorMatrix):
    cases = (
        *(_case(name, layer) for name, layer in _TAKEN.items()),
        *(
            _case(f"{name}_asymmetric", layer, asymmetric=True)
            for name, layer in _TAKEN.items()
            if layer.kind == "FULLY_CONNECTED"
        ),
        *(
            _case(f"{name}_int4", layer, dtype="int4")
            for name, layer in _TAKEN.items()
            if layer.kind == "FULLY_CONNECTED"  # the reference reads those of a CONV_2D as bytes
        ),
    )
