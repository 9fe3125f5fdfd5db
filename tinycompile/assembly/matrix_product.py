"""The instructions of a block of a matrix product: the outputs of a few pixels times a few channels.

`matrix_shape.py` says how weights are held, `matrix_writer.py` writes loads and multiplications, `matrix_outputs.py` what turns
sums into outputs. Here they become a block, with a loop if there are many pairs of taps, or several blocks after each other.

At the end of a block r11 points to the output if requantization can spare it, else lr does.
"""

from dataclasses import dataclass, replace
from functools import cache

from tinycompile.assembly.matrix_outputs import Outputs
from tinycompile.assembly.matrix_shape import LARGEST_PAIR_OFFSET, STACK, STAGED, STAGED_OFFSET, STREAM, Shape
from tinycompile.assembly.matrix_writer import Products
from tinycompile.assembly.places import Places
from tinycompile.assembly.reorder import reorder
from tinycompile.assembly.requantizing import Requantizing
from tinycompile.assembly.scheduler import Step

_STRAIGHT_PAIRS = 48
_LOOP_PAIRS = 60
_LEAST_LOOP_PAIRS = 28
_UNROLLED_STEPS = 640
"""Instructions of several blocks that are printed one after the other, to save the loop around them."""

_ALL_STEPS = 720
"""The same, when no loop is left at all."""

_LARGEST_OFFSET = 4095


@dataclass(frozen=True)
class Block:
    """Steps before, in and after the loop over pairs; without a loop all is in `head`. Cycles are those of the whole block.

    `output` is the register that points to the output at the end, `moved`: lr does not point to the staged pixels then.
    """

    head: tuple[Step, ...]
    loop: tuple[Step, ...]
    tail: tuple[Step, ...]
    loop_count: int
    advanced_bytes: int
    """How far the stream pointer has moved at the end."""
    cycles: int
    output: int
    moved: bool


def straight_pairs(shape: Shape) -> int:
    """Up to so many pairs of taps need no loop."""
    return min(_STRAIGHT_PAIRS, _reached_pairs(shape))


def loop_pairs(shape: Shape) -> int:
    """Pairs of taps in one iteration of the loop over them.

    All pairs of a single pixel are in the loop if they can be parted evenly: code that runs once should be short.
    """
    most = min(_LOOP_PAIRS, _reached_pairs(shape))
    even = range(_LEAST_LOOP_PAIRS, most + 1, 2) if shape.pixels == 1 else ()
    return next((pairs for pairs in even if shape.pairs % pairs == 0), most)


def _reached_pairs(shape: Shape) -> int:
    """Pairs of taps whose words loads of two can reach; even, as a single pixel's words may be loaded for two pairs."""
    if not shape.double_words:
        return _LOOP_PAIRS
    return (LARGEST_PAIR_OFFSET // 4 - shape.sums) // shape.words // 2 * 2


def together(shape: Shape, requantizing: Requantizing, number: int) -> int:
    """How many of `number` blocks are printed one after the other: all, or as many as code may grow and offsets reach.

    One may be left over, which is printed once more.
    """
    if shape.pairs > straight_pairs(shape):
        return 1
    largest = LARGEST_PAIR_OFFSET if shape.double_words else _LARGEST_OFFSET
    alike = replace(
        shape, places=Places(1, min(shape.places.plane_bytes, 2)), vector_bytes=min(shape.vector_bytes, 4)
    )
    steps = _step_count(alike, requantizing)
    reached = number if shape.multiple else min(number, largest // shape.block_bytes(requantizing) or 1)
    if shape.places.plane_bytes:
        reached = min(reached, _LARGEST_OFFSET // (shape.channels * shape.places.plane_bytes) or 1)
    if reached == number and number * steps <= _ALL_STEPS:
        return number
    most = max(1, min(reached, _UNROLLED_STEPS // steps))
    even = [count for count in range(1, most + 1) if number % count <= 1]
    return min(even, key=lambda count: 2 * -(-number // count) + count + number % count)


@cache
def _step_count(shape: Shape, requantizing: Requantizing) -> int:
    """Instructions of a block without a loop; offsets make no difference."""
    return len(_straight_steps(shape, requantizing))


@cache
def block(shape: Shape, requantizing: Requantizing, count: int = 1) -> Block:
    """All steps of a block, from the first terms to the stores, or of `count` blocks one after the other."""
    output = Outputs(shape, requantizing).output
    if shape.pairs <= straight_pairs(shape):
        parts = (_straight_steps(shape, requantizing, index) for index in range(count))
        made = reorder([step for part in parts for step in part])
        advanced = count * shape.block_bytes(requantizing) - _constants_bytes(shape, requantizing)
        advanced = advanced if shape.multiple else 0
        return Block(made.steps, (), (), 0, advanced, made.cycles, output, output == STAGED)
    products = Products(shape)
    repeated = loop_pairs(shape)
    first = shape.pairs % repeated
    # The sums of all pixels begin in front of the loop, and so do the last bytes of a vector.
    if first == 0 and (shape.pixels > 1 or shape.vector_bytes % 4):
        first = repeated
    loops = (shape.pairs - first) // repeated
    head = reorder([*products.begin(), *products.multiply(0, first), *products.advance(first)])
    products.base = first
    again = [*products.multiply(first, repeated), *products.advance(repeated), *products.compare_end()]
    loop = reorder(again)
    products.base = shape.pairs
    tail = reorder(list(Outputs(shape, requantizing, products.stream_end).finish()))
    cycles = head.cycles + loops * (loop.cycles + 1) + tail.cycles
    advanced = 4 * (shape.words * shape.pairs + shape.sums * shape.multiple)
    return Block(head.steps, loop.steps, tail.steps, loops, advanced, cycles, output, True)


def _constants_bytes(shape: Shape, requantizing: Requantizing) -> int:
    return 4 * shape.channels * requantizing.words


def _straight_steps(shape: Shape, requantizing: Requantizing, index: int = 0) -> list[Step]:
    """The block `index` of several after each other."""
    products = Products(shape, index * shape.block_bytes(requantizing))
    outputs = Outputs(shape, requantizing, products.stream_end, index * shape.channels)
    again: list[Step] = []
    if index and shape.multiple:
        again.append(("advance", STREAM, _constants_bytes(shape, requantizing)))
    if index and outputs.output == STAGED:
        again.append(("load", STAGED, STACK, STAGED_OFFSET))
    return [*again, *products.begin(), *products.multiply(0, shape.pairs), *outputs.finish()]
