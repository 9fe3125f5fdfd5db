"""Kernel of CONV_2D by Winograd's F(2x2, 3x3), for processors with SMLAD; see `assembly/winograd.py`.

It goes through the output two rows at a time. The four input rows that they need are copied with their padding into scratch, a
ring of rows, so that nothing is left to be said of the border; where rows or columns do not come out even, the last tiles are
moved back and some outputs are computed twice.
"""

from functools import cache

import numpy as np

from tinycompile.assembly.requantizing import Requantizing
from tinycompile.assembly.winograd import (
    BLOCK_SUMS,
    INPUT_ROWS,
    POSITIONS,
    Outputs,
    Tiles,
    finish,
    fits_offsets,
    position,
    transform_columns,
    transform_rows,
    unrolled_positions,
)
from tinycompile.board import Board
from tinycompile.ops._asm_scaling import WINOGRAD_SCALE, Scaling, transformed_weights, winograd_scaling
from tinycompile.ops._conv_2d_dsp import convolution_channels
from tinycompile.ops._convolution import convolution_window
from tinycompile.ops._dsp import by_pairs, paired_halves
from tinycompile.ops._linear import folded_bias
from tinycompile.ops.base import Cost, Kernel, Operation
from tinycompile.program import Constant, Granularity, KernelCode, Passing

SCRATCH_LIMIT_BYTES = 16384
_LEAST_IN_CHANNELS = 8
_SUM_BYTES = 4 * POSITIONS * BLOCK_SUMS
_CODE_BYTES_PER_STEP = 3.5


class WinogradAsm(Kernel):
    """A 3x3 window with stride 1, input channels in fours, at least 2x2 outputs."""

    name = "winograd_asm"
    granularities = (Granularity.WHOLE,)

    def supports(self, operation: Operation, board: Board) -> bool:
        """A processor with the DSP extension, tiles that fit scratch and offsets, and requantization that is proven."""
        return (
            board.dsp
            and _has_form(operation)
            and winograd_scaling(convolution_channels(operation)) is not None
        )

    def cost(self, operation: Operation, board: Board) -> Cost:
        """Cycles of the schedules, and of the loops around them."""
        shape, how = _tiles(operation), _scaling(operation).how
        out_channels, depth = operation.output.shape[3], operation.input(0).shape[3]
        weights = out_channels * (4 * POSITIONS * shape.pairs + 4 * (1 + how.words))
        code = _CODE_BYTES_PER_STEP * _steps(shape, how, _outputs(operation), depth)
        return Cost(_cycles(operation, shape, how), int(weights + code))

    def scratch_bytes(self, operation: Operation, board: Board) -> int:
        """Staged words of all positions, sums of a block, the buffer between the transforms, and four rows of the input."""
        return _scratch_bytes(operation, _tiles(operation))

    def step_rows(self, operation: Operation) -> int:
        """Two, which come from copies of their windows; images with an odd number of rows do not keep to that."""
        images, height, _, _ = operation.output.shape
        return 2 if images == 1 or height % 2 == 0 else 0

    def lower(self, operation: Operation, board: Board, granularity: Granularity) -> KernelCode:
        """Holes of `conv_2d/winograd.c.j2`."""
        shape, made = _tiles(operation), _scaling(operation)
        outputs, window = _outputs(operation), convolution_window(operation)
        images, out_height, out_width, out_channels = operation.output.shape
        _, in_height, in_width, in_channels = operation.input(0).shape
        unrolled = unrolled_positions(shape)
        return KernelCode(
            template="conv_2d/winograd.c.j2",
            parameters={
                "images": images,
                "in_height": in_height,
                "in_width": in_width,
                "in_channels": in_channels,
                "out_height": out_height,
                "out_width": out_width,
                "out_channels": out_channels,
                "pad_top": window.rows.pad_before,
                "pad_left": window.columns.pad_before,
                "copied_bytes": _copied_bytes(operation),
                "tiles": shape.tiles,
                "block_channels": shape.channels,
                "position_bytes": shape.position_bytes,
                "weight_bytes": shape.weight_bytes,
                "sum_bytes": _SUM_BYTES,
                "buffer_row_bytes": shape.row_bytes,
                "constant_bytes": 4 * shape.channels * (1 + made.how.words),
                "second_output": outputs.is_far(shape),
                "rows": transform_rows(shape, in_channels).steps,
                "columns": transform_columns(shape).steps,
                "positions": tuple(position(shape, index).steps for index in range(unrolled)),
                "finish": finish(shape, made.how, outputs).steps,
            },
            granularity=granularity,
            inputs=((0, Passing.POINTER),),
            constants=(_stream(operation, shape, made),),
            arguments=(operation.input(0).zero_point,),
            scratch_bytes=self.scratch_bytes(operation, board),
        )


