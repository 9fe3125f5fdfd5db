"""Kernel of 1x1 CONV_2D by Strassen's matrix product, for processors with SMLAD; see `assembly/strassen.py`."""

from dataclasses import replace
from functools import cache
from typing import ClassVar

import numpy as np

from tinycompile.assembly import strassen_block
from tinycompile.assembly.places import Places
from tinycompile.assembly.requantizing import Requantizing
from tinycompile.assembly.strassen import CHANNELS, HALF_CHANNELS, PIXELS, PRODUCTS, Halves, stage
from tinycompile.assembly.strassen_block import SECTIONS, SKEW
from tinycompile.board import Board
from tinycompile.ir import Array
from tinycompile.ops._asm_scaling import Scaling, strassen_factors, strassen_scaling
from tinycompile.ops._conv_2d_dsp import convolution_channels
from tinycompile.ops._convolution import convolution_window
from tinycompile.ops._dsp import Channels, by_pairs, paired_halves
from tinycompile.ops._linear import folded_bias
from tinycompile.ops.base import Cost, Kernel, Operation
from tinycompile.program import Constant, Granularity, KernelCode, Passing

_LEAST_DEPTH, _LARGEST_DEPTH = 12, 960
_LEAST_WIDTH = 96
"""Input or output channels. Narrower layers gain a few hundredths, for three times the flash and without running row by row."""

_LARGEST_OFFSET = 4095
_GROUP_CYCLES, _CALL_CYCLES, _LOOP_CYCLES = 45, 9, 2
_CODE_BYTES_PER_STEP = 3.9


