"""QUANTIZE leaves the inputs and DEQUANTIZE the outputs, where nobody else needs the floats; the C stays exact."""

from pathlib import Path

import numpy as np
import pytest

from tflite_support.builder import Builder, Spec
from tinycompile.driver.prove import verify_model
from tinycompile.frontend import read_model
from tinycompile.ir import DType, Graph
from tinycompile.passes import run_passes
from tinycompile.passes.quantized_edges import QuantizedEdges

FLOAT = Spec((1, 4), "float32")


def model(*, float_is_read_twice: bool = False) -> bytes:
    """float -> QUANTIZE -> FULLY_CONNECTED -> DEQUANTIZE -> float."""
    builder = Builder()
    x = builder.input((1, 4), "float32")
    quantized = builder.op("QUANTIZE", [x], Spec((1, 4), "int8", 0.05, 3))
    weights = builder.const(np.arange(-8, 8, dtype=np.int8).reshape(4, 4), 0.1, 0)
    bias = builder.const(np.array([5, -5, 100, 0], np.int32), 0.005, 0)
    sums = builder.op("FULLY_CONNECTED", [quantized, weights, bias], Spec((1, 4), "int8", 0.2, -4))
    outputs = [builder.op("DEQUANTIZE", [sums], FLOAT)]
    if float_is_read_twice:
        outputs.append(builder.op("ADD", [x, x], FLOAT))
    return builder.finish([x], outputs)


def kinds(graph: Graph) -> list[str]:
    return [node.kind for node in graph.nodes]


def test_both_edges_are_taken_off() -> None:
    graph = run_passes(read_model(model(), "m"), (QuantizedEdges(),))
    assert kinds(graph) == ["FULLY_CONNECTED"]
    assert [graph.tensors[t].dtype for t in (*graph.inputs, *graph.outputs)] == [DType.INT8, DType.INT8]
    assert run_passes(graph, (QuantizedEdges(),)).nodes == graph.nodes, "a second run finds nothing"


def test_a_float_input_that_others_read_stays() -> None:
    graph = run_passes(read_model(model(float_is_read_twice=True), "m"), (QuantizedEdges(),))
    assert kinds(graph) == ["QUANTIZE", "FULLY_CONNECTED", "ADD"]
    assert graph.tensors[graph.inputs[0]].dtype is DType.FLOAT32


@pytest.mark.slow
def test_exact_behind_the_integer_interface(tmp_path: Path) -> None:
    path = tmp_path / "edges.tflite"
    path.write_bytes(model())
    result = verify_model(path, board="host", io="quantized")
    assert result.exact, result.summary()
