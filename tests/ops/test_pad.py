"""PAD against the reference: ranks, one-sided and absent paddings, zero points, types."""

from dataclasses import dataclass

import numpy as np

from tests.ops.case import Case, Const, one_op
from tests.ops.matrix import OperatorMatrix
from tflite_support.builder import Spec


@dataclass(frozen=True)
class Pad:
    """A padding by (before, after) for each dimension of `x`."""

    x: tuple[int, ...] = (1, 4, 5, 3)
    paddings: tuple[tuple[int, int], ...] = ((0, 0), (1, 1), (1, 1), (0, 0))
    dtype: str = "int8"
    zero_point: int = -3


_TABLE = {
    "height_width": Pad(),
    "before": Pad(paddings=((0, 0), (2, 0), (3, 0), (0, 0))),
    "after": Pad(paddings=((0, 0), (0, 2), (0, 3), (0, 0))),
    "height": Pad(paddings=((0, 0), (1, 2), (0, 0), (0, 0))),
    "width": Pad(paddings=((0, 0), (0, 0), (2, 1), (0, 0))),
    "channels": Pad(paddings=((0, 0), (0, 0), (0, 0), (1, 2))),
    "batch": Pad(paddings=((1, 1), (0, 0), (0, 0), (0, 0))),
    "everywhere": Pad(x=(2, 3, 2, 3), paddings=((1, 2), (2, 1), (1, 0), (0, 3))),
    "nowhere": Pad(paddings=((0, 0), (0, 0), (0, 0), (0, 0))),
    "batch_of_images": Pad(x=(3, 2, 3, 2)),
    "one_pixel": Pad(x=(1, 1, 1, 3), paddings=((0, 0), (3, 2), (1, 4), (0, 0))),
    "vector": Pad(x=(5,), paddings=((2, 3),)),
    "matrix": Pad(x=(3, 4), paddings=((1, 0), (0, 2))),
    "three_dimensions": Pad(x=(2, 3, 4), paddings=((0, 1), (1, 0), (2, 2))),
    "five_dimensions": Pad(x=(1, 2, 3, 2, 2), paddings=((0, 0), (1, 0), (0, 1), (1, 1), (0, 0))),
    "zero_point_low": Pad(zero_point=-128),
    "zero_point_high": Pad(zero_point=127),
    "uint8": Pad(dtype="uint8", zero_point=130),
    "int16": Pad(dtype="int16", zero_point=0),
    "int32": Pad(dtype="int32"),
    "int64": Pad(dtype="int64"),
    "float32": Pad(dtype="float32"),
}


def _case(name: str, pad: Pad) -> Case:
    shape = tuple(extent + sum(pair) for extent, pair in zip(pad.x, pad.paddings, strict=True))
    quantized = pad.dtype in ("int8", "uint8", "int16")
    scale, zero_point = (0.05, pad.zero_point) if quantized else (None, 0)
    x, y = (Spec(s, pad.dtype, scale, zero_point) for s in (pad.x, shape))
    return one_op(name, "PAD", [x, Const(np.array(pad.paddings, np.int32))], y)


class TestPad(OperatorMatrix):
    cases = tuple(_case(name, pad) for name, pad in _TABLE.items())
