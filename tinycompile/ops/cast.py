"""CAST: another element type.

Source of the semantics: tensorflow/lite/kernels/cast.cc. C leaves open what a float32 beyond an
integer type becomes: it is limited to int32 (int64 for uint32 and int64), then wraps, which is what the reference does on
x86 inside of these limits.
"""

import numpy as np

from tinycompile.board import Board
from tinycompile.ir import Array, DType
from tinycompile.ops._elementwise import Body, elementwise_kernels
from tinycompile.ops._limits import has_elements
from tinycompile.ops._lookup import Unary
from tinycompile.ops.base import Operation, TypeRule, register

CAST_TYPES = (
    DType.INT8, DType.UINT8, DType.INT16, DType.INT32, DType.UINT32, DType.INT64, DType.FLOAT32, DType.BOOL,
)  # fmt: skip


@register
class Cast(Unary):
    """CAST between numbers and bool."""

    kind = "CAST"
    types = tuple(TypeRule((source,), (output,)) for source in CAST_TYPES for output in CAST_TYPES)
    limits = (has_elements,)
    kernels = elementwise_kernels(lambda operation, board: _body(operation, board))

    def apply(self, operation: Operation, values: Array) -> Array:
        """Integers wrap, float32 is cut off towards zero, anything but 0 is true."""
        dtype = operation.output.dtype
        if values.dtype.kind == "f" and dtype.is_integer:
            wide = np.int64 if dtype in (DType.INT64, DType.UINT32) else np.int32
            low, high = int(np.iinfo(wide).min), int(np.iinfo(wide).max)
            whole = np.trunc(np.nan_to_num(values.astype(np.float64)))
            inside = np.where((whole > low) & (whole < high), whole, 0.0).astype(wide)
            limited = np.where(whole >= high, wide(high), np.where(whole <= low, wide(low), inside))
            return limited.astype(dtype.numpy)
        return values.astype(dtype.numpy)


def _body(operation: Operation, board: Board) -> Body:
    source, output = operation.input(0).dtype, operation.output.dtype
    return Body("cast/cast.c.j2", {"in_type": source.c_type, "out_type": output.c_type}, cycles=6)
