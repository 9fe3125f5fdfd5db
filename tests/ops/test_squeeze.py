"""SQUEEZE against the reference: all dimensions of one, or named ones."""

from tests.ops.matrix import OperatorMatrix
from tests.ops.views import TYPES, view


class TestSqueeze(OperatorMatrix):
    cases = (
        view("height_width", "SQUEEZE", (1, 1, 1, 5), (1, 5), squeeze_dims=(1, 2)),
        view("batch", "SQUEEZE", (1, 3, 1, 5), (3, 1, 5), squeeze_dims=(0,)),
        view("negative", "SQUEEZE", (2, 3, 1), (2, 3), squeeze_dims=(-1,)),
        view("all", "SQUEEZE", (1, 3, 1, 5), (3, 5)),
        view("nothing_to_do", "SQUEEZE", (2, 3), (2, 3)),
        *(view(dtype, "SQUEEZE", (1, 3, 1), (3,), dtype=dtype) for dtype in TYPES if dtype != "bool"),
    )
