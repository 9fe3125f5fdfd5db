"""Depthwise convolution of a row from planar rows, as the layer before has stored them: nothing is staged.

The rows of a window (`planar_windows.py`) lie anywhere: the stack has a pointer to each, which is loaded for a few outputs at a
time, with the weights of that row. A word of zero points in the stack stands for columns outside of the image.

Registers: r11 constants of the channel in the stream, lr output; all others are free. Frame: what `Frame` says.
"""

from dataclasses import dataclass, replace
from functools import cache

from tinycompile.assembly.depthwise import CONSTANTS, OUTPUT, STACK, ChannelWriter
from tinycompile.assembly.depthwise_taps import Order, Term
from tinycompile.assembly.planar_windows import OUTSIDE, PlanarRow
from tinycompile.assembly.requantizing import Requantizing
from tinycompile.assembly.scheduler import Operand, Scheduled, Step, Value, Values, schedule

_FREE = tuple(register for register in range(CONSTANTS + 2) if register != CONSTANTS)
_LARGEST_OFFSET = 4095
_LARGEST_GROUP = 8
_MOST_BLOCK_OUTPUTS = 14
"""Two times as many as are computed together with a 3x3 window."""

_MOST_STRAIGHT_OUTPUTS = 112
"""Outputs of a row that are printed without a loop."""

_ENOUGH = 3
"""Schedules among which to choose."""

_SAMPLE_WIDTH = 1 << 12
_BLOCK_CYCLES = 12
_CHANNEL_CYCLES = 14


@dataclass(frozen=True)
class Frame:
    """Where the stack has what windows over `rows` planar rows need.

    The pointer to each row; how far each of them moves behind a channel; two zero points; the end of the stream; blocks left.
    """

    rows: int

    def pointer(self, row: int) -> int:
        """The pointer to a row."""
        return 4 * row

    @property
    def outside(self) -> int:
        """Two zero points."""
        return 8 * self.rows

    @property
    def end(self) -> int:
        """The end of the stream."""
        return self.outside + 4

    @property
    def blocks(self) -> int:
        """Blocks that are left of the row."""
        return self.outside + 8

    @property
    def bytes(self) -> int:
        """All of it; with the nine registers above it the stack stays aligned."""
        return self.outside + 12


@dataclass(frozen=True)
class RowPlan:
    """Steps of one channel of a row: before the loop, in it (`loop_outputs` outputs, `iterations` times), and behind it.

    `moved`: outputs by which lr has moved at the end.
    """

    head: tuple[Step, ...]
    loop: tuple[Step, ...]
    loop_outputs: int
    iterations: int
    tail: tuple[Step, ...]
    moved: int
    cycles: int

    @property
    def steps(self) -> int:
        """Instructions that are printed."""
        return len(self.head) + len(self.loop) + len(self.tail)


