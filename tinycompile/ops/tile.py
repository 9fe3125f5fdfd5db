"""TILE: the input repeated along each axis.

Source of the semantics: tensorflow/lite/kernels/tile.cc.
"""

from collections.abc import Sequence

import numpy as np

from tinycompile.ir import Array, DType
from tinycompile.ops._copy import COPIED_TYPES, CopyKernel, DataMovement, Views
from tinycompile.ops._limits import constant_input, constant_integers, has_elements
from tinycompile.ops.base import Operation, TypeRule, register


def has_multiples(operation: Operation) -> str | None:
    """There is a positive multiple for each dimension."""
    source, multiples = operation.inputs[0], constant_integers(operation, 1)
    if source is None or multiples is None:
        return None
    legal = len(multiples) == len(source.shape) and min(multiples, default=1) > 0
    return None if legal else f"multiples {multiples} of {source.describe()}"


@register
class Tile(DataMovement):
    """TILE with constant multiples."""

    kind = "TILE"
    types = tuple(
        TypeRule((dtype, count), (dtype,))
        for dtype in COPIED_TYPES
        for count in (DType.INT32, DType.INT64)
        if dtype is not DType.INT16
    )
    limits = (has_elements, constant_input(1, "list of multiples"), has_multiples)
    min_inputs = 2
    kernels = (CopyKernel(),)

    def infer(self, operation: Operation) -> tuple[tuple[int, ...], ...]:
        """Each extent times its multiple."""
        pairs = zip(operation.input(0).shape, operation.input(1).values.reshape(-1), strict=True)
        return (tuple(extent * int(multiple) for extent, multiple in pairs),)

    def views(self, operation: Operation, inputs: Sequence[Array], outputs: Sequence[Array]) -> Views:
        """The output as [multiple, extent] pairs, into each of which the input goes."""
        multiples = [int(multiple) for multiple in operation.input(1).values.reshape(-1)]
        pairs = [n for pair in zip(multiples, inputs[0].shape, strict=True) for n in pair]
        singles = [n for extent in inputs[0].shape for n in (1, extent)]
        return [(outputs[0].reshape(pairs), np.broadcast_to(inputs[0].reshape(singles), pairs))]
