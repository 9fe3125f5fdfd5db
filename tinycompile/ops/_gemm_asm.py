"""Matrix products in assembly for processors with SMLAD: 1x1 convolution, convolution from row pointers, FULLY_CONNECTED.

Pixels are staged as pairs of int16, weights are int16 in the order of use with biases and requantization constants between
them (twice the flash of int8). See `_gemm_schedule.py` for the blocks and `docs/kernels.md` for layout and cost.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from tinycompile.ir import Array
from tinycompile.ops._dsp import Channels, by_pairs
from tinycompile.ops._gemm_schedule import Requantizing, Shape, block
from tinycompile.ops._linear import folded_bias
from tinycompile.program import Constant, Parameter
from tinycompile.quant import Accumulators, Multiplier, Requantization, solve

LARGEST_SCALE = 256
_OFFSET_ROOM = 1 << 14
"""Accumulators stay this far from the limits of int32, which leaves room for the offsets of the solver."""

_LARGEST_IMMEDIATE = 4095
"""Offsets of loads and stores have 12 bits."""


@dataclass(frozen=True, eq=False)
class Matrix:
    """A layer as a matrix product: which tap is in which half of each staged pair, and the constants of its channels.

    `halves` is int [pairs, 2], -1 for a half without a tap.
    """

    channels: Channels
    halves: Array

    @property
    def pairs(self) -> int:
        """Pairs of taps."""
        return len(self.halves)

    @property
    def out_channels(self) -> int:
        """Output channels."""
        return len(self.channels.weights)


def largest_scales(channels: Channels) -> Array:
    """For each channel the greatest power of two, at most 256, that keeps weights in int16 and accumulators in int32."""
    least, greatest = channels.accumulator_range()
    reach = np.maximum(np.maximum(-least, greatest), 1)
    weights = channels.weights.astype(np.int64)
    scales = np.full(len(weights), LARGEST_SCALE, np.int64)
    for _ in range(8):
        large = (weights.min(axis=1) * scales < -(1 << 15)) | (weights.max(axis=1) * scales >= 1 << 15)
        large |= reach * scales >= (1 << 31) - _OFFSET_ROOM
        scales = np.where(large & (scales > 1), scales // 2, scales)
    return scales


@lru_cache(maxsize=1024)
def _solved(weights: bytes, shape: tuple[int, ...], rest: "_Rest") -> Requantization | None:
    channels = Channels(
        np.frombuffer(weights, np.int16).reshape(shape), np.array(rest.bias, np.int64), rest.in_zero_point,
        rest.multipliers, rest.out_zero_point, rest.low, rest.high,
    )  # fmt: skip
    least, greatest = channels.accumulator_range()
    if min(-greatest.max() - 1, least.min()) < -(1 << 31):
        return None
    accumulators = Accumulators(least, greatest, largest_scales(channels))
    return solve(accumulators, channels.multipliers, channels.out_zero_point, channels.low, channels.high)


@dataclass(frozen=True)
class _Rest:
    """The fields of Channels apart from weights, as hashable values."""

    bias: tuple[int, ...]
    in_zero_point: int
    multipliers: tuple[Multiplier, ...]
    out_zero_point: int
    low: int
    high: int


def requantization(channels: Channels) -> Requantization | None:
    """Proven constants of a layer whose weights may be scaled, None when there are none. Remembered, as selection asks often."""
    rest = _Rest(
        tuple(channels.bias.tolist()), channels.in_zero_point, channels.multipliers, channels.out_zero_point,
        channels.low, channels.high,
    )  # fmt: skip
    return _solved(channels.weights.astype(np.int16).tobytes(), channels.weights.shape, rest)


def requantizing_of(found: Requantization) -> Requantizing:
    """Which instructions requantize."""
    return Requantizing(
        shift=found.shift or 0,
        half_away=found.half_away,
        low=-128 if found.low is None else found.low,
        high=127 if found.high is None else found.high,
    )


def blocks_of(out_channels: int, width: int) -> tuple[tuple[int, int], ...]:
    """Blocks of `width` channels and the ones for the rest: (channels, number of blocks), in the order of the stream."""
    counts, rest = [], out_channels
    for channels in (4, 2, 1):
        if channels <= width and rest >= channels:
            counts.append((channels, rest // channels))
            rest %= channels
    return tuple(counts)


def groups_of(pixels: int, most: int) -> tuple[tuple[int, int], ...]:
    """Groups of `most` pixels and one for the rest: (pixels, number of groups)."""
    full = ((most, pixels // most),) if pixels >= most else ()
    return full + (((pixels % most, 1),) if pixels % most else ())


def stream(matrix: Matrix, found: Requantization, width: int) -> Constant:
    """Biases, weights and requantization constants in the order of use, as int32 words."""
    channels, requantizing = matrix.channels, requantizing_of(found)
    bias = folded_bias(channels.weights, channels.bias, channels.in_zero_point).astype(np.int64)
    scaled = by_pairs(
        channels.weights.astype(np.int64) * found.scale[:, None].astype(np.int64), matrix.halves
    )
    words = (scaled[:, :, 0] & 0xFFFF) | ((scaled[:, :, 1] & 0xFFFF) << 16)
    first = (bias * found.scale + found.offset)[:, None]
    constants = np.stack([found.multiplier, found.constant, found.shifts][: requantizing.words], axis=1)
    parts, start = [], 0
    for count, blocks in blocks_of(matrix.out_channels, width):
        end = start + count * blocks
        one = (blocks, count, -1)
        parts.append(
            np.concatenate(
                [
                    first[start:end].reshape(blocks, -1),
                    words[start:end].reshape(one).transpose(0, 2, 1).reshape(blocks, -1),
                    constants[start:end].reshape(blocks, -1),
                ],
                axis=1,
            ).reshape(-1)
        )
        start = end
    flat = np.concatenate(parts).astype(object)
    values = np.array([(int(v) & 0xFFFFFFFF) for v in flat], np.uint32).view(np.int32)
    return Constant(
        "stream", values, "for each block of channels: biases, weights, requantization constants", align=8
    )


def group_parameters(
    matrix: Matrix, found: Requantization, width: int, groups: tuple[tuple[int, int], ...]
) -> tuple[Parameter, ...]:
    """Groups of pixels with their blocks of channels, as the template prints them.

    Each group is (pixels, number of groups, blocks), each block (channels, number of blocks, stream bytes, steps before, in and
    after the loop, number of iterations, bytes of the stream that are left).
    """
    requantizing = requantizing_of(found)
    result: list[Parameter] = []
    for pixels, count in groups:
        blocks: list[Parameter] = []
        for channels, number in blocks_of(matrix.out_channels, width):
            shape = Shape(pixels, channels, matrix.pairs, matrix.out_channels)
            made = block(shape, requantizing)
            total = shape.block_bytes(requantizing)
            left = total - made.advanced_bytes
            blocks.append((channels, number, total, made.head, made.loop, made.tail, made.loop_count, left))
        result.append((pixels, count, tuple(blocks)))
    return tuple(result)


def staged_bytes(pairs: int, pixels: int) -> int:
    """Scratch of one group: its words and those that the last loads of a loop run ahead."""
    return 4 * pairs * pixels + 16
