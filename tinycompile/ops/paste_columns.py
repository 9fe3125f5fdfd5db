"""PASTE_COLUMNS: an image with a stripe put in. No operator of the schema; a pass makes it where an image is computed in stripes.

The first stripe comes without an image: what lies beside it is put in later, and nobody reads it before.
"""

from collections.abc import Sequence

import numpy as np

from tinycompile.ir import Array
from tinycompile.ops._column_copies import ColumnsKernel, columns_attributes
from tinycompile.ops._copy import moves_type
from tinycompile.ops.base import Operation, Operator, register


@register
class PasteColumns(Operator):
    """The second input, if there is one, with the first input in place of some of its columns."""

    kind = "PASTE_COLUMNS"
    types = moves_type()
    max_inputs = 2
    made_by_passes = True
    kernels = (ColumnsKernel(),)

    def infer(self, operation: Operation) -> tuple[tuple[int, ...], ...]:
        """The shape that the pass gave the output."""
        return (operation.output.shape,)

    def evaluate(self, operation: Operation, inputs: Sequence[Array | None]) -> tuple[Array, ...]:
        """Put the stripe in."""
        first, stripe = columns_attributes(operation).first, inputs[0]
        assert stripe is not None
        before = inputs[1] if len(inputs) > 1 else None
        output = operation.output
        image = np.zeros(output.shape, output.dtype.numpy) if before is None else before.copy()
        image[:, :, first : first + stripe.shape[2]] = stripe
        return (image,)

    def overwrites(self, operation: Operation) -> tuple[int, ...]:
        """The image: all but the stripe stays."""
        return tuple(range(1, len(operation.inputs)))
