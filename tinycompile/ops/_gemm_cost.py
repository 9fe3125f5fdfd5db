"""What the assembly of a matrix product costs, from the schedules of its blocks."""

from dataclasses import replace
from functools import cache

from tinycompile.assembly.matrix_product import block, loop_pairs, straight_pairs, together
from tinycompile.assembly.matrix_shape import Shape, Weights
from tinycompile.assembly.places import Places
from tinycompile.assembly.requantizing import Requantizing
from tinycompile.ops._gemm_asm import Layout, blocks_of, groups_of
from tinycompile.ops.base import Cost

_PROBE_PAIRS = (4, 8)
_LOOP_CYCLES = 6
"""Cycles that one iteration of a loop over pairs takes beyond its multiplications."""

_BLOCK_CYCLES = 5
"""Cycles around blocks that are printed one after the other: pointers, the comparison and the branch."""

_STAGING_CYCLES_PER_WORD = 2.0
_GROUP_CYCLES = 22
_CODE_BYTES_PER_STEP = 4
_WEIGHT_BYTES = {Weights.INT16: 4, Weights.PACKED: 2, Weights.CHAINED: 3}
"""Of a channel's pair of taps."""


@cache
def _line(shape: Shape, how: Requantizing) -> tuple[float, float]:
    """Cycles of a block without pairs, and of each pair of taps; `pairs` of the shape does not count."""
    few, more = (block(replace(shape, pairs=pairs), how).cycles for pairs in _PROBE_PAIRS)
    slope = (more - few) / (_PROBE_PAIRS[1] - _PROBE_PAIRS[0])
    return few - slope * _PROBE_PAIRS[0], slope


def block_cycles(shape: Shape, how: Requantizing, number: int) -> float:
    """Cycles of each of `number` blocks."""
    similar = replace(how, shift=min(how.shift, 1), odd_shift=min(how.odd_shift, 1))
    alike = replace(shape, pairs=0, places=Places(1), vector_bytes=min(shape.vector_bytes, 4))
    constant, slope = _line(alike, similar)
    loops = shape.pairs // loop_pairs(shape) if shape.pairs > straight_pairs(shape) else 0
    return (
        constant + slope * shape.pairs + loops * _LOOP_CYCLES + _BLOCK_CYCLES / together(shape, how, number)
    )


def gemm_cost(
    runs: tuple[int, int], pairs: int, out_channels: int, layout: Layout, how: Requantizing
) -> Cost:
    """Cost of `runs` (pixels of one call, number of calls) pixels, each multiplied with all channels; without their staging."""
    code_bytes = gemm_code_bytes(runs[0], pairs, out_channels, layout)
    return Cost(
        gemm_cycles(runs, pairs, out_channels, layout, how),
        code_bytes + stream_bytes(pairs, out_channels, layout.weights, how),
    )


def gemm_cycles(
    runs: tuple[int, int], pairs: int, out_channels: int, layout: Layout, how: Requantizing
) -> int:
    """Cycles of `gemm_cost`."""
    pixels_of_call, calls = runs
    cycles = 0.0
    for pixels, groups in groups_of(pixels_of_call, layout.group):
        one: float = _GROUP_CYCLES
        for channels, blocks in blocks_of(out_channels, layout.width):
            shape = layout.shape(pixels, channels, pairs, out_channels)
            one += blocks * block_cycles(shape, how, blocks)
        cycles += groups * one
    return int(calls * cycles)


def contiguous_staging_cycles(pixels: int, pairs: int) -> int:
    """Cycles to stage pixels of contiguous bytes, in the same function in assembly."""
    return int(pixels * pairs * _STAGING_CYCLES_PER_WORD)


def gemm_code_bytes(pixels_of_call: int, pairs: int, out_channels: int, layout: Layout) -> int:
    """Code of the blocks of `gemm_cost`."""
    shapes = [
        layout.shape(pixels, channels, pairs, out_channels)
        for pixels, _ in groups_of(pixels_of_call, layout.group)
        for channels, _ in blocks_of(out_channels, layout.width)
    ]
    steps = sum(shape.outputs * (min(pairs, straight_pairs(shape)) * 1.6 + 8) for shape in shapes)
    return int(steps * _CODE_BYTES_PER_STEP)


def stream_bytes(pairs: int, out_channels: int, weights: Weights, how: Requantizing) -> int:
    """First terms, weights and requantization constants."""
    return out_channels * (_WEIGHT_BYTES[weights] * pairs + 4 * (1 + how.words))
