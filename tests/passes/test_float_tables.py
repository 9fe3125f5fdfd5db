"""Functions of floats between DEQUANTIZE and QUANTIZE become a table, unless something else reads the floats."""

import numpy as np
import pytest

from tests.passes.equality import apply
from tests.passes.graphs import finish
from tflite_support.builder import Builder, Spec
from tflite_support.oracles import Question, ask
from tinycompile.driver.prepared import prepare
from tinycompile.ops import evaluate_graph
from tinycompile.passes.float_tables import FloatTables

_SHAPE = (1, 16, 16, 1)
_FLOATS = Spec(_SHAPE, "float32")


def _through(builder: Builder, source: int, kinds: list[str], target: Spec) -> int:
    """DEQUANTIZE, these operators, QUANTIZE."""
    for kind in ("DEQUANTIZE", *kinds):
        source = builder.op(kind, [source], _FLOATS)
    return builder.op("QUANTIZE", [source], target)


@pytest.mark.parametrize("kinds", [[], ["ELU"], ["ABS", "SQRT"]], ids=str)
@pytest.mark.parametrize("source, target", [("int8", "int8"), ("int8", "uint8"), ("uint8", "int8")])
def test_floats_between_bytes_become_a_table(kinds: list[str], source: str, target: str) -> None:
    builder = Builder()
    x = builder.input(_SHAPE, source, 0.03, 7)
    y = _through(builder, x, kinds, Spec(_SHAPE, target, 0.02, 40))
    after = apply(FloatTables(), finish(builder, [x], [y]))
    assert [node.kind for node in after.nodes] == ["LOOKUP"]
    assert after.nodes[0].inputs == (x,) and after.nodes[0].source == tuple(range(2 + len(kinds)))


def test_floats_that_others_read_stay() -> None:
    """A graph output, two readers, levels or results of two bytes."""
    builder = Builder()
    x, wide = builder.input(_SHAPE, "int8", 0.03, 7), builder.input(_SHAPE, "int16", 0.001, 0)
    bytes_, words = Spec(_SHAPE, "int8", 0.02, 40), Spec(_SHAPE, "int16", 0.001, 0)
    shown = builder.op("DEQUANTIZE", [x], _FLOATS)
    read_twice = builder.op("DEQUANTIZE", [x], _FLOATS)
    outputs = [shown, builder.op("QUANTIZE", [shown], bytes_)]
    outputs += [builder.op("QUANTIZE", [read_twice], bytes_), builder.op("ELU", [read_twice], _FLOATS)]
    outputs += [_through(builder, wide, ["ELU"], bytes_), _through(builder, x, ["ELU"], words)]
    graph = finish(builder, [x, wide], outputs)
    assert apply(FloatTables(), graph) is graph


@pytest.mark.needs("module:tflite_micro")
@pytest.mark.parametrize("scale", [0.01, 0.0235, 0.1])
def test_the_table_has_the_levels_of_the_reference(scale: float) -> None:
    builder = Builder()
    x = builder.input(_SHAPE, "int8", scale, 11)
    y = _through(builder, x, ["ELU"], Spec(_SHAPE, "int8", scale / 2, -70))
    model, levels = builder.finish([x], [y]), np.arange(-128, 128).astype(np.int8).reshape(_SHAPE)
    graph = prepare(model, board="host", name="elu").graph
    assert [node.kind for node in graph.nodes] == ["LOOKUP"]
    (answer,) = ask([Question(model, [(levels,)])], "tflm")
    assert answer.refusal is None, answer.refusal
    found = evaluate_graph(graph, {graph.inputs[0]: levels})[graph.outputs[0]]
    np.testing.assert_array_equal(found, answer.outputs[0][0])
