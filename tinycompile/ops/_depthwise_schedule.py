"""Instructions of a depthwise convolution of one channel, for windows of any height and width.

Registers: r12 staged words, lr output. If the weights fit they are in r0.. and the other
constants of the channel on the stack; else r11 points to both in the stream.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from functools import cache

from tinycompile.ops._asm_scheduler import Operand, Scheduled, Value, Values, schedule
from tinycompile.ops._depthwise_taps import Geometry, Order, Stream, Term
from tinycompile.ops._requantizing import Requantizing

CONSTANTS, STAGED, STACK, OUTPUT = 11, 12, 13, 14
STACK_CONSTANTS = 32
"""Offset from the stack pointer to bias, multiplier, constant and shift of the channel."""

_LARGEST_GROUP = 6
_ENOUGH = 2
"""Schedules among which to choose."""


@cache
def outputs(geometry: Geometry, requantizing: Requantizing, count: int) -> Scheduled:
    """Compute `count` outputs of one channel."""
    free = range(geometry.weight_words, CONSTANTS + 1) if geometry.resident else range(CONSTANTS)
    return _best(geometry, requantizing, count, (0,), geometry.resident, free)


@cache
def four_channels(geometry: Geometry, requantizing: Requantizing, count: int) -> Scheduled:
    """Compute `count` outputs of each of four channels; r11 points to their constants in the stream."""
    return _best(geometry, requantizing, count, range(4), False, range(CONSTANTS))


def _best(
    geometry: Geometry,
    how: Requantizing,
    count: int,
    channels: Iterable[int],
    in_registers: bool,
    free: Sequence[int],
) -> Scheduled:
    """The best of the orders that the registers suffice for: outputs in groups of up to 6; large ones load less often."""
    found: list[Scheduled] = []
    orders = (Order.ROWS, Order.COLUMNS) if geometry.resident else (Order.WEIGHTS, Order.ROWS)
    for group in range(min(_LARGEST_GROUP, len(free) - 2), 0, -1):
        for order in orders:
            values = Values()
            for channel in channels:
                _Channel(values, geometry, how, channel, in_registers).outputs(count, group, order)
            made = schedule(values.ops, free)
            if made is not None:
                found.append(made)
        if len(found) >= _ENOUGH:
            break
    return min(found, key=lambda made: (2 * made.cycles + len(made.steps), made.cycles))


class _Channel:
    """Writes the operations of one channel; `in_registers`: its weights are in r0.. and its other constants on the stack."""

    def __init__(
        self, values: Values, geometry: Geometry, how: Requantizing, channel: int, in_registers: bool
    ) -> None:
        self.values, self.geometry, self.how, self.channel = values, geometry, how, channel
        self.stream = Stream(geometry.weight_words, how)
        self.in_registers = in_registers
        self.sums: dict[int, Value] = {}
        self.constants: dict[int, Value] = {}
        self.weights: dict[int, Value] = {}
        self.loaded: dict[int, Value] = {}

    def outputs(self, count: int, group: int, order: Order) -> None:
        """All outputs, a few at a time. Weights that all fit registers are loaded once."""
        for first in range(0, count, group):
            terms = [
                term
                for output in range(first, min(first + group, count))
                for term in self.geometry.terms(output)
            ]
            self.write(self.geometry.ordered(terms, order))
            self.loaded.clear()
            if not self.geometry.resident:
                self.weights.clear()

    def write(self, terms: list[Term]) -> None:
        """Multiply in the order given; outputs are requantized when they and the pair of columns are done."""
        left = Counter(term.output for term in terms)
        finished: list[int] = []
        for term, following in zip(terms, [*terms[1:], None], strict=True):
            total = self.sums.get(term.output) or self.constant(0)
            operands = (self.word(term.columns, term.word), self.weight(term.weight), total)
            self.sums[term.output] = self.values.emit(term.kind, operands)
            left[term.output] -= 1
            if left[term.output] == 0:
                finished.append(term.output)
            if following is None or following.columns != term.columns:
                for output in finished:
                    self.requantize(output)
                finished.clear()
        self.constants.clear()

    def constant(self, index: int) -> Value:
        """Bias (0), multiplier (1), constant (2) or shift (3), loaded anew for every few outputs."""
        if index not in self.constants:
            if self.in_registers:
                address, offset = STACK, STACK_CONSTANTS + 4 * index
            else:
                address, offset = CONSTANTS, self.channel * self.stream.bytes + self.stream.constant(index)
            self.constants[index] = self.values.emit("load", (address,), (offset,))
        return self.constants[index]

    def weight(self, word: int) -> Operand:
        """A word of weights, loaded at its first use unless it has a register of its own."""
        if self.in_registers:
            return word
        if word not in self.weights:
            offset = self.channel * self.stream.bytes + self.stream.weight(word)
            self.weights[word] = self.values.emit("load", (CONSTANTS,), (offset,))
        return self.weights[word]

    def word(self, columns: int, index: int) -> Value:
        """A staged word of a pair of columns; loaded at its first use."""
        at = self.geometry.word_offset(columns, index, self.channel)
        if at not in self.loaded:
            self.loaded[at] = self.values.emit("load", (STAGED,), (at,))
        return self.loaded[at]

    def requantize(self, output: int) -> None:
        """From the sum of an output to the store."""
        how, values, total = self.how, self.values, self.sums[output]
        multiplier, constant = self.constant(1), self.constant(2)
        offset = values.emit("sign", (constant, total)) if how.half_away else constant
        x = values.emit("scale", (total, multiplier, offset))
        if not how.shift:
            x = values.emit("shift", (x, self.constant(3)))
        x = values.emit("saturate", (x,), (how.shift,))
        if (how.low, how.high) != (-128, 127):
            x = values.emit("clamp", (x,), (how.low, how.high))
        values.effect("store_byte", (x, OUTPUT), (output * self.geometry.channels + self.channel,))
