"""RESHAPE against the reference: the shape as operand, as option, with a dimension left open."""

import numpy as np

from tests.ops.case import Case, Const
from tests.ops.matrix import OperatorMatrix
from tests.ops.views import TYPES, Shape, view


def _case(name: str, x: Shape, y: Shape, given: Shape | None = None, dtype: str = "int8") -> Case:
    operand = Const(np.array(given or y, np.int32))
    return view(name, "RESHAPE", x, y, operand, dtype=dtype, new_shape=given or y)


class TestReshape(OperatorMatrix):
    cases = (
        _case("flatten", (1, 3, 4, 5), (1, 60)),
        _case("flatten_batch", (3, 2, 2, 2), (3, 8)),
        _case("image", (1, 60), (1, 3, 4, 5)),
        _case("image_to_image", (1, 3, 4, 5), (1, 4, 5, 3)),
        _case("vector", (1, 3, 4), (12,)),
        _case("same", (2, 3), (2, 3)),
        _case("open_dimension", (1, 3, 4, 5), (1, 60), (1, -1)),
        _case("open_dimension_first", (2, 3, 4), (6, 4), (-1, 4)),
        _case("five_dimensions", (2, 12), (1, 2, 3, 2, 2)),
        view("shape_as_option", "RESHAPE", (2, 6), (3, 4), new_shape=(3, 4)),
        *(_case(dtype, (1, 3, 4), (2, 6), dtype=dtype) for dtype in TYPES),
    )