class PointwiseStrassen(Kernel):
    """A 1x1 window with stride 1; the depth is filled up to a multiple of 8, the last eight channels may overlap others."""

    name = "strassen_asm"
    granularities: ClassVar[tuple[Granularity, ...]] = (Granularity.WHOLE,)
    stages_steps = True
    by_row: ClassVar[bool] = False
    """Made for rows of whole groups of pixels: then each row can be computed alone."""

    def __init__(self, least_width: int = _LEAST_WIDTH) -> None:
        self.least_width = least_width

    def supports(self, operation: Operation, board: Board) -> bool:
        """A processor with the DSP extension, four pixels at least, offsets of 12 bits, and proven requantization."""
        wide = max(operation.input(0).shape[3], operation.output.shape[3]) >= self.least_width
        has_form = board.dsp and wide and _has_form(operation) and self.by_row == _has_whole_rows(operation)
        return has_form and strassen_scaling(_channels(operation)) is not None

    def cost(self, operation: Operation, board: Board) -> Cost:
        """Cycles of the schedules, and of the loops around them."""
        how, halves = _scaling(operation).how, _halves(operation)
        blocks = -(-operation.output.shape[3] // CHANNELS)
        groups = -(-_pixels(operation) // PIXELS)
        staging = halves.depth // (8 * halves.words) * (stage(halves).cycles + 6)
        cycles, steps = _block_cost(halves, how)
        weights = CHANNELS * blocks * (7 * halves.depth // 2 + 6 + 8 * how.words)
        flash = weights + _CODE_BYTES_PER_STEP * (steps + len(stage(halves).steps) + 60)
        return Cost(int(groups * (_GROUP_CYCLES + staging + blocks * cycles)), int(flash))

    def scratch_bytes(self, operation: Operation, board: Board) -> int:
        """The left factors of four pixels; where pixels are left over, the last ones with their outputs."""
        last = 0
        if _whole_pixels(operation) < _pixels(operation):
            last = _last_in_bytes(operation) + PIXELS * operation.output.shape[3]
        return len(PRODUCTS) * _halves(operation).staged_bytes + last

    def step_pixels(self, operation: Operation) -> int:
        """Four."""
        return PIXELS

    def places(self, operation: Operation) -> Places:
        """Where outputs are stored."""
        return Places(operation.output.shape[3])

    def lower(self, operation: Operation, board: Board, granularity: Granularity) -> KernelCode:
        """Holes of `gemm/strassen.c.j2`."""
        out_channels = operation.output.shape[3]
        calls = operation.rows if granularity is Granularity.ROW else 1
        halves, made, places = _halves(operation), _scaling(operation), self.places(operation)
        constant = _stream(operation, made)
        return KernelCode(
            template="gemm/strassen.c.j2",
            parameters={
                "pixels": _pixels(operation) // calls,
                "whole": _whole_pixels(operation) // calls,
                "last_in_bytes": _last_in_bytes(operation),
                "depth": halves.depth,
                "pixel_bytes": halves.pixel_bytes,
                "out_channels": out_channels,
                "staged_bytes": halves.staged_bytes,
                "stream_bytes": constant.bytes,
                "block_bytes": constant.bytes // -(-out_channels // CHANNELS),
                "stage": stage(halves).steps,
                "stage_words": halves.words,
                "stage_iterations": halves.depth // (8 * halves.words),
                "plane_bytes": places.plane_bytes,
                "parts": tuple(part.steps for part in strassen_block.parts(halves, made.how, places)),
                "product": () if halves.is_straight else strassen_block.product(halves).steps,
                "chunks": halves.pairs // halves.chunk,
                "skew": SKEW,
                "frame": strassen_block.FRAME,
            },
            granularity=granularity,
            inputs=((0, Passing.POINTER),),
            constants=(constant,),
            scratch_bytes=self.scratch_bytes(operation, board),
        )


class RowsStrassen(PointwiseStrassen):
    """The same where every row is made of whole groups of pixels: it takes part in fused regions."""

    name = "strassen_rows_asm"
    granularities: ClassVar[tuple[Granularity, ...]] = (Granularity.WHOLE, Granularity.ROW)
    by_row = True


def _has_whole_rows(operation: Operation) -> bool:
    return (
        operation.output.shape[2] % PIXELS == 0 and _halves(operation).depth == _halves(operation).pixel_bytes
    )


def _has_form(operation: Operation) -> bool:
    depth, out_channels = operation.input(0).shape[3], operation.output.shape[3]
    near = (
        _LEAST_DEPTH <= depth <= _LARGEST_DEPTH and (PIXELS - 1) * out_channels + CHANNELS <= _LARGEST_OFFSET
    )
    one_group = depth == operation.input(1).shape[3]
    pointwise = convolution_window(operation).is_pointwise and one_group
    return pointwise and near and out_channels >= CHANNELS and _pixels(operation) >= PIXELS


def _pixels(operation: Operation) -> int:
    return operation.output.elements // operation.output.shape[3]


def _halves(operation: Operation) -> Halves:
    depth = operation.input(0).shape[3]
    return Halves(-(-depth // 8) * 8, depth)


def _whole_pixels(operation: Operation) -> int:
    """Pixels that are read where they lie: groups of four, but not the last one when its words reach behind the image."""
    halves = _halves(operation)
    return (_pixels(operation) - (halves.depth > halves.pixel_bytes)) // PIXELS * PIXELS


def _last_in_bytes(operation: Operation) -> int:
    """Four pixels that are copied, and what is read behind them."""
    halves = _halves(operation)
    return PIXELS * halves.pixel_bytes + halves.depth - halves.pixel_bytes


def _channels(operation: Operation) -> Channels:
    """The channels in the order of the blocks, in eights: the last eight are a block whether others have some of them or not."""
    channels = convolution_channels(operation)
    count, depth = channels.weights.shape
    last = range(count - CHANNELS, count) if count % CHANNELS else ()
    order = [*range(count // CHANNELS * CHANNELS), *last]
    return replace(
        channels,
        weights=np.pad(channels.weights[order], ((0, 0), (0, -depth % 8))),
        bias=channels.bias[order],
        multipliers=tuple(channels.multipliers[channel] for channel in order),
    )


def _scaling(operation: Operation) -> Scaling:
    made = strassen_scaling(_channels(operation))
    assert made is not None, "`supports` has asked for it"
    return made


def _block_cost(halves: Halves, how: Requantizing) -> tuple[int, int]:
    """Cycles of a block of four pixels and eight channels, and the steps that are printed for it."""
    similar = replace(how, shift=min(how.shift, 1))
    return _cost_of_parts(halves.depth, similar)


@cache
def _cost_of_parts(depth: int, how: Requantizing) -> tuple[int, int]:
    halves = Halves(depth, depth)
    parts = strassen_block.parts(halves, how, Places(1))
    cycles, steps = sum(part.cycles for part in parts) + 1, sum(len(part.steps) for part in parts)
    if not halves.is_straight:
        chunk, chunks = strassen_block.product(halves), halves.pairs // halves.chunk
        cycles += len(PRODUCTS) * (chunks * (chunk.cycles + _LOOP_CYCLES) + _CALL_CYCLES)
        steps += len(chunk.steps)
    return cycles, steps


def _stream(operation: Operation, made: Scaling) -> Constant:
    """The sections of each block of channels, in the order of use."""
    channels = _channels(operation)
    scale = made.scale[0::2, None]
    halves = paired_halves(channels.weights.shape[1] // 2, 1)
    blocks = len(channels.weights) // CHANNELS
    sections = {}
    for name, factor in strassen_factors(channels).items():
        taken = by_pairs(factor * scale, halves)
        packed = (taken[:, :, 0] & 0xFFFF) | ((taken[:, :, 1] & 0xFFFF) << 16)
        sections[name] = _by_block(packed, blocks)
    first = folded_bias(channels.weights, channels.bias, channels.in_zero_point).astype(np.int64) * made.scale
    first = first + made.offset
    sections["even terms"] = _by_block(first[0::2, None], blocks)
    sections["odd terms"] = _by_block((first[1::2] - first[0::2])[:, None], blocks)
    constants = np.roll(made.constants, made.how.shift == 0, axis=1)  # the shift first
    for odd, name in enumerate(("even constants", "odd constants")):
        sections[name] = constants[odd::2].reshape(blocks, -1)
    parts = [sections[name] for name in SECTIONS]
    values = (np.concatenate(parts, axis=1).reshape(-1) & 0xFFFFFFFF).astype(np.uint32).view(np.int32)
    return Constant(
        "stream",
        values,
        "for each eight channels: weights of seven products, biases, requantization",
        align=8,
    )


def _by_block(words: Array, blocks: int) -> Array:
    """[channels, words] as [blocks, words of each block]: the words of a pair of taps of four channels after each other."""
    by_block: Array = words.reshape(blocks, HALF_CHANNELS, -1).transpose(0, 2, 1).reshape(blocks, -1)
    return by_block
