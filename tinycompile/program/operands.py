"""Where the rows of tensors lie in memory: operands of kernels, inputs and outputs of the C API."""

from dataclasses import dataclass, replace
from enum import Enum
from math import prod

from tinycompile.program.convention import C_TYPES, Passing, RowFormat


class Space(Enum):
    """Where an operand lives."""

    ARENA = "arena"
    STATE = "state"
    INPUT = "input"
    """The caller's read-only buffer (input mode `const`); `port` tells which."""
    SOURCE = "source"
    """The caller's function that delivers rows (input mode `rows`); `port` tells which. Its operand is a `tc_row_source`."""
    CONSTANT = "constant"


@dataclass(frozen=True)
class Piece:
    """Rows of an operand that follow each other, `stride_bytes` apart: its rows `first_row` to `end_row` (exclusive)."""

    space: Space
    offset: int
    first_row: int
    end_row: int
    stride_bytes: int
    constant: str = ""
    port: int = 0


@dataclass(frozen=True)
class Operand:
    """Rows in memory that a stage reads or writes. `ring_rows` is 0 when every row has its own place.

    In a WINDOW, output row r of an image reads the input rows (r + lead) / repeat * stride - pad_before + k * dilation,
    k < window_rows, with the quotient rounded down.
    """

    space: Space
    offset: int
    c_type: str
    rows: int
    row_bytes: int
    ring_rows: int = 0
    passing: Passing = Passing.POINTER
    by_row: bool = False
    """The pointer moves with the output row; False: always the base of the tensor."""
    window_rows: int = 1
    stride: int = 1
    dilation: int = 1
    pad_before: int = 0
    repeat: int = 1
    lead: int = 0
    format: RowFormat = RowFormat.INTERLEAVED
    constant: str = ""
    """Name of the constant when `space` is CONSTANT."""
    port: int = 0
    """Index of the input when `space` is INPUT or SOURCE."""
    pieces: tuple["Piece", ...] = ()
    """Where the rows of a window lie when they are in several places; `space` and `offset` are not used then."""

    def row_place(self, row: int) -> Piece:
        """One row, where it lies; for windows that are known before the code runs."""
        for piece in self.pieces:
            if row < piece.end_row:
                offset = piece.offset + (row - piece.first_row) * piece.stride_bytes
                return replace(piece, offset=offset, first_row=row, end_row=row + 1)
        offset = self.offset + row % (self.ring_rows or self.rows) * self.row_bytes
        return Piece(self.space, offset, row, row + 1, self.row_bytes, self.constant, self.port)

    @property
    def bytes(self) -> int:
        """Bytes that the operand takes in its space."""
        return (self.ring_rows or self.rows) * self.row_bytes


@dataclass(frozen=True)
class Port:
    """One input or output of the generated C API."""

    index: int
    name: str
    dtype: str
    shape: tuple[int, ...]
    bytes: int
    space: Space
    offset: int
    scale: float | None = None
    zero_point: int | None = None
    constant: str = ""
    """Name of the constant when `space` is CONSTANT (an output that is known at compile time)."""
    port: int = 0
    """Index of the input that an output shows, when `space` is INPUT."""

    @property
    def c_type(self) -> str:
        """C99 type of one element."""
        return C_TYPES[self.dtype]

    @property
    def elements(self) -> int:
        """Number of elements."""
        return prod(self.shape)

    @property
    def rows(self) -> int:
        """Rows in which a source delivers the tensor: image rows of NHWC, else all of it is one row."""
        return self.shape[0] * self.shape[1] if len(self.shape) == 4 else 1
