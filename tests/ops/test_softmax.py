"""SOFTMAX against the reference: lengths, ranks, scales of the input, beta, output types."""

from dataclasses import dataclass

from tests.ops.case import Case, one_op
from tests.ops.matrix import OperatorMatrix
from tflite_support.builder import Spec


@dataclass(frozen=True)
class Softmax:
    """A softmax over the last dimension of `x`."""

    x: tuple[int, ...] = (1, 10)
    scale: float = 0.05
    zero_point: int = -3
    beta: float = 1.0
    types: tuple[str, str] = ("int8", "int8")


_OUTPUTS = {
    "int8": (1 / 256, -128),
    "uint8": (1 / 256, 0),
    "int16": (1 / 65536, -32768),
    "float32": (None, 0),
}

_TABLE = {
    "plain": Softmax(),
    "batch_3": Softmax(x=(3, 5)),
    "image": Softmax(x=(1, 3, 4, 5)),
    "three_dimensions": Softmax(x=(2, 3, 4)),
    "vector": Softmax(x=(7,)),
    "long": Softmax(x=(1, 1000)),
    "sharp": Softmax(scale=0.5),
    "sharper": Softmax(scale=4.0),
    "flat": Softmax(scale=0.001),
    "flatter": Softmax(scale=1e-6),
    "beta_half": Softmax(beta=0.5),
    "beta_3": Softmax(beta=3.0),
    "beta_tiny": Softmax(beta=0.01),
    "zero_point_low": Softmax(zero_point=-128),
    "zero_point_high": Softmax(zero_point=127),
    **{f"elements_{n}": Softmax(x=(2, n), scale=0.1) for n in range(1, 13)},
    **{f"scale_{n}": Softmax(x=(4, 12), scale=1 / n) for n in (3, 8, 17, 40, 100)},
    "uint8": Softmax(types=("uint8", "uint8"), zero_point=128),
    "uint8_image": Softmax(types=("uint8", "uint8"), zero_point=3, x=(1, 2, 3, 6), scale=0.2),
    "int8_to_int16": Softmax(types=("int8", "int16")),
    "int8_to_int16_sharp": Softmax(types=("int8", "int16"), x=(3, 9), scale=0.4),
    "int16": Softmax(types=("int16", "int16"), zero_point=0, scale=0.001),
    "int16_image_beta": Softmax(
        types=("int16", "int16"), zero_point=0, x=(1, 2, 3, 6), scale=0.0005, beta=0.3
    ),
    "int16_long": Softmax(types=("int16", "int16"), zero_point=0, x=(3, 900), scale=0.0002),
    "int16_sharp": Softmax(types=("int16", "int16"), zero_point=0, x=(4, 12), scale=0.02),
    "int16_flat": Softmax(types=("int16", "int16"), zero_point=0, x=(4, 12), scale=1e-6),
    **{
        f"int16_elements_{n}": Softmax(types=("int16", "int16"), zero_point=0, x=(6, n), scale=0.0003)
        for n in range(1, 9)
    },
    "float32": Softmax(types=("float32", "float32"), x=(3, 9)),
    "float32_image_beta": Softmax(types=("float32", "float32"), x=(1, 2, 3, 6), beta=0.1),
}


def _case(name: str, softmax: Softmax) -> Case:
    source, target = softmax.types
    x = Spec(softmax.x, source, softmax.scale, softmax.zero_point)
    if source == "float32":
        x = Spec(softmax.x, source)
    scale, zero_point = (1 / 32768, 0) if source == "int16" else _OUTPUTS[target]
    return one_op(name, "SOFTMAX", [x], Spec(softmax.x, target, scale, zero_point), beta=softmax.beta)


class TestSoftmax(OperatorMatrix):
    cases = tuple(_case(name, softmax) for name, softmax in _TABLE.items())
