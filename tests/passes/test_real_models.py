"""All passes on the real models: the reference semantics of the simplified graph give the bytes of the reference interpreter."""

from pathlib import Path

import numpy as np
import pytest

from tflite_support.oracles import Question, ask
from tinycompile.frontend import read_model
from tinycompile.ir import Graph
from tinycompile.ops import evaluate_graph
from tinycompile.passes import run_passes

_REFUSED_BY_TFLITE_RUNTIME = {"person_detect"}  # its quantized_dimension; TFLM runs it

_MODELS = [
    "ad01_int8",
    "hello_world_int8",
    "kws_ref_model",
    "mcunet_vww1",
    "micro_speech_quantized",
    "MobileNetV2",
    pytest.param("person_detect", marks=pytest.mark.needs("module:tflite_micro")),
    "pretrainedResnet_quant",
    "str_ww_ref_model",
    "vww_96_int8",
]


def _samples(graph: Graph, count: int) -> list[list[np.ndarray]]:
    """Random inputs over the whole range: reals that quantize to all of int8 where the model takes floats."""
    rng = np.random.default_rng(9)
    samples = []
    for _ in range(count):
        sample = []
        for key in graph.inputs:
            tensor = graph.tensors[key]
            if tensor.dtype.is_integer:
                low, high = tensor.dtype.limits
                sample.append(rng.integers(low, high + 1, tensor.shape).astype(tensor.dtype.numpy))
            else:
                sample.append(rng.uniform(-1.1, 1.1, tensor.shape).astype(np.float32))
        samples.append(sample)
    return samples


@pytest.mark.models
@pytest.mark.needs("module:tflite_runtime")
@pytest.mark.parametrize("model", _MODELS)
def test_passes_are_exact(models_dir: Path, model: str) -> None:
    oracle = "tflm" if model in _REFUSED_BY_TFLITE_RUNTIME else "tflite-runtime"
    data = (models_dir / f"{model}.tflite").read_bytes()
    graph = run_passes(read_model(data, model))
    samples = _samples(graph, 1 if model == "MobileNetV2" else 3)
    (answer,) = ask([Question(data, samples)], oracle)
    assert answer.refusal is None
    for sample, expected in zip(samples, answer.outputs, strict=True):
        values = evaluate_graph(graph, dict(zip(graph.inputs, sample, strict=True)))
        for key, wanted in zip(graph.outputs, expected, strict=True):
            np.testing.assert_array_equal(values[key], wanted)


@pytest.mark.models
def test_mcunet_has_no_pads_and_no_transpose_left(models_dir: Path) -> None:
    graph = run_passes(read_model((models_dir / "mcunet_vww1.tflite").read_bytes(), "mcunet"))
    assert {node.kind for node in graph.nodes} == {
        "QUANTIZE", "CONV_2D", "DEPTHWISE_CONV_2D", "ADD", "MEAN", "FULLY_CONNECTED", "DEQUANTIZE",
    }  # fmt: skip
