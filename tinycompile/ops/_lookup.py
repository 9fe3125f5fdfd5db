"""Functions of one 8-bit operand as tables: 256 results, computed at compile time from the reference semantics."""

from collections.abc import Callable

import numpy as np

from tinycompile.ir import Array, DType
from tinycompile.ops._elementwise import Body
from tinycompile.ops.base import Operation
from tinycompile.program import Constant

CYCLES = 4
"""A load of the element, a load from the table, a store."""

BYTE_TYPES = (DType.INT8, DType.UINT8)


def all_inputs(dtype: DType) -> Array:
    """The 256 values of an 8-bit type in the order of their unsigned bytes: what a table is indexed with."""
    return np.arange(256, dtype=np.uint8).view(dtype.numpy)


def lookup_body(operation: Operation, function: Callable[[Array], Array]) -> Body:
    """The kernel body that looks results up; `function` maps inputs to outputs in the output's type."""
    source, output = operation.input(0).dtype, operation.output.dtype
    assert source in BYTE_TYPES
    table = Constant("table", function(all_inputs(source)), comment=f"{operation.node.kind} of each byte")
    holes = {"kind": operation.node.kind, "in_c_type": source.c_type, "c_type": output.c_type}
    return Body("lookup/table.c.j2", holes, (table,), cycles=CYCLES)
