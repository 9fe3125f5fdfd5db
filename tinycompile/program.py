"""The program: everything that C is printed from. Code generation never looks back at the graph.

    Program
    |- ports          inputs and outputs of the C API
    |- constants      packed weights, biases, tables
    |- functions      kernels specialised to a shape: a template and the values of its holes
    |- regions        in order of execution; each runs one stage (a plain layer) or streams rows through several
    |    `- stages    one kernel, the operands of its calls, its scratch
    `- layers         what comments and reports say of each stage

A kernel function has one C signature, whoever calls it:

    static void NAME(T *out..., IN in..., const T *constant..., int32_t argument..., [int32_t row,] [void *scratch]);

`IN` is `const T *` for an operand passed as a pointer (a row, or the whole tensor) and `const T *const *` for a window of
row pointers, in which NULL stands for a row outside of the image.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from math import prod
from typing import Any

from numpy.typing import NDArray

C_TYPES = {
    "int8": "int8_t", "uint8": "uint8_t", "int16": "int16_t", "uint16": "uint16_t", "int32": "int32_t",
    "uint32": "uint32_t", "int64": "int64_t", "uint64": "uint64_t", "float32": "float", "bool": "bool", "int4": "int8_t",
}  # fmt: skip
"""C99 element type by numpy name."""

NAME_CHARACTERS = 60


def short_name(name: str) -> str:
    """A tensor's name for people: converters join the names of everything they fused, of which the first one says enough."""
    first = name.split(";")[0]
    return first if len(first) <= NAME_CHARACTERS else "..." + first[3 - NAME_CHARACTERS :]


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


@dataclass(frozen=True, eq=False)
class Constant:
    """Read-only data: packed weights, biases, requantization constants, tables. Printed as a C array."""

    name: str
    values: NDArray[Any]
    comment: str = ""
    align: int = 4
    is_weight: bool = True
    """Weights sit in their own section and file; small tables that belong to code may say False."""

    @property
    def c_type(self) -> str:
        """C99 type of one element."""
        return C_TYPES[self.values.dtype.name]

    @property
    def bytes(self) -> int:
        """Bytes in flash."""
        return int(self.values.nbytes)


@dataclass(frozen=True)
class KernelCode:
    """What a kernel of `tinycompile.ops` makes of one operator: the holes of its template, and the data it reads.

    `inputs` lists, in the order of the C signature, which operand of the operator is passed, and how. `runtime` names the files
    of `runtime_c/` that the template includes or calls.
    """

    template: str
    parameters: Mapping[str, Parameter]
    granularity: Granularity
    inputs: tuple[tuple[int, Passing], ...]
    constants: tuple[Constant, ...] = ()
    arguments: tuple[int, ...] = ()
    takes_row: bool = False
    scratch_bytes: int = 0
    runtime: tuple[str, ...] = ()
    calls: tuple["Program", ...] = ()
    """Programs of subgraphs that the kernel runs: `NAME_run(&context)`, whose inputs are the caller's and only read."""


@dataclass(frozen=True)
class KernelFunction:
    """A specialised C function: one template with its holes filled; stages with equal holes share it."""

    name: str
    template: str
    parameters: Mapping[str, Parameter]


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

    In a WINDOW, output row r of an image reads the input rows r * stride - pad_before + k * dilation, k < window_rows.
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
class Layer:
    """What comments, traces and reports say of a stage."""

    index: int
    op: str
    name: str
    source_ops: tuple[int, ...]
    kernel: str
    macs: int
    macs_executed: int
    zero_weights: int
    """Weights that are zero; the kernel multiplies by them unless `macs_executed` says that it does not."""
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    output_tensors: tuple[int | None, ...]
    """Index in the file of the tensor that each output holds, None where a pass made it."""
    output_channels: tuple[tuple[int, ...] | None, ...]
    """Channels of that tensor that are left, None: all."""
    output_shapes: tuple[tuple[int, ...], ...]
    output_dtypes: tuple[str, ...]
    output_formats: tuple[RowFormat, ...]
    """How the rows of each output lie in memory."""
    scratch_bytes: int
    arena_bytes: int
    """Arena bytes in use while the layer runs."""
    weights_bytes: int
    estimated_cycles: int
    estimated_flash_bytes: int
    alternatives: tuple[Mapping[str, Parameter], ...] = ()

    @property
    def short_name(self) -> str:
        """The name for comments."""
        return short_name(self.name)


