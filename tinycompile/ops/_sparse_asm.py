"""Kernels of CONV_2D and FULLY_CONNECTED for pruned models: they multiply the non-zero weights alone. For processors with SMLAD.

Whole pixels are read where they lie, several at a time, so that a weight is taken from the stream once for all of them; see
`assembly/sparse.py`. A window is read from a copy of its rows in which the taps of a pixel follow each other. Each kernel comes
for each kind of records: of single weights, of single weights for one pixel, and of four input channels that are pruned together.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from tinycompile.assembly.sparse import block
from tinycompile.assembly.sparse_records import BLOCKS, SINGLES, VECTOR, Kind
from tinycompile.board import Board
from tinycompile.ir import Array, Tensor
from tinycompile.ops._asm_scaling import Scaling, byte_scaling
from tinycompile.ops._conv_2d_dsp import convolution_channels
from tinycompile.ops._conv_2d_portable import window_parameters
from tinycompile.ops._convolution import convolution_window
from tinycompile.ops._dsp import Channels
from tinycompile.ops._fully_connected import matrix_channels
from tinycompile.ops._sparse_cost import Pixels, Work
from tinycompile.ops._sparse_stream import entries_of, sparse_stream
from tinycompile.ops.access import row_shape
from tinycompile.ops.base import Cost, Kernel, Operation
from tinycompile.program import Constant, Granularity, KernelCode, Parameter, Passing

_LARGEST_DENSITY = {SINGLES: 0.6, VECTOR: 0.4, BLOCKS: 0.8}
"""With more entries that are not zero a kernel cannot pay: the fastest group takes 1.3, 2.3 and 0.85 cycles for a product, dense
kernels take 0.7."""

_SCRATCH_LIMIT_BYTES = 8192
_INLINE_COPY_BYTES = 32
_COPY_CYCLES, _COPY_CYCLES_PER_ACCESS = 3.5, 3.2
"""For each pixel that is copied: always, and for each load with its store, of a word or of what is left."""

_COPY_CALL_CYCLES, _COPY_CYCLES_PER_BYTE = 18, 0.6
"""The same for larger pixels, where compilers call memcpy: for each call and each byte."""


def is_sparse(weights: Tensor, kind: Kind) -> bool:
    """True when so many entries are zero that leaving them out may pay; weights are whole entries along the last axis."""
    if weights.shape[-1] % kind.taps:
        return False
    count = int(np.count_nonzero(weights.values.reshape(-1, kind.taps).any(axis=1)))
    return count * kind.taps <= _LARGEST_DENSITY[kind] * weights.elements


@dataclass(frozen=True)
class _Amount:
    """Records of the stream, and weights in them that are not there to fill."""

    records: int
    weights: int


@lru_cache(maxsize=256)
def _amount(weights: bytes, channels: int, offsets: tuple[int, ...], kind: Kind) -> _Amount:
    values = np.frombuffer(weights, np.int8).reshape(channels, -1)
    entries = entries_of(values, np.array(offsets), kind)
    return _Amount(int(entries.records.sum()), kind.taps * int(entries.weights.any(axis=1).sum()))


class _SparseAsm(Kernel):
    """What the kernels share."""

    basename: str

    def __init__(self, kind: Kind = SINGLES) -> None:
        self.kind = kind
        self.name = f"{self.basename}_{kind.suffix}_asm"  # type: ignore[misc]

    def takes(self, operation: Operation) -> bool:
        """True when the kernel computes the operation, whether or not any weight is zero."""
        whole = operation.input(1).shape[-1] % self.kind.taps == 0
        near = self.kind != BLOCKS or int(self.offsets(operation).max()) <= self.kind.largest_step
        return whole and near and byte_scaling(self.channels(operation)) is not None

    def supports(self, operation: Operation, board: Board) -> bool:
        """A processor with the DSP extension, zeros enough, and requantization constants that are proven."""
        return board.dsp and is_sparse(operation.input(1), self.kind) and self.takes(operation)

    def channels(self, operation: Operation) -> Channels:
        """What requantization needs to know."""
        return convolution_channels(operation)

    def offsets(self, operation: Operation) -> Array:
        """From the first byte of a pixel to each of its taps."""
        return np.arange(operation.input(1).elements // operation.input(1).shape[0])

    def pixels(self, operation: Operation) -> Pixels:
        """The pixels of one call for the whole output, or for a row where only those are computed."""
        raise AssertionError("each kernel has its own")

    def calls(self, operation: Operation) -> int:
        """Calls for the whole output."""
        return 1

    def copy_cycles(self, operation: Operation) -> float:
        """Cycles of copies of the input, for each call."""
        return 0.0

    def scaling(self, operation: Operation) -> Scaling:
        """Proven requantization; `supports` has asked for it."""
        made = byte_scaling(self.channels(operation))
        assert made is not None
        return made

    def amount(self, operation: Operation) -> _Amount:
        """How long the stream is."""
        weights, offsets = operation.input(1), tuple(self.offsets(operation).tolist())
        return _amount(weights.values.tobytes(), weights.shape[0], offsets, self.kind)

    def work(self, operation: Operation) -> Work:
        """What there is to do for each pixel."""
        return Work(self.kind, self.amount(operation).records, self.scaling(operation).how)

    def cost(self, operation: Operation, board: Board) -> Cost:
        """Cycles of the schedules times how often they run."""
        one = self.work(operation).cost(self.pixels(operation))
        return Cost(int(self.calls(operation) * (one.cycles + self.copy_cycles(operation))), one.flash_bytes)

    def macs_left_out(self, operation: Operation) -> int:
        """Those of the weights that are in no entry."""
        left_out = operation.input(1).elements - self.amount(operation).weights
        return self.calls(operation) * self.pixels(operation).count * left_out

    def packing(self, operation: Operation, pixels: Pixels) -> tuple[dict[str, Parameter], Constant]:
        """Holes that both forms of the template have, and the stream."""
        channels, made = self.channels(operation), self.scaling(operation)
        entries = entries_of(channels.weights, self.offsets(operation), self.kind)
        constant = sparse_stream(channels, entries, made)
        groups: list[Parameter] = []
        for group, count in self.work(operation).best_groups(pixels):
            steps = block(group, made.how)
            groups.append((group.pixels, count, steps.head, steps.loop, steps.tail, 4 * steps.left_words))
        parameters: dict[str, Parameter] = {
            "groups": tuple(groups),
            "pixels": pixels.count,
            "distance": pixels.distance,
            "out_channels": pixels.out_channels,
            "stream_bytes": constant.bytes,
            "copied_columns": 0,
        }
        return parameters, constant

    def contiguous(self, operation: Operation, granularity: Granularity, pixels: Pixels) -> KernelCode:
        """Holes of the template when pixels are read where they lie."""
        parameters, constant = self.packing(operation, pixels)
        return KernelCode(
            template="gemm/sparse.c.j2",
            parameters=parameters,
            granularity=granularity,
            inputs=((0, Passing.POINTER),),
            constants=(constant,),
        )


class PointwiseSparse(_SparseAsm):
    """A 1x1 window with stride 1."""

    basename = "pointwise"
    granularities = (Granularity.WHOLE, Granularity.ROW)

    def takes(self, operation: Operation) -> bool:
        """As all, and output pixels read the pixel at their place alone."""
        one_group = operation.input(0).shape[3] == operation.input(1).shape[3]
        return one_group and convolution_window(operation).is_pointwise and super().takes(operation)

    def pixels(self, operation: Operation) -> Pixels:
        """All of them."""
        shape = operation.output.shape
        return Pixels(operation.output.elements // shape[3], operation.input(0).shape[3], shape[3])

    def step_pixels(self, operation: Operation) -> int:
        """The largest group."""
        return self.work(operation).best_groups(self.pixels(operation))[0][0].pixels

    def lower(self, operation: Operation, board: Board, granularity: Granularity) -> KernelCode:
        """See `contiguous`."""
        whole, (rows, _) = self.pixels(operation), row_shape(operation.output.shape)
        count = whole.count if granularity is Granularity.WHOLE else whole.count // rows
        return self.contiguous(operation, granularity, Pixels(count, whole.distance, whole.out_channels))


class FullyConnectedSparse(_SparseAsm):
    """Any depth, number of units and batch; weights without a zero point."""

    basename = "fully_connected"

    def supports(self, operation: Operation, board: Board) -> bool:
        """As all, and weights are symmetric."""
        return operation.input(1).zero_point == 0 and super().supports(operation, board)

    def channels(self, operation: Operation) -> Channels:
        """What requantization needs to know."""
        return matrix_channels(operation)

    def pixels(self, operation: Operation) -> Pixels:
        """The vectors of the batch."""
        units, depth = operation.input(1).shape
        return Pixels(operation.output.elements // units, depth, units)

    def lower(self, operation: Operation, board: Board, granularity: Granularity) -> KernelCode:
        """See `contiguous`."""
        return self.contiguous(operation, granularity, self.pixels(operation))


class WindowSparse(_SparseAsm):
    """Any window, stride and dilation, from row pointers."""

    basename = "window"
    granularities = (Granularity.ROW,)

    def takes(self, operation: Operation) -> bool:
        """As all, one group, more than a pixel under the window, and the copy fits the scratch."""
        one_group = operation.input(0).shape[3] == operation.input(1).shape[3]
        fits = self.scratch_bytes(operation, None) <= _SCRATCH_LIMIT_BYTES
        pointwise = convolution_window(operation).is_pointwise
        return one_group and not pointwise and fits and super().takes(operation)

    def copied_columns(self, operation: Operation) -> int:
        """Columns that the window passes over, padding included."""
        columns = convolution_window(operation).columns
        return (columns.out_extent - 1) * columns.stride + (columns.taps - 1) * columns.dilation + 1

    def offsets(self, operation: Operation) -> Array:
        """The pixels of a column lie side by side: [row, column, channel] of the window."""
        _, rows, columns, depth = operation.input(1).shape
        dilation = convolution_window(operation).columns.dilation
        column, row, channel = (
            np.arange(columns) * dilation * rows * depth,
            np.arange(rows) * depth,
            np.arange(depth),
        )
        offsets: Array = row[:, None, None] + column[None, :, None] + channel[None, None, :]
        return offsets.reshape(-1)

    def pixels(self, operation: Operation) -> Pixels:
        """Those of a row."""
        _, rows, _, depth = operation.input(1).shape
        stride = convolution_window(operation).columns.stride
        return Pixels(operation.output.shape[2], stride * rows * depth, operation.output.shape[3])

    def calls(self, operation: Operation) -> int:
        """One for each row."""
        return operation.rows

    def copy_cycles(self, operation: Operation) -> float:
        """Each pixel of each row of the window."""
        _, rows, _, depth = operation.input(1).shape
        if depth > _INLINE_COPY_BYTES:
            each = _COPY_CALL_CYCLES + _COPY_CYCLES_PER_BYTE * depth
        else:
            each = _COPY_CYCLES_PER_ACCESS * (depth // 4 + (depth % 4).bit_count())
        return rows * self.copied_columns(operation) * (_COPY_CYCLES + each)

    def scratch_bytes(self, operation: Operation, board: Board | None) -> int:
        """The copy."""
        _, rows, _, depth = operation.input(1).shape
        return self.copied_columns(operation) * rows * depth

    def lower(self, operation: Operation, board: Board, granularity: Granularity) -> KernelCode:
        """Holes of the template for rows that are copied."""
        parameters, constant = self.packing(operation, self.pixels(operation))
        window: dict[str, Parameter] = {
            **window_parameters(operation),
            "in_channels": operation.input(0).shape[3],
            "copied_columns": self.copied_columns(operation),
        }
        return KernelCode(
            template="gemm/sparse.c.j2",
            parameters={**parameters, **window},
            granularity=granularity,
            inputs=((0, Passing.WINDOW),),
            constants=(constant,),
            arguments=(operation.input(0).zero_point,),
            scratch_bytes=self.scratch_bytes(operation, board),
        )
