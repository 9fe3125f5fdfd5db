"""Matrix products in assembly for processors with SMLAD: 1x1 convolution, convolution from row pointers, FULLY_CONNECTED.

Pixels are staged as pairs of int16; weights come in the order of use with biases and requantization constants between them,
either as int16 (twice the flash of int8) or two channels in a word (`packed`). See `_gemm_schedule.py` for the blocks and
`docs/kernels.md` for layout and cost.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from tinycompile.ir import Array
from tinycompile.ops._dsp import Channels, by_pairs, joined_words, may_pair
from tinycompile.ops._gemm_schedule import Requantizing, Shape, block
from tinycompile.ops._linear import folded_bias
from tinycompile.program import Constant, Parameter
from tinycompile.quant import Accumulators, Multiplier, Requantization, solve

LARGEST_SCALE = 256
_OFFSET_ROOM = 1 << 14
"""Accumulators stay this far from the limits of int32, which leaves room for the offsets of the solver."""


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


@dataclass(frozen=True, eq=False)
class Scaling:
    """Proven requantization of a layer: instructions, and the constants of each channel (int64 [channels])."""

    how: Requantizing
    scale: Array
    offset: Array
    multiplier: Array
    constant: Array
    shifts: Array


@dataclass(frozen=True)
class _Key:
    """The fields of Channels as hashable values."""

    weights: bytes
    shape: tuple[int, ...]
    bias: tuple[int, ...]
    in_zero_point: int
    multipliers: tuple[Multiplier, ...]
    out_zero_point: int
    low: int
    high: int

    def channels(self) -> Channels:
        """Channels again."""
        weights = np.frombuffer(self.weights, np.int16).reshape(self.shape)
        return Channels(
            weights, np.array(self.bias, np.int64), self.in_zero_point, self.multipliers, self.out_zero_point,
            self.low, self.high,
        )  # fmt: skip


def scaling(channels: Channels, packed: bool = False) -> Scaling | None:
    """Proven constants of a layer, None when there are none. Remembered, as kernel selection asks several times.

    Otherwise than `packed` weights, int16 weights may be scaled.
    """
    key = _Key(
        channels.weights.astype(np.int16).tobytes(), channels.weights.shape, tuple(channels.bias.tolist()),
        channels.in_zero_point, channels.multipliers, channels.out_zero_point, channels.low, channels.high,
    )  # fmt: skip
    return _packed_scaling(key) if packed else _int16_scaling(key)


@lru_cache(maxsize=1024)
def _int16_scaling(key: _Key) -> Scaling | None:
    channels = key.channels()
    found = _solve(channels, slice(None), largest_scales(channels))
    return _scaling([(slice(None), found)]) if found is not None else None


@lru_cache(maxsize=1024)
def _packed_scaling(key: _Key) -> Scaling | None:
    channels = key.channels()
    if not may_pair(channels.weights) or _reach(channels)[1::2].max(initial=0) >= 1 << 23:
        return None
    parts = [(slice(0, None, 2), 1), (slice(1, None, 2), 256)][: len(channels.weights)]
    solved = [(part, _solve(channels, part, scale, fixed=True)) for part, scale in parts]
    found = [(part, solution) for part, solution in solved if solution is not None]
    if len(found) == len(parts):
        return _scaling(found)
    doubled = _solve(channels, slice(None), 2, closed=True)
    if doubled is None or (doubled.scale != 2).any():
        return None
    return _scaling([(slice(None), doubled)], doubled=True)


def _reach(channels: Channels) -> Array:
    """Greatest absolute value of each channel's accumulator."""
    least, greatest = channels.accumulator_range()
    reach: Array = np.maximum(-least, greatest)
    return reach


def _solve(
    channels: Channels, part: slice, scales: Array | int, fixed: bool = False, closed: bool = False
) -> Requantization | None:
    """Solve some channels of a layer."""
    least, greatest = (limit[part] for limit in channels.accumulator_range())
    if len(least) == 0 or max(-least.min(), greatest.max()) >= 1 << 31:
        return None
    largest = np.broadcast_to(np.asarray(scales, np.int64), least.shape).copy()
    return solve(
        Accumulators(least, greatest, largest, fixed),
        channels.multipliers[part],
        channels.out_zero_point,
        channels.low,
        channels.high,
        closed,
    )


