"""Kernel of CONV_2D by Winograd's F(4, 3) along the row, for processors with SMLAD; see `assembly/winograd_row.py`.

It makes one output row from row pointers, some tiles of four pixels at a time. Tiles that reach over the border of the image
are transformed from a copy of the row; where the last ones do not come out even they are moved back and some outputs are
computed twice.
"""

from functools import cache

import numpy as np

from tinycompile.assembly.requantizing import Requantizing
from tinycompile.assembly.winograd_row import (
    BLOCK_SUMS,
    INVERSE_OF_3,
    POSITIONS,
    UNSIGNED_OFFSET,
    RowTiles,
    finish,
    products,
    transform,
)
from tinycompile.board import Board
from tinycompile.ops._asm_scaling import (
    WINOGRAD_ROW_SCALE,
    Scaling,
    row_transformed_weights,
    winograd_row_scaling,
)
from tinycompile.ops._conv_2d_dsp import convolution_channels
from tinycompile.ops._convolution import convolution_window
from tinycompile.ops._dsp import by_pairs, paired_halves
from tinycompile.ops._linear import folded_bias
from tinycompile.ops.base import Cost, Kernel, Operation
from tinycompile.program import Constant, Granularity, KernelCode, Passing

SCRATCH_LIMIT_BYTES = 8192
_LEAST_IN_CHANNELS = 8
_SUM_BYTES = 4 * POSITIONS * BLOCK_SUMS
_CODE_BYTES_PER_STEP = 3.5


