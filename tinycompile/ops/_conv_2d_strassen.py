"""Kernel of 1x1 CONV_2D by Strassen's matrix product, for processors with SMLAD; see `assembly/strassen.py`."""

from functools import cache

import numpy as np

from tinycompile.assembly.requantizing import Requantizing
from tinycompile.assembly.strassen import (
    CHANNELS,
    LARGEST_OFFSET,
    PIXELS,
    PRODUCTS,
    Halves,
    add_biases,
    add_stored,
    begin,
    finish,
    product,
    stage,
)
from tinycompile.board import Board
from tinycompile.ir import Array
from tinycompile.ops._asm_scaling import Scaling, strassen_factors, strassen_scaling
from tinycompile.ops._conv_2d_dsp import convolution_channels
from tinycompile.ops._convolution import convolution_window
from tinycompile.ops._dsp import by_pairs, paired_halves
from tinycompile.ops._linear import folded_bias
from tinycompile.ops.base import Cost, Kernel, Operation
from tinycompile.program import Constant, Granularity, KernelCode, Passing

_SLOTS = {"S3_T3": 32}
_LEAST_DEPTH, _LARGEST_DEPTH = 32, 960
_CONTINUATION_CYCLES = 8
_CODE_BYTES_PER_STEP = 3.5


class PointwiseStrassen(Kernel):
    """A 1x1 window with stride 1, input and output channels in eights."""

    name = "strassen_asm"
    granularities = (Granularity.WHOLE,)
    stages_steps = True

    def supports(self, operation: Operation, board: Board) -> bool:
        """A processor with the DSP extension, four pixels at least, offsets of 12 bits, and proven requantization."""
        return (
            board.dsp
            and _has_form(operation)
            and strassen_scaling(convolution_channels(operation)) is not None
        )

    def cost(self, operation: Operation, board: Board) -> Cost:
        """Cycles of the schedules, and of the loops around them."""
        depth, out_channels = operation.input(0).shape[3], operation.output.shape[3]
        how = _scaling(operation).how
        halves = Halves(depth)
        groups = -(-_pixels(operation) // PIXELS)
        staging = depth // (8 * halves.words) * (stage(halves).cycles + 7)
        cycles = groups * (50 + staging + out_channels // CHANNELS * _block_cycles(halves, how, out_channels))
        steps = len(product(halves).steps) + len(stage(halves).steps) + 4 * 45 + 150
        weights = out_channels * (7 * depth // 2 + 6 * (1 + how.words))
        return Cost(int(cycles), int(weights + _CODE_BYTES_PER_STEP * steps))

    def scratch_bytes(self, operation: Operation, board: Board) -> int:
        """The left factors of four pixels; where pixels are left over, the last ones with their outputs."""
        depth, out_channels = operation.input(0).shape[3], operation.output.shape[3]
        last = PIXELS * (depth + out_channels) if _pixels(operation) % PIXELS else 0
        return len(PRODUCTS) * Halves(depth).staged_bytes + last

    def step_pixels(self, operation: Operation) -> int:
        """Four."""
        return PIXELS

    def lower(self, operation: Operation, board: Board, granularity: Granularity) -> KernelCode:
        """Holes of `gemm/strassen.c.j2`."""
        depth, out_channels = operation.input(0).shape[3], operation.output.shape[3]
        halves, made = Halves(depth), _scaling(operation)
        constant = _stream(operation, made)
        return KernelCode(
            template="gemm/strassen.c.j2",
            parameters={
                "pixels": _pixels(operation),
                "depth": depth,
                "out_channels": out_channels,
                "staged_bytes": halves.staged_bytes,
                "stream_bytes": constant.bytes,
                "constant_bytes": 4 * CHANNELS // 2 * made.how.words,
                "stage": stage(halves).steps,
                "stage_words": halves.words,
                "stage_iterations": depth // (8 * halves.words),
                "product": product(halves).steps,
                "chunks": halves.pairs // halves.chunk,
                "chunk_weight_bytes": 16 * halves.chunk,
                "chunk_staged_bytes": 8 * halves.chunk,
                "begin": begin().steps,
                "add_biases": add_biases().steps,
                "add_s3_t3": add_stored(_SLOTS["S3_T3"]).steps,
                **{
                    f"finish_{half + 1}{odd + 1}": finish(made.how, half, bool(odd), out_channels).steps
                    for half in range(2)
                    for odd in range(2)
                },
            },
            granularity=granularity,
            inputs=((0, Passing.POINTER),),
            constants=(constant,),
            scratch_bytes=self.scratch_bytes(operation, board),
        )


def _has_form(operation: Operation) -> bool:
    depth, out_channels = operation.input(0).shape[3], operation.output.shape[3]
    whole = depth == operation.input(1).shape[3] and depth % 8 == 0 and out_channels % CHANNELS == 0
    near = _LEAST_DEPTH <= depth <= _LARGEST_DEPTH and PIXELS * out_channels <= LARGEST_OFFSET
    return convolution_window(operation).is_pointwise and whole and near and _pixels(operation) >= PIXELS


def _pixels(operation: Operation) -> int:
    return operation.output.elements // operation.output.shape[3]


def _scaling(operation: Operation) -> Scaling:
    made = strassen_scaling(convolution_channels(operation))
    assert made is not None, "`supports` has asked for it"
    return made


@cache
def _block_cycles(halves: Halves, how: Requantizing, out_channels: int) -> int:
    chunks = halves.pairs // halves.chunk
    products = len(PRODUCTS) * (chunks * (product(halves).cycles + 6) + _CONTINUATION_CYCLES)
    between = begin().cycles + add_biases().cycles + 2 * add_stored(_SLOTS["S3_T3"]).cycles + 7 * 5 + 12
    outputs = sum(
        finish(how, half, bool(odd), out_channels).cycles + 3 for half in range(2) for odd in range(2)
    )
    return products + between + outputs


def _stream(operation: Operation, made: Scaling) -> Constant:
    """For each block of channels the weights of the seven products, with what is needed between them, in the order of use."""
    channels = convolution_channels(operation)
    scale = made.scale[0::2, None]
    halves = paired_halves(channels.weights.shape[1] // 2, 1)
    blocks = len(channels.weights) // CHANNELS
    words = {}
    for name, factor in strassen_factors(channels).items():
        taken = by_pairs(factor * scale, halves)
        packed = (taken[:, :, 0] & 0xFFFF) | ((taken[:, :, 1] & 0xFFFF) << 16)
        words[name] = _by_block(packed, blocks)
    first = folded_bias(channels.weights, channels.bias, channels.in_zero_point).astype(np.int64) * made.scale
    first = first + made.offset
    even, difference = (
        _by_block(first[0::2, None], blocks),
        _by_block((first[1::2] - first[0::2])[:, None], blocks),
    )
    constants = np.stack([made.multiplier, made.constant, made.shifts][: made.how.words], axis=1)
    even_constants, odd_constants = (constants[odd::2].reshape(blocks, -1) for odd in range(2))
    parts = [
        words["S3"], even, words["A11"], words["A12"], even_constants, words["S2"], words["S1"], difference,
        words["S4"], odd_constants, words["A22"], even_constants,
    ]  # fmt: skip
    values = (np.concatenate(parts, axis=1).reshape(-1) & 0xFFFFFFFF).astype(np.uint32).view(np.int32)
    return Constant(
        "stream",
        values,
        "for each eight channels: weights of seven products, biases, requantization",
        align=8,
    )


def _by_block(words: Array, blocks: int) -> Array:
    """[channels, words] as [blocks, words of each block]: the words of a pair of taps of four channels after each other."""
    by_block: Array = words.reshape(blocks, CHANNELS // 2, -1).transpose(0, 2, 1).reshape(blocks, -1)
    return by_block