def _scaling(parts: list[tuple[slice, Requantization]], doubled: bool = False) -> Scaling:
    """Solutions of one or two parts of the channels in one."""
    count = sum(len(found.scale) for _, found in parts)
    arrays = {}
    for name in ("scale", "offset", "multiplier", "constant", "shifts"):
        values = np.zeros(count, np.int64)
        for part, found in parts:
            values[part] = getattr(found, name).astype(np.int64)
        arrays[name] = values
    first, last = parts[0][1], parts[-1][1]
    how = Requantizing(
        shift=first.shift or 0,
        half_away=first.half_away,
        low=-128 if first.low is None else first.low,
        high=127 if first.high is None else first.high,
        odd_shift=(last.shift or 0) if last is not first else 0,
        doubled=doubled,
    )
    return Scaling(how, **arrays)


def blocks_of(out_channels: int, width: int) -> tuple[tuple[int, int], ...]:
    """Blocks of `width` channels and the ones for the rest: (channels, number of blocks), in the order of the stream."""
    counts, rest = [], out_channels
    for channels in (8, 4, 2, 1):
        if channels <= width and rest >= channels:
            counts.append((channels, rest // channels))
            rest %= channels
    return tuple(counts)


def groups_of(pixels: int, most: int) -> tuple[tuple[int, int], ...]:
    """Groups of `most` pixels and one for the rest: (pixels, number of groups)."""
    full = ((most, pixels // most),) if pixels >= most else ()
    return full + (((pixels % most, 1),) if pixels % most else ())


def stream(matrix: Matrix, made: Scaling, width: int, packed: bool) -> Constant:
    """First terms, weights and requantization constants in the order of use, as int32 words."""
    channels = matrix.channels
    bias = folded_bias(channels.weights, channels.bias, channels.in_zero_point).astype(np.int64)
    factor = 1 if made.how.doubled else made.scale
    first = bias * factor + made.offset
    halves = by_pairs(channels.weights, matrix.halves)
    if packed:
        words = joined_words(halves, paired=True).astype(np.int64)
        odd = first[1::2]
        first[1::2] = (256 * bias[1::2] + made.offset[1::2] if made.how.doubled else odd) + first[0::2][
            : len(odd)
        ]
    else:
        scaled = halves * made.scale[:, None, None]
        words = (scaled[:, :, 0] & 0xFFFF) | ((scaled[:, :, 1] & 0xFFFF) << 16)
    constants = np.stack([made.multiplier, made.constant, made.shifts][: made.how.words], axis=1)
    parts, start = [], 0
    for count, blocks in blocks_of(matrix.out_channels, width):
        end = start + count * blocks
        rows = words[start // 2 : (end + 1) // 2] if packed else words[start:end]
        block_words = rows.reshape(blocks, -1, matrix.pairs).transpose(0, 2, 1)
        columns = [first[start:end], block_words, constants[start:end]]
        parts.append(np.concatenate([c.reshape(blocks, -1) for c in columns], axis=1).reshape(-1))
        start = end
    values = (np.concatenate(parts) & 0xFFFFFFFF).astype(np.uint32).view(np.int32)
    return Constant(
        "stream", values, "for each block of channels: first terms, weights, requantization", align=8
    )


def group_parameters(
    matrix: Matrix, how: Requantizing, layout: "Layout", groups: tuple[tuple[int, int], ...]
) -> tuple[Parameter, ...]:
    """Groups of pixels with their blocks of channels, as the template prints them.

    Each group is (pixels, number of groups, blocks), each block (channels, number of blocks, stream bytes, steps before, in and
    after the loop, number of iterations, bytes of the stream that are left).
    """
    result: list[Parameter] = []
    for pixels, count in groups:
        blocks: list[Parameter] = []
        for channels, number in blocks_of(matrix.out_channels, layout.width):
            shape = layout.shape(pixels, channels, matrix.pairs, matrix.out_channels)
            made = block(shape, how)
            total = shape.block_bytes(how)
            left = total - made.advanced_bytes
            blocks.append((channels, number, total, made.head, made.loop, made.tail, made.loop_count, left))
        result.append((pixels, count, tuple(blocks)))
    return tuple(result)


@dataclass(frozen=True)
class Layout:
    """Blocks of a layer: `group` pixels at a time, `width` channels at a time, packed or int16 weights, loads of two words."""

    group: int
    width: int
    packed: bool
    double_pixels: bool
    double_weights: bool

    def shape(self, pixels: int, channels: int, pairs: int, out_channels: int) -> Shape:
        """The shape of one block."""
        return Shape(
            pixels, channels, pairs, out_channels, self.packed, self.double_pixels, self.double_weights
        )


def staged_bytes(pairs: int, pixels: int) -> int:
    """Scratch of one group: its words and those that the last loads of a loop run ahead."""
    return 4 * pairs * pixels + 16
