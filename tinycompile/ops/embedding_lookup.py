"""EMBEDDING_LOOKUP: rows of a table, by index; rows of an int8 table may be wanted as float32.

Source of the semantics: tensorflow/lite/kernels/embedding_lookup.cc.
"""

from collections.abc import Sequence
from math import prod

import numpy as np

from tinycompile.ir import Array, DType
from tinycompile.ops._gather import GatherKernel, Layout
from tinycompile.ops._limits import constant_integers, has_elements, quantization_problem
from tinycompile.ops.access import WHOLE, Access
from tinycompile.ops.base import Operation, Operator, TypeRule, register


def has_table(operation: Operation) -> str | None:
    """Indices have one dimension, the table at least two, and constant indices lie inside of it."""
    indices, table = operation.inputs[0], operation.optional(1)
    if indices is None or table is None:
        return "an input is missing"
    if len(indices.shape) != 1 or len(table.shape) < 2:
        return f"{indices.describe()} and {table.describe()}"
    known = constant_integers(operation, 0) or []
    outside = [index for index in known if not 0 <= index < table.shape[0]]
    return f"index {outside[0]} of {table.shape[0]}" if outside else None


def has_scaled_table(operation: Operation) -> str | None:
    """A table of int8 that gives float32 is quantized per tensor with zero point 0."""
    table = operation.optional(1)
    if table is None or table.dtype is operation.output.dtype:
        return None
    return quantization_problem(table) or (f"zero point {table.zero_point}" if table.zero_point else None)


@register
class EmbeddingLookup(Operator):
    """EMBEDDING_LOOKUP."""

    kind = "EMBEDDING_LOOKUP"
    types = tuple(
        TypeRule((DType.INT32, table), (output,))
        for table, output in (
            (DType.INT8, DType.INT8),
            (DType.FLOAT32, DType.FLOAT32),
            (DType.INT8, DType.FLOAT32),
        )
    )
    limits = (has_elements, has_table, has_scaled_table)
    min_inputs = 2
    kernels = (GatherKernel(lambda operation: _layout(operation)),)

    def infer(self, operation: Operation) -> tuple[tuple[int, ...], ...]:
        """A row for each index."""
        return ((operation.input(0).shape[0], *operation.input(1).shape[1:]),)

    def evaluate(self, operation: Operation, inputs: Sequence[Array | None]) -> tuple[Array, ...]:
        """As the kernel does."""
        indices, table = inputs[0], inputs[1]
        assert indices is not None and table is not None
        rows = table[np.clip(indices, 0, len(table) - 1)]
        if table.dtype != operation.output.dtype.numpy:
            rows = rows.astype(np.float32) * np.float32(operation.input(1).scale)
        return (rows,)

    def access(self, operation: Operation, index: int) -> Access:
        """Any row may be taken."""
        return WHOLE


def _layout(operation: Operation) -> Layout:
    indices, table = operation.input(0).shape, operation.input(1).shape
    return Layout(1, 1, table[0], indices[0], prod(table[1:]), table_input=1, index_input=0)