@cache
def row_plan(row: PlanarRow, how: Requantizing) -> RowPlan:
    """Blocks along the row; long rows have a loop over those that touch no border."""
    count = min(_MOST_BLOCK_OUTPUTS, _LARGEST_OFFSET // row.channels)
    if row.out_width > _MOST_STRAIGHT_OUTPUTS:
        count -= count % 2
    else:
        count = -(-row.out_width // -(-row.out_width // count))
    blocks = [range(at, min(at + count, row.out_width)) for at in range(0, row.out_width, count)]
    looped = [block for block in blocks if len(block) == count and not row.touches_border(block)]
    if row.out_width <= _MOST_STRAIGHT_OUTPUTS or len(looped) < 2:
        looped = []
    heads = [block for block in blocks if not looped or block.start < looped[0].start]
    tails = [block for block in blocks if looped and block.start > looped[-1].start]
    head, loop = _blocks(row, how, heads, bool(looped)), _blocks(row, how, looped[:1], True)
    tail = _blocks(row, how, tails, False, len(looped) * count * row.stride)
    iterations = len(looped)
    cycles = head.cycles + iterations * (loop.cycles + _BLOCK_CYCLES) + tail.cycles + _CHANNEL_CYCLES
    last = (tails or looped or heads)[-1]
    moved = last.stop if last in looped else last.start
    return RowPlan(head.steps, loop.steps, count, iterations, tail.steps, moved, cycles)


def _blocks(
    row: PlanarRow, how: Requantizing, blocks: list[range], more: bool, moved_columns: int = 0
) -> Scheduled:
    """Blocks after each other; the output moves between them, and behind the last one if there are `more`.

    Pointers to rows have moved by some columns.
    """
    steps: list[Step] = []
    cycles = 0
    for block in blocks:
        made = _block(row, how, block, moved_columns)
        steps += made.steps
        cycles += made.cycles
        if more or block is not blocks[-1]:
            steps.append(("advance", OUTPUT, len(block) * row.channels))
            cycles += 1
    return Scheduled(tuple(steps), cycles)


def _block(row: PlanarRow, how: Requantizing, outputs: range, moved_columns: int) -> Scheduled:
    """Some outputs, from the schedule of a sample: the same windows at the beginning of a row of four channels."""
    begin = outputs.start * row.stride - row.pad
    shift = max(begin // 2 * 2, 0)
    reaches_end = (outputs[-1] * row.stride - row.pad) + row.columns > row.width
    width = row.width - shift if reaches_end else _SAMPLE_WIDTH
    sample = replace(row, pad=shift - begin, width=width, out_width=len(outputs), channels=4)
    made = _sample_block(sample, replace(how, shift=min(how.shift, 1)))

    def placed(step: Step) -> Step:
        kind, *numbers = step
        if kind == "load" and numbers[1] not in (STACK, CONSTANTS):
            numbers[-1] = int(numbers[-1]) + 2 * (shift - moved_columns)
        elif kind == "store_byte":
            numbers[-1] = int(numbers[-1]) // 4 * row.channels
        elif kind == "saturate":
            numbers[-1] = how.shift
        return (kind, *numbers)

    return Scheduled(tuple(map(placed, made.steps)), made.cycles)


@cache
def _sample_block(row: PlanarRow, how: Requantizing) -> Scheduled:
    """The best of the first few numbers of outputs that are computed together and for which registers suffice."""
    outputs = range(row.out_width)
    found: list[Scheduled] = []
    for group in range(min(_LARGEST_GROUP, len(outputs)), 0, -1):
        values = Values()
        _PlanarWriter(values, row, how, 0, False).outputs(outputs, group, Order.ROWS)
        made = schedule(values.ops, _FREE)
        if made is not None:
            found.append(made)
        if len(found) == _ENOUGH:
            break
    return min(found, key=lambda made: 2 * made.cycles + len(made.steps))


class _PlanarWriter(ChannelWriter):
    """Words come through the pointers in the stack."""

    def __init__(
        self, values: Values, row: PlanarRow, how: Requantizing, channel: int, in_registers: bool
    ) -> None:
        super().__init__(values, row, how, channel, in_registers)
        self.row = row
        self.frame = Frame(row.rows)
        self.words: dict[tuple[int, int], Value] = {}
        self.pointers: dict[int, Value] = {}

    def write(self, terms: list[Term]) -> None:
        """As all; pointers and words are loaded anew for every few outputs."""
        super().write(terms)
        self.words.clear()
        self.pointers.clear()

    def weight(self, word: int) -> Operand:
        """A word of weights; with strides, whose loads do not all go beside multiplications, it is loaded with its neighbour."""
        if self.row.stride == 1:
            return super().weight(word)
        if word not in self.weights:
            count = len(self.row.row_words)
            index = word % count // 2 * 2
            first = word // count * count + index
            offset = (self.stream.weight(first),)
            if index + 1 < count:
                self.weights[first], self.weights[first + 1] = self.values.emit_pair(
                    "load_pair", (CONSTANTS,), offset
                )
            else:
                self.weights[first] = self.values.emit("load", (CONSTANTS,), offset)
        return self.weights[word]

    def word(self, term: Term) -> Value:
        """A pair of columns of a row, or two zero points; loaded at its first use."""
        key = (term.word, term.columns)
        if key not in self.words:
            self.words[key] = self._loaded(term)
        return self.words[key]

    def _loaded(self, term: Term) -> Value:
        if term.columns == OUTSIDE:
            return self.values.emit("load", (STACK,), (self.frame.outside,))
        if term.word not in self.pointers:
            self.pointers[term.word] = self.values.emit("load", (STACK,), (self.frame.pointer(term.word),))
        return self.values.emit("load", (self.pointers[term.word],), (4 * term.columns,))