@dataclass(frozen=True)
class Pull:
    """What a stage asks of another one in its region: before call r, `min(r * stride + reach, rows)` of its rows."""

    stage: int
    stride: int
    reach: int
    rows: int


@dataclass(frozen=True)
class Stage:
    """One kernel at work: which function, on which operands, how often."""

    layer: int
    node: int
    """The operator of the graph that it computes: what is replayed is held against its reference."""
    function: str
    granularity: Granularity
    calls: int
    """Number of output rows (ROW) or 1 (WHOLE)."""
    rows_per_image: int
    outputs: tuple[Operand, ...]
    inputs: tuple[Operand, ...]
    operands: tuple[int, ...]
    """Which input of the operator each of `inputs` is."""
    constants: tuple[str, ...] = ()
    arguments: tuple[int, ...] = ()
    takes_row: bool = False
    scratch_offset: int | None = None
    pulls: tuple[Pull, ...] = ()
    """Rows that must exist before a call, in the order in which they are asked for."""


@dataclass(frozen=True)
class RegionCode:
    """Stages that run together. With more than one, rows stream through all of them (ring buffers between).

    A region of several stages runs by demand: each target in turn computes all of its rows, and every stage asks for the rows
    that it lacks before it computes one. `backward`: the only stage computes its last row first.
    """

    index: int
    stages: tuple[Stage, ...]
    targets: tuple[int, ...] = (0,)
    backward: bool = False

    @property
    def _places(self) -> list[Piece | Operand]:
        operands = [operand for stage in self.stages for operand in (*stage.inputs, *stage.outputs)]
        return [place for operand in operands for place in operand.pieces or (operand,)]

    @property
    def uses_state(self) -> bool:
        """True when a stage reads or writes a variable."""
        return any(place.space is Space.STATE for place in self._places)

    @property
    def input_ports(self) -> tuple[int, ...]:
        """Inputs that a stage reads in the caller's memory."""
        return tuple(sorted({place.port for place in self._places if place.space is Space.INPUT}))


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


@dataclass(frozen=True)
class StateValue:
    """What `NAME_init` gives a variable: one byte everywhere, or the bytes of a constant when `fill` is None."""

    name: str
    offset: int
    bytes: int
    fill: int | None
    constant: str = ""


@dataclass(frozen=True, eq=False)
class Program:
    """A compiled model, complete for printing."""

    name: str
    board: str
    cpu: str
    dsp: bool
    cflags: tuple[str, ...]
    tool_version: str
    model_sha256: str
    options: Mapping[str, Parameter]
    arena_bytes: int
    arena_align: int
    state_bytes: int
    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]
    constants: tuple[Constant, ...]
    functions: tuple[KernelFunction, ...]
    regions: tuple[RegionCode, ...]
    layers: tuple[Layer, ...]
    macs: int
    """Multiply-accumulates of the model as the file has it."""
    runtime: tuple[str, ...]
    place: str = "the model"
    """What comments call it: the model, or a subgraph of it."""
    state: tuple[StateValue, ...] = ()
    """Initial values of the variables, in ascending order of offsets."""
    changes: tuple[Mapping[str, Parameter], ...] = ()
    """What the passes did, and why it is exact."""
    bodies: tuple["Program", ...] = ()
    """Programs of subgraphs that kernels run, each behind those that it runs itself. Their constants are among `constants`."""
    memory: Mapping[str, Any] = field(default_factory=dict)
    """The `memory` part of report.json: peak, step and tensors that make it, bounds."""

    @property
    def input_align(self) -> int:
        """Bytes to whose multiples the caller aligns inputs of his own: words, or elements when they are larger."""
        return max([4, *(port.bytes // port.elements for port in self.inputs if port.elements)])

    @property
    def weights_bytes(self) -> int:
        """Bytes of all constants in the weights section."""
        return sum(constant.bytes for constant in self.constants if constant.is_weight)

    @property
    def macs_executed(self) -> int:
        """Multiply-accumulates that the generated code computes."""
        return sum(layer.macs_executed for layer in self.layers)
