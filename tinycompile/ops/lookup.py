"""LOOKUP: a table of the outputs of all bytes. No operator of the schema; a pass makes it of several functions of one element."""

from dataclasses import dataclass

import numpy as np

from tinycompile.ir import Array, Attributes, DType
from tinycompile.ops._lookup import BYTES, Unary, lookup_kernels
from tinycompile.ops.base import Operation, TypeRule, register


@dataclass(frozen=True)
class LookupAttributes(Attributes):
    """Outputs of the 256 inputs in the order of their bytes."""

    table: tuple[int, ...] = ()


@register
class Lookup(Unary):
    """An 8-bit input, integers as outputs."""

    kind = "LOOKUP"
    types = tuple(
        TypeRule((source,), (output,))
        for source in BYTES
        for output in (DType.INT8, DType.UINT8, DType.INT16, DType.INT32)
    )
    made_by_passes = True
    kernels = lookup_kernels()

    def apply(self, operation: Operation, values: Array) -> Array:
        """From the table."""
        assert isinstance(operation.node.attributes, LookupAttributes)
        table = np.array(operation.node.attributes.table, operation.output.dtype.numpy)
        result: Array = table[values.view(np.uint8)]
        return result
