"""The oracle's intermediate tensors are those of the model, also where TFLite computes ADD over its input."""

from pathlib import Path

import numpy as np
import pytest

from tinycompile.frontend import read_model
from tinycompile.ops.interpret import evaluate_graph
from tinycompile.toolchain import run_oracle


@pytest.mark.models
def test_every_tensor_of_a_residual_network(models_dir: Path) -> None:
    data = (models_dir / "pretrainedResnet_quant.tflite").read_bytes()
    graph = read_model(data, "resnet")
    image = np.random.default_rng(1).integers(-128, 128, (1, 32, 32, 3)).astype(np.int8)
    values = evaluate_graph(graph, {graph.inputs[0]: image})
    results = [graph.tensors[t] for node in graph.nodes for t in node.outputs]
    oracle = run_oracle(
        "tflite-runtime", data, [(image,)], tensors=[t.source for t in results if t.source is not None]
    )
    assert len(oracle.tensors) == len(results)
    for tensor in results:
        assert tensor.source is not None
        np.testing.assert_array_equal(oracle.tensors[tensor.source], values[tensor.id], tensor.name)
