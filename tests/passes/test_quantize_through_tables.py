"""A QUANTIZE of floats takes in the function of bytes behind it, unless something else reads the levels."""

import pytest

from tests.passes.equality import apply
from tests.passes.graphs import finish, shifted
from tflite_support.builder import Builder, Spec
from tinycompile.passes.quantize_through_tables import QuantizeThroughTables


@pytest.mark.parametrize("target", ["int8", "uint8"])
def test_floats_are_quantized_through_a_table(target: str) -> None:
    builder = Builder()
    shape = (1, 4, 5, 3)
    x = builder.input(shape, "float32")
    levels = builder.op("QUANTIZE", [x], Spec(shape, "int8", 0.03, 7))
    y = builder.op("QUANTIZE", [levels], Spec(shape, target, 0.05, 100))
    after = apply(QuantizeThroughTables(), finish(builder, [x], [y]))
    assert [node.kind for node in after.nodes] == ["QUANTIZE_LOOKUP"]
    assert after.nodes[0].source == (0, 1) and after.nodes[0].inputs == (x,)


def test_levels_that_others_read_are_not_quantized_through_a_table() -> None:
    """A graph output, two readers, a table of wider results, an operator of two bytes."""
    builder = Builder()
    shape = (1, 4, 5, 3)
    x = builder.input(shape, "float32")
    shown, read_twice, widened, added = (
        builder.op("QUANTIZE", [x], Spec(shape, "int8", scale, 7)) for scale in (0.01, 0.02, 0.03, 0.04)
    )
    spec = Spec(shape, "int8", 0.06, -9)
    outputs = [shown, shifted(builder, "MUL", shown, spec, 80)]
    outputs += [shifted(builder, "MUL", read_twice, spec, n) for n in (3, 4)]
    outputs += [builder.op("QUANTIZE", [widened], Spec(shape, "int16", 0.001))]
    outputs += [builder.op("ADD", [added, added], spec)]
    graph = finish(builder, [x], outputs)
    assert apply(QuantizeThroughTables(), graph) is graph