def _has_form(operation: Operation) -> bool:
    window = convolution_window(operation)
    depth = operation.input(1).shape[3]
    square = all(
        axis.taps == 3 and axis.stride == axis.dilation == 1 for axis in (window.rows, window.columns)
    )
    whole = depth == operation.input(0).shape[3] and depth % 4 == 0 and depth >= _LEAST_IN_CHANNELS
    return square and whole and window.rows.out_extent >= 2 and bool(_possible_tiles(operation))


def _possible_tiles(operation: Operation) -> list[Tiles]:
    """Groups of tiles that fit the image, the scratch and the offsets."""
    depth, (_, _, width, out_channels) = operation.input(0).shape[3], operation.output.shape
    shapes = [Tiles(tiles, depth // 2) for tiles in (4, 2, 1)]
    return [
        shape
        for shape in shapes
        if 2 * shape.tiles <= width
        and out_channels % shape.channels == 0
        and fits_offsets(shape, depth, out_channels)
        and _scratch_bytes(operation, shape) <= SCRATCH_LIMIT_BYTES
    ]


def _tiles(operation: Operation) -> Tiles:
    """The fastest groups of tiles."""
    how = _scaling(operation).how
    return min(_possible_tiles(operation), key=lambda shape: _cycles(operation, shape, how))


def _scaling(operation: Operation) -> Scaling:
    made = winograd_scaling(convolution_channels(operation))
    assert made is not None, "`supports` has asked for it"
    return made


def _outputs(operation: Operation) -> Outputs:
    _, _, width, channels = operation.output.shape
    return Outputs(width * channels, channels)


def _copied_bytes(operation: Operation) -> int:
    """An input row with its padding."""
    return (operation.output.shape[2] + 2) * operation.input(0).shape[3]


def _scratch_bytes(operation: Operation, shape: Tiles) -> int:
    rows = INPUT_ROWS * (shape.row_bytes + _copied_bytes(operation))
    return POSITIONS * shape.position_bytes + _SUM_BYTES + rows


def _cycles(operation: Operation, shape: Tiles, how: Requantizing) -> int:
    images, height, width, out_channels = operation.output.shape
    depth = operation.input(0).shape[3]
    groups = images * ((height + 1) // 2) * -(-width // (2 * shape.tiles))
    copying = images * height * (60 + _copied_bytes(operation) // 3)
    return copying + groups * _group_cycles(shape, how, _outputs(operation), depth, out_channels)


@cache
def _group_cycles(shape: Tiles, how: Requantizing, outputs: Outputs, depth: int, out_channels: int) -> int:
    transform = transform_rows(shape, depth).cycles + INPUT_ROWS * (transform_columns(shape).cycles + 1) + 18
    unrolled = unrolled_positions(shape)
    products = sum(position(shape, index).cycles + 6 for index in range(unrolled)) + 6
    block = POSITIONS // unrolled * products + finish(shape, how, outputs).cycles + 12
    return depth // 4 * transform + out_channels // shape.channels * block + 60


@cache
def _steps(shape: Tiles, how: Requantizing, outputs: Outputs, depth: int) -> int:
    """Instructions that are printed."""
    parts = [
        transform_rows(shape, depth),
        *[transform_columns(shape)] * INPUT_ROWS,
        finish(shape, how, outputs),
    ]
    parts += [position(shape, index) for index in range(unrolled_positions(shape))]
    return sum(len(part.steps) for part in parts)


def _stream(operation: Operation, shape: Tiles, made: Scaling) -> Constant:
    """For each block of channels the weights of each position, then bias and requantization constants of each channel."""
    channels = convolution_channels(operation)
    count = len(channels.weights)
    factor = made.scale // WINOGRAD_SCALE if not made.how.doubled else np.ones(count, np.int64)
    weights = transformed_weights(channels) * factor[:, None, None]
    halves = paired_halves(weights.shape[2], 1)
    taken = by_pairs(weights.reshape(count * POSITIONS, -1), halves)
    words = ((taken[:, :, 0] & 0xFFFF) | ((taken[:, :, 1] & 0xFFFF) << 16)).reshape(count, POSITIONS, -1)
    bias = folded_bias(channels.weights, channels.bias, channels.in_zero_point).astype(np.int64)
    first = bias * WINOGRAD_SCALE * factor + made.offset
    constants = np.concatenate([first[:, None], made.constants], axis=1)
    blocks = count // shape.channels
    parts = [
        words.reshape(blocks, shape.channels, POSITIONS, -1).transpose(0, 2, 3, 1).reshape(blocks, -1),
        constants.reshape(blocks, -1),
    ]
    values = (np.concatenate(parts, axis=1).reshape(-1) & 0xFFFFFFFF).astype(np.uint32).view(np.int32)
    return Constant(
        "stream", values, "for each block of channels: transformed weights, biases, requantization", align=8
    )
