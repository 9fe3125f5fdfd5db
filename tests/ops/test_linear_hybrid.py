"""Hybrid layers against the reference: float activations, int8 weights. TensorFlow Lite Micro has no such kernels."""

from pathlib import Path

import numpy as np
import pytest

from tests.ops.case import Array, Case, Const, Operand, one_op, rng_of, weights
from tests.ops.linear import LAYERS, Layer
from tests.ops.matrix import OperatorMatrix
from tflite_support.builder import Builder, Spec
from tinycompile.driver.prove import OWN_REFERENCE, verify_model
from tinycompile.frontend import read_model
from tinycompile.ops.interpret import evaluate_graph
from tinycompile.toolchain import run_oracle


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


_ROWS, _DEPTH = 3, 13
_UNIT_SCALES = (0.01, 0.4, 0.0003, 0.02, 1.5)


def _matrix_model(weights: Array, bias: Array, scales: list[float]) -> bytes:
    builder = Builder()
    x = builder.input((_ROWS, _DEPTH), "float32", name="x")
    w = builder.const(weights, scale=scales, name="w")
    y = Spec((_ROWS, len(weights)), "float32", name="y")
    return builder.finish([x], [builder.op("FULLY_CONNECTED", [x, w, builder.const(bias, name="b")], y)])


@pytest.mark.needs("module:tflite_runtime")
def test_matrix_with_a_scale_for_each_unit(tmp_path: Path) -> None:
    """tflite-runtime 2.14 knows no scales of units, so it is asked for each unit alone: inputs are quantized by themselves."""
    rng = np.random.default_rng(3)
    weights = rng.integers(-127, 128, (len(_UNIT_SCALES), _DEPTH)).astype(np.int8)
    bias = rng.normal(size=len(_UNIT_SCALES)).astype(np.float32)
    samples = [(rng.normal(size=(_ROWS, _DEPTH)).astype(np.float32),) for _ in range(4)]
    data = _matrix_model(weights, bias, list(_UNIT_SCALES))
    by_unit = [
        run_oracle("tflite-runtime", _matrix_model(weights[u : u + 1], bias[u : u + 1], [scale]), samples)
        for u, scale in enumerate(_UNIT_SCALES)
    ]
    graph = read_model(data, "units")
    for number, (x,) in enumerate(samples):
        expected = np.concatenate([unit.outputs[number][0] for unit in by_unit], axis=1)
        computed = evaluate_graph(graph, {graph.inputs[0]: x})[graph.outputs[0]]
        np.testing.assert_allclose(computed, expected, rtol=1e-5, atol=1e-5 * np.abs(expected).max())
    path = tmp_path / "units.tflite"
    path.write_bytes(data)
    assert verify_model(path, board="host", oracle=OWN_REFERENCE).passed
