"""Matrix products in assembly for processors with SMLAD: 1x1 convolution, convolution from row pointers, FULLY_CONNECTED.

Pixels are staged as pairs of int16; weights come in the order of use with biases and requantization constants between them,
in one of the forms of `assembly/matrix_shape.py`. See `assembly/matrix_product.py` for the blocks and `docs/kernels.md` for
layout and cost.
"""

from dataclasses import dataclass

import numpy as np

from tinycompile.assembly.matrix_product import block, together
from tinycompile.assembly.matrix_shape import NATURAL_ORDER, ChainOrder, Shape, Weights
from tinycompile.assembly.places import Places
from tinycompile.assembly.requantizing import Requantizing
from tinycompile.ir import Array
from tinycompile.ops._asm_scaling import Scaling
from tinycompile.ops._dsp import CHAINED_SCALE, Channels, by_pairs, chained, joined_words, word_of
from tinycompile.ops._linear import folded_bias
from tinycompile.program import Constant, Parameter


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


def stream(matrix: Matrix, made: Scaling, layout: "Layout") -> Constant:
    """First terms, weights and requantization constants in the order of use, as int32 words."""
    channels = matrix.channels
    bias = folded_bias(channels.weights, channels.bias, channels.in_zero_point).astype(np.int64)
    halves = by_pairs(channels.weights, matrix.halves)
    parts, start = [], 0
    for count, blocks in blocks_of(matrix.out_channels, layout.width):
        part = slice(start, start + count * blocks)
        first, words = _sums(bias[part], halves[part], made.part(part), layout)
        columns = [
            first, words.reshape(blocks, -1, matrix.pairs).transpose(0, 2, 1), made.constants[part]
        ]  # fmt: skip
        parts.append(np.concatenate([c.reshape(blocks, -1) for c in columns], axis=1).reshape(-1))
        start = part.stop
    values = (np.concatenate(parts) & 0xFFFFFFFF).astype(np.uint32).view(np.int32)
    return Constant(
        "stream", values, "for each block of channels: first terms, weights, requantization", align=8
    )


def _sums(bias: Array, halves: Array, made: Scaling, layout: "Layout") -> tuple[Array, Array]:
    """First terms of the sums, int64 [sums], and words of weights, [words, pairs], of blocks of the same size."""
    doubled = made.how.doubled
    first = bias * (1 if doubled else made.scale) + made.offset
    if layout.weights is Weights.PACKED:
        odd = first[1::2]
        first[1::2] = (256 * bias[1::2] + made.offset[1::2] if doubled else odd) + first[0::2][: len(odd)]
        return first, joined_words(halves, paired=True).astype(np.int64)
    if layout.weights is Weights.CHAINED:
        # Outputs of other channels never change: their dot products, which may need more bits, become 0.
        live = made.multiplier != 0
        whole = (bias + made.offset // CHAINED_SCALE) * live
        return chained(whole, layout.order), word_of(chained(halves * live[:, None, None], layout.order))
    return first, word_of(halves * made.scale[:, None, None])


def group_parameters(
    matrix: Matrix, how: Requantizing, layout: "Layout", groups: tuple[tuple[int, int], ...]
) -> tuple[tuple[int, int, Parameter], ...]:
    """Groups of pixels with their blocks of channels, as the template prints them.

    Each group is (pixels, number of groups, blocks). Each of blocks stands for one or several blocks after each other: (bytes of
    outputs, number of times, stream bytes, steps before, in and after the loop over pairs, number of iterations, bytes of the
    stream that are left, register of the output, whether lr has moved).
    """
    result: list[tuple[int, int, Parameter]] = []
    for pixels, count in groups:
        blocks: list[Parameter] = []
        for channels, number in blocks_of(matrix.out_channels, layout.width):
            shape = layout.shape(pixels, channels, matrix.pairs, matrix.out_channels)
            for joined, times in _repetitions(number, together(shape, how, number)):
                made = block(shape, how, joined)
                total = joined * shape.block_bytes(how)
                left = total - made.advanced_bytes
                steps = (made.head, made.loop, made.tail, made.loop_count)
                moved = joined * channels * (layout.plane_bytes or 1)
                blocks.append((moved, times, total, *steps, left, made.output, made.moved))
        result.append((pixels, count, tuple(blocks)))
    return tuple(result)


def _repetitions(number: int, joined: int) -> list[tuple[int, int]]:
    """`number` blocks as (blocks that are joined, number of times)."""
    rest = number % joined
    return [(joined, number // joined)] + ([(rest, 1)] if rest else [])


@dataclass(frozen=True)
class Layout:
    """Blocks of a layer: `group` pixels at a time, `width` channels at a time, how weights are held, loads of two words.

    `plane_bytes`: see `Places`. `pixel_channels`: bytes between outputs of adjacent pixels, if not one for each channel.
    `order`, `multiple` and `vector_bytes`: see `Shape`.
    """

    group: int
    width: int
    weights: Weights
    double_pixels: bool
    double_words: int
    plane_bytes: int = 0
    pixel_channels: int = 0
    order: ChainOrder = NATURAL_ORDER
    multiple: bool = False
    vector_bytes: int = 0

    def shape(self, pixels: int, channels: int, pairs: int, out_channels: int) -> Shape:
        """The shape of one block of a layer with `out_channels` channels."""
        places = Places(self.pixel_channels or out_channels, self.plane_bytes)
        return Shape(
            pixels,
            channels,
            pairs,
            places,
            self.weights,
            self.double_pixels,
            self.double_words,
            self.order,
            self.multiple,
            self.vector_bytes,
        )


def staged_bytes(pairs: int, pixels: int) -> int:
    """Scratch of one group."""
    return 4 * pairs * pixels
