"""DYNAMIC_UPDATE_SLICE: a tensor in which a box is replaced by another tensor; where it begins may be computed.

Source of the semantics: tensorflow/lite/kernels/dynamic_update_slice.cc.
"""

from collections.abc import Sequence

import numpy as np

from tinycompile.ir import Array, DType
from tinycompile.ops._copy import collapse
from tinycompile.ops._limits import has_elements
from tinycompile.ops._template import TemplateCode, TemplateKernel
from tinycompile.ops.access import WHOLE, Access
from tinycompile.ops.base import Operation, Operator, TypeRule, register


def has_box(operation: Operation) -> str | None:
    """The update has as many dimensions as the input, none of them longer; there is a start for each of them."""
    source, update, start = (operation.optional(index) for index in range(3))
    if source is None or update is None or start is None:
        return "an input is missing"
    legal = len(update.shape) == len(source.shape) > 0 and start.shape == (len(source.shape),)
    legal = legal and all(u <= s for u, s in zip(update.shape, source.shape, strict=True))
    return None if legal else f"{source.describe()}, {update.describe()}, start {start.describe()}"


@register
class DynamicUpdateSlice(Operator):
    """DYNAMIC_UPDATE_SLICE."""

    kind = "DYNAMIC_UPDATE_SLICE"
    types = tuple(
        TypeRule((dtype, dtype, index), (dtype,))
        for dtype in (DType.INT8, DType.INT32, DType.INT64, DType.FLOAT32, DType.BOOL)
        for index in (DType.INT32, DType.INT64)
        if index is DType.INT32 or dtype not in (DType.INT64, DType.BOOL)
    )
    limits = (has_elements, has_box)
    min_inputs = 3
    kernels = (TemplateKernel(lambda operation: _code(operation)),)

    def infer(self, operation: Operation) -> tuple[tuple[int, ...], ...]:
        """The input's shape."""
        return (operation.input(0).shape,)

    def evaluate(self, operation: Operation, inputs: Sequence[Array | None]) -> tuple[Array, ...]:
        """Start limited, box assigned."""
        source, update, start = inputs[0], inputs[1], inputs[2]
        assert source is not None and update is not None and start is not None
        first = np.clip(start, 0, _room(operation))
        result = source.copy()
        result[tuple(slice(f, f + n) for f, n in zip(first, update.shape, strict=True))] = update
        return (result,)

    def access(self, operation: Operation, index: int) -> Access:
        """An element may come from either tensor."""
        return WHOLE

    def overwrites(self, operation: Operation) -> tuple[int, ...]:
        """Elements outside of the box stay where they are."""
        return (0,)


def _room(operation: Operation) -> list[int]:
    """Greatest start in each dimension."""
    return [s - u for s, u in zip(operation.input(0).shape, operation.input(1).shape, strict=True)]


def _code(operation: Operation) -> TemplateCode:
    source, update = (np.empty(operation.input(index).shape, np.int8) for index in (0, 1))
    loops = collapse(update.shape, source.strides, update.strides)
    run = loops[-1][0] if loops and loops[-1][1:] == (1, 1) else 1
    return TemplateCode(
        "dynamic_update_slice/portable.c.j2",
        {
            "c_type": operation.output.dtype.c_type,
            "index_type": operation.input(2).dtype.c_type,
            "elements": source.size,
            "room": tuple(_room(operation)),
            "steps": source.strides,
            "loops": loops[:-1] if run > 1 else loops,
            "run": run,
        },
        inputs=(0, 1, 2),
        cycles=source.size + update.size,
    )
