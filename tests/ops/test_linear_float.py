"""float32 convolutions and matrices against the reference."""

from tests.ops.case import Case, Const, Operand, one_op, rng_of
from tests.ops.linear import GROUPED, LAYERS, Layer
from tests.ops.matrix import OperatorMatrix
from tflite_support.builder import Spec


def _case(name: str, layer: Layer) -> Case:
    rng = rng_of(name)
    operands: list[Operand] = [
        Spec(layer.x, "float32"),
        Const(rng.normal(0, 1, layer.weights).astype("float32")),
    ]
    if layer.bias:
        operands.append(Const(rng.normal(0, 3, layer.channels).astype("float32")))
    elif layer.kind == "FULLY_CONNECTED":
        operands.append(None)
    return one_op(name, layer.kind, operands, Spec(layer.y, "float32"), **layer.options)


class TestFloatLayers(OperatorMatrix):
    cases = tuple(_case(name, layer) for name, layer in (LAYERS | GROUPED).items())
