"""The calling convention of kernels: how often one is called, and what it is called with.

A kernel function has one C signature, whoever calls it:

    static void NAME(T *out..., IN in..., const T *constant..., int32_t argument..., [int32_t row,] [void *scratch]);

`IN` is `const T *` for an operand passed as a pointer (a row, or the whole tensor) and `const T *const *` for a window of
row pointers, in which NULL stands for a row outside of the image.
"""

from enum import Enum

C_TYPES = {
    "int8": "int8_t", "uint8": "uint8_t", "int16": "int16_t", "uint16": "uint16_t", "int32": "int32_t",
    "uint32": "uint32_t", "int64": "int64_t", "uint64": "uint64_t", "float32": "float", "bool": "bool", "int4": "int8_t",
}  # fmt: skip
"""C99 element type by numpy name."""

Parameter = int | float | str | bool | tuple["Parameter", ...]
"""A value that a kernel template may use: hashable, so that equal specialisations become one function."""


class Granularity(Enum):
    """What one call of a kernel computes."""

    ROW = "row"
    """One output row; the kernel is called once a row and can be fused with others."""
    WHOLE = "whole"
    """The whole output at once."""
    ACCUMULATE = "accumulate"
    """The kernel is called once for each input row, in order, and keeps sums in its scratch, which nobody else touches until
    the last call writes the only output row. Lets a reduction end a fused region. `takes_row` counts the input rows."""


class RowFormat(Enum):
    """How the elements of an image row lie in memory."""

    INTERLEAVED = "interleaved"
    """As the tensor has them: all channels of a pixel follow each other."""
    PLANAR = "planar"
    """int8 as int16, channel by channel: the columns of a channel follow each other, in whole words of two columns."""


class Passing(Enum):
    """How an input operand reaches a kernel."""

    POINTER = "pointer"
    """`const T *`: the row with the index of the output row, or the whole tensor."""
    WINDOW = "window"
    """`const T *const *`: one pointer for each row of the window, NULL for rows outside of the image."""