class WinogradRowAsm(Kernel):
    """A window of three columns with stride 1, any number of rows, input channels in fours, at least four outputs in a row.

    `tiles` are computed together: the fewer, the less scratch and the more cycles.
    """

    granularities = (Granularity.ROW,)

    def __init__(self, tiles: int) -> None:
        self.tiles = tiles
        self.name = f"winograd_row_asm_{tiles}"  # type: ignore[misc]

    def supports(self, operation: Operation, board: Board) -> bool:
        """A processor with the DSP extension, tiles that fit scratch and offsets, and requantization that is proven."""
        return board.dsp and self.has_form(operation) and _made(operation) is not None

    def has_form(self, operation: Operation) -> bool:
        """True when the transform applies and everything fits."""
        columns, depth = convolution_window(operation).columns, operation.input(1).shape[3]
        along = columns.taps == 3 and columns.stride == columns.dilation == 1
        along = along and max(columns.pad_before, columns.pad_after) < columns.taps
        whole = depth == operation.input(0).shape[3] and depth % 4 == 0 and depth >= _LEAST_IN_CHANNELS
        if not along or not whole:
            return False
        shape, (_, _, width, out_channels) = self.shape(operation), operation.output.shape
        return (
            shape.width <= width
            and out_channels % shape.block_channels == 0
            and shape.fits_offsets(out_channels)
            and self.staged_bytes(operation) + self.copy_bytes(operation) <= SCRATCH_LIMIT_BYTES
        )

    def shape(self, operation: Operation) -> RowTiles:
        """What is computed together."""
        _, rows, _, depth = operation.input(1).shape
        return RowTiles(self.tiles, rows, depth)

    def staged_bytes(self, operation: Operation) -> int:
        """Staged words of all positions."""
        return POSITIONS * self.shape(operation).position_bytes

    def copy_bytes(self, operation: Operation) -> int:
        """The sums of a block, where the copy of a row lies before them."""
        window, shape = convolution_window(operation), self.shape(operation)
        padded = any(axis.pad_before or axis.pad_after for axis in (window.rows, window.columns))
        return max(_SUM_BYTES, shape.columns * shape.channels if padded else 0)

    def scratch_bytes(self, operation: Operation, board: Board) -> int:
        """Staged words, and sums or the copy of a row."""
        return self.staged_bytes(operation) + self.copy_bytes(operation)

    def cost(self, operation: Operation, board: Board) -> Cost:
        """Cycles of the schedules, and of the loops and copies around them."""
        shape, how = self.shape(operation), _scaling(operation).how
        (_, _, width, out_channels), columns = operation.output.shape, convolution_window(operation).columns
        groups = -(-width // shape.width)
        at_border = min(groups, (columns.pad_before > 0) + (columns.pad_after > 0))
        copying = shape.rows * at_border * (60 + shape.columns * shape.channels // 3)
        cycles = operation.rows * (30 + copying + groups * _group_cycles(shape, how, out_channels))
        weights = out_channels * (4 * POSITIONS * shape.pairs + 4 * (1 + how.words))
        code = _CODE_BYTES_PER_STEP * _steps(shape, how, out_channels)
        return Cost(cycles, int(weights + code))

    def lower(self, operation: Operation, board: Board, granularity: Granularity) -> KernelCode:
        """Holes of `conv_2d/winograd_row.c.j2`."""
        shape, made = self.shape(operation), _scaling(operation)
        _, _, out_width, out_channels = operation.output.shape
        columns = convolution_window(operation).columns
        constant = _stream(operation, shape, made)
        return KernelCode(
            template="conv_2d/winograd_row.c.j2",
            parameters={
                "rows": shape.rows,
                "in_width": columns.in_extent,
                "in_channels": shape.channels,
                "out_width": out_width,
                "out_channels": out_channels,
                "pad_left": columns.pad_before,
                "pad_right": columns.pad_after,
                "tiles": shape.tiles,
                "columns": shape.columns,
                "block_channels": shape.block_channels,
                "row_bytes": shape.row_bytes,
                "position_bytes": shape.position_bytes,
                "sum_bytes": _SUM_BYTES,
                "stream_bytes": constant.bytes,
                "constant_bytes": 4 * shape.block_channels * (1 + made.how.words),
                "chunks": shape.pairs // shape.chunk,
                "chunk_weight_bytes": 4 * shape.chunk * shape.block_channels,
                "chunk_staged_bytes": 4 * shape.chunk * shape.tiles,
                "inverse_of_3": INVERSE_OF_3 if made.how.doubled else 0,
                "transform": transform(shape).steps,
                "products": products(shape).steps,
                "finish": finish(shape, made.how, out_channels).steps,
            },
            granularity=granularity,
            inputs=((0, Passing.WINDOW),),
            constants=(constant,),
            arguments=(operation.input(0).zero_point,),
            scratch_bytes=self.scratch_bytes(operation, board),
        )


def _made(operation: Operation) -> Scaling | None:
    return winograd_row_scaling(convolution_channels(operation), operation.input(1).shape[1])


def _scaling(operation: Operation) -> Scaling:
    made = _made(operation)
    assert made is not None, "`supports` has asked for it"
    return made


@cache
def _group_cycles(shape: RowTiles, how: Requantizing, out_channels: int) -> int:
    """Cycles of the tiles that are computed together: the transform of each row, then the blocks of channels."""
    rows = shape.rows * (shape.channels // 4 * (transform(shape).cycles + 6) + 40)
    chunks = shape.pairs // shape.chunk
    position = chunks * (products(shape).cycles + (2 if chunks == 1 else 8)) + 14
    block = POSITIONS * position + finish(shape, how, out_channels).cycles + 12
    return rows + out_channels // shape.block_channels * block + 50


@cache
def _steps(shape: RowTiles, how: Requantizing, out_channels: int) -> int:
    """Instructions that are printed."""
    parts = (transform(shape), products(shape), finish(shape, how, out_channels))
    return sum(len(part.steps) for part in parts)


def _stream(operation: Operation, shape: RowTiles, made: Scaling) -> Constant:
    """For each block of channels the weights of each position, then bias and requantization constants of each channel."""
    channels = convolution_channels(operation)
    count = len(channels.weights)
    scale = np.full(count, WINOGRAD_ROW_SCALE, np.int64) if made.how.doubled else made.scale
    weights = row_transformed_weights(channels, shape.rows) * (scale // WINOGRAD_ROW_SCALE)[:, None, None]
    taken = by_pairs(weights.reshape(count * POSITIONS, -1), paired_halves(shape.channels, shape.rows))
    words = ((taken[:, :, 0] & 0xFFFF) | ((taken[:, :, 1] & 0xFFFF) << 16)).reshape(count, POSITIONS, -1)
    zero_point = channels.in_zero_point + UNSIGNED_OFFSET
    first = folded_bias(channels.weights, channels.bias, zero_point).astype(np.int64) * scale
    constants = np.concatenate([(first + made.offset)[:, None], made.constants], axis=1)
    blocks = count // shape.block_channels
    parts = [
        words.reshape(blocks, shape.block_channels, POSITIONS, -1).transpose(0, 2, 3, 1).reshape(blocks, -1),
        constants.reshape(blocks, -1),
    ]
    values = (np.concatenate(parts, axis=1).reshape(-1) & 0xFFFFFFFF).astype(np.uint32).view(np.int32)
    return Constant(
        "stream", values, "for each block of channels: transformed weights, biases, requantization", align=8
    )
