"""Instructions of a depthwise convolution of one channel, for windows of any height and width.

Registers: r12 staged words, lr output. If the weights fit they are in r0.. and the other
constants of the channel on the stack; else r11 points to both in the stream.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from functools import cache

from tinycompile.assembly.depthwise_taps import Geometry, Order, Stream, Term, Windows
from tinycompile.assembly.requantizing import Requantizing, scaled
from tinycompile.assembly.scheduler import Operand, Scheduled, Step, Value, Values, schedule

CONSTANTS, STAGED, STACK, OUTPUT = 11, 12, 13, 14
STACK_CONSTANTS = 32
"""Offset from the stack pointer to bias, multiplier, constant and shift of the channel."""

_LARGEST_GROUP = 6
_ENOUGH = 2
"""Schedules among which to choose."""
_TRIAL_OUTPUTS = 12
"""Outputs for which ways to compute them are compared."""

_Way = tuple[int, Order]
"""Outputs that are computed together, and the order of their multiplications."""


def outputs(geometry: Geometry, requantizing: Requantizing, count: int) -> Scheduled:
    """Compute `count` outputs of one channel."""
    return _schedule(geometry, requantizing, count, 1)


def four_channels(geometry: Geometry, requantizing: Requantizing, count: int) -> Scheduled:
    """Compute `count` outputs of each of four channels; r11 points to their constants in the stream."""
    return _schedule(geometry, requantizing, count, 4)


@cache
def _schedule(geometry: Geometry, how: Requantizing, count: int, channels: int) -> Scheduled:
    """The schedule of the sample of this geometry, with the offsets and the shift of this one."""
    sample = geometry.sample
    made = _sample_schedule(sample, replace(how, shift=min(how.shift, 1)), count, channels)

    def placed(step: Step) -> Step:
        kind, *numbers = step
        last = int(numbers[-1])
        if kind == "load" and numbers[1] == STAGED:
            numbers[-1] = geometry.word_offset(*sample.word_at(last))
        elif kind == "store_byte":
            output, channel = divmod(last, sample.channels)
            numbers[-1] = output * geometry.channels + channel
        elif kind == "saturate":
            numbers[-1] = how.shift
        return (kind, *numbers)

    return Scheduled(tuple(map(placed, made.steps)), made.cycles)


@cache
def _sample_schedule(geometry: Geometry, how: Requantizing, count: int, channels: int) -> Scheduled:
    """The first of the ranked ways that the registers suffice for."""
    in_registers = geometry.resident and channels == 1
    for way in _ranked(geometry, how, min(count, _TRIAL_OUTPUTS), in_registers):
        made = _written(geometry, how, count, range(channels), in_registers, way)
        if made is not None:
            return made
    raise AssertionError("one output at a time always has registers")


@cache
def _ranked(geometry: Geometry, how: Requantizing, count: int, in_registers: bool) -> tuple[_Way, ...]:
    """Ways to compute some outputs of one channel, the best first: large groups load less often, but are not always possible."""
    found: list[tuple[int, _Way]] = []
    orders = (Order.ROWS, Order.COLUMNS) if geometry.resident else (Order.WEIGHTS, Order.ROWS)
    ways = [(group, order) for group in range(_LARGEST_GROUP, 0, -1) for order in orders]
    for way in ways:
        made = _written(geometry, how, count, (0,), in_registers, way)
        if made is not None:
            found.append((2 * made.cycles + len(made.steps), way))
        if len(found) >= _ENOUGH and way[1] is orders[-1]:
            break
    best = [way for _, way in sorted(found, key=lambda item: item[0])]
    return (*best, *(way for way in ways if way not in best))


def _written(
    geometry: Geometry,
    how: Requantizing,
    count: int,
    channels: Iterable[int],
    in_registers: bool,
    way: _Way,
) -> Scheduled | None:
    """The schedule of some outputs of some channels, None when registers do not suffice."""
    free = range(geometry.weight_words, CONSTANTS + 1) if in_registers else range(CONSTANTS)
    group, order = way
    if group > len(free) - 2:
        return None
    values = Values()
    for channel in channels:
        ChannelWriter(values, geometry, how, channel, in_registers).outputs(range(count), group, order)
    return schedule(values.ops, free)


class ChannelWriter:
    """Writes the operations of one channel; `in_registers`: its weights are in r0.. and its other constants on the stack."""

    def __init__(
        self, values: Values, geometry: Windows, how: Requantizing, channel: int, in_registers: bool
    ) -> None:
        self.values, self.geometry, self.how, self.channel = values, geometry, how, channel
        self.stream = Stream(geometry.weight_words, how)
        self.in_registers = in_registers
        self.sums: dict[int, Value] = {}
        self.constants: dict[int, Value] = {}
        self.weights: dict[int, Value] = {}
        self.loaded: dict[int, Value] = {}

    def outputs(self, outputs: range, group: int, order: Order) -> None:
        """Some outputs, a few at a time. Weights that all fit registers are loaded once."""
        for first in range(0, len(outputs), group):
            together = outputs[first : first + group]
            terms = [term for output in together for term in self.geometry.terms(output)]
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
            operands = (self.word(term), self.weight(term.weight), total)
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

    def word(self, term: Term) -> Value:
        """The staged word of a term; loaded at its first use."""
        at = self.geometry.word_offset(term.columns, term.word, self.channel)
        if at not in self.loaded:
            self.loaded[at] = self.values.emit("load", (STAGED,), (at,))
        return self.loaded[at]

    def requantize(self, output: int) -> None:
        """From the sum of an output to the store."""
        how, values, total = self.how, self.values, self.sums[output]
        x = scaled(values, how, total, self.constant(1), self.constant(2) if how.addend else None)
        if not how.shift:
            x = values.emit("shift", (x, self.constant(3)))
        x = values.emit("saturate", (x,), (how.shift,))
        if (how.low, how.high) != (-128, 127):
            x = values.emit("clamp", (x,), (how.low, how.high))
        values.effect("store_byte", (x, OUTPUT), (output * self.geometry.channels + self.channel,))
