"""What the assembly of a matrix product costs, from the schedules of its blocks."""

from dataclasses import replace
from functools import cache

from tinycompile.assembly.matrix_product import LOOP_PAIRS, STRAIGHT_PAIRS, Shape, block, together
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


@cache
def _line(shape: Shape, how: Requantizing) -> tuple[float, float]:
    """Cycles of a block without pairs, and of each pair of taps; `pairs` of the shape does not count."""
    few, more = (block(replace(shape, pairs=pairs), how).cycles for pairs in _PROBE_PAIRS)
    slope = (more - few) / (_PROBE_PAIRS[1] - _PROBE_PAIRS[0])
    return few - slope * _PROBE_PAIRS[0], slope


def block_cycles(shape: Shape, how: Requantizing, number: int) -> float:
    """Cycles of each of `number` blocks."""
    similar = replace(how, shift=min(how.shift, 1), odd_shift=min(how.odd_shift, 1))
    constant, slope = _line(replace(shape, pairs=0, places=Places(1)), similar)
    loops = shape.pairs // LOOP_PAIRS if shape.pairs > STRAIGHT_PAIRS else 0
    return (
        constant + slope * shape.pairs + loops * _LOOP_CYCLES + _BLOCK_CYCLES / together(shape, how, number)
    )


def gemm_cost(
    runs: tuple[int, int], pairs: int, out_channels: int, layout: Layout, how: Requantizing
) -> Cost:
    """Cost of `runs` (pixels of one call, number of calls) pixels, each staged and multiplied with all channels."""
    pixels_of_call, calls = runs
    cycles, steps = 0.0, 0.0
    for pixels, groups in groups_of(pixels_of_call, layout.group):
        one = _GROUP_CYCLES + pixels * pairs * _STAGING_CYCLES_PER_WORD
        for channels, blocks in blocks_of(out_channels, layout.width):
            shape = layout.shape(pixels, channels, pairs, out_channels)
            one += blocks * block_cycles(shape, how, blocks)
            steps += min(pairs, STRAIGHT_PAIRS) * pixels * channels * 1.6 + 8 * pixels * channels
        cycles += groups * one
    word_bytes = 2 if layout.packed else 4
    flash = out_channels * (word_bytes * pairs + 4 * (1 + how.words)) + int(steps * _CODE_BYTES_PER_STEP)
    return Cost(int(calls * cycles), flash)
