"""The order of instructions in a block of a matrix product: steps that a template prints as assembly.

A block computes the outputs of a few pixels times a few channels. Each accumulator has a register; the other registers hold
operands. A load goes to the register of an operand that has had its last use, so it stands at least two multiplications
before its own use: a core that issues a load beside a multiplication then starts one SMLAD in each cycle.

Registers: r0.. accumulators [pixel][channel], then operands up to r11; r12 points to the stream, lr to the staged pixels.
Stream of a block: biases [channel]; weights [pair][channel]; requantization constants [channel][2 or 3].
Staged pixels: [pair][pixel], one word each.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate

from tinycompile.ops._asm_scheduler import Step

STREAM, STACK, STAGED = 12, 13, 14
"""Registers that point to the stream, to the frame and to the staged pixels, then (`OUTPUT`) to the output."""
OUTPUT = STAGED
END_OFFSET = 24
"""Where the frame keeps the end of the staged pixels."""

OPERAND_REGISTERS = 12
STRAIGHT_PAIRS = 16
LOOP_PAIRS = 8

_PIXEL_REGISTERS = {(4, 2): 2, (3, 2): 3, (4, 1): 4, (3, 1): 3, (2, 1): 4}
_WEIGHT_DEPTH = {(4, 2): 1, (3, 2): 1, (2, 2): 1, (1, 4): 1}
"""Pairs of weights that are in registers at a time, where it is not 2."""


@dataclass(frozen=True)
class Requantizing:
    """Which instructions turn accumulators into outputs. `shift` 0: each channel has its own in the stream."""

    shift: int
    half_away: bool
    low: int
    high: int

    @property
    def words(self) -> int:
        """Constants of each channel."""
        return 2 if self.shift else 3


@dataclass(frozen=True)
class Shape:
    """A block of pixels times channels over `pairs` pairs of taps; outputs of two pixels are `out_channels` bytes apart."""

    pixels: int
    channels: int
    pairs: int
    out_channels: int

    @property
    def accumulators(self) -> int:
        """Registers that accumulate."""
        return self.pixels * self.channels

    @property
    def pixel_registers(self) -> tuple[int, ...]:
        """Registers that hold staged pixels in turn."""
        count = _PIXEL_REGISTERS.get((self.pixels, self.channels), 2)
        return tuple(range(self.accumulators, self.accumulators + count))

    @property
    def weight_depth(self) -> int:
        """Pairs of weights in registers at a time."""
        return _WEIGHT_DEPTH.get((self.pixels, self.channels), 2)

    @property
    def weight_registers(self) -> tuple[int, ...]:
        """Registers of weights, [pair modulo depth][channel]."""
        first = self.pixel_registers[-1] + 1
        return tuple(range(first, first + self.weight_depth * self.channels))

    @property
    def spare_registers(self) -> tuple[int, ...]:
        """Registers that hold neither accumulators nor operands."""
        return tuple(range(self.weight_registers[-1] + 1, OPERAND_REGISTERS))

    def pixel(self, pair: int, visit: int) -> int:
        """The pixel that is multiplied at a visit. Pixel 0 comes last in pair 0: until then it holds the bias for all."""
        return self.pixels - 1 - visit if pair == 0 else visit

    def channel_order(self, pair: int, visit: int) -> range:
        """Channels in turn forth and back, so that each weight rests between its last use and the next pair's."""
        turn = visit + (pair if self.pixels % 2 == 0 else 0)
        return range(1, -1, -1) if self.channels == 2 and turn % 2 else range(self.channels)

    def stream_offset(self, pair: int, channel: int) -> int:
        """Bytes from the start of the block's stream to a weight."""
        return 4 * (self.channels * (1 + pair) + channel)

    def block_bytes(self, requantizing: Requantizing) -> int:
        """Bytes of the block in the stream."""
        return 4 * self.channels * (1 + self.pairs + requantizing.words)


@dataclass(frozen=True)
class Block:
    """Steps before, in and after the loop over pairs; without a loop `loop` is empty and all is in `head`."""

    head: tuple[Step, ...]
    loop: tuple[Step, ...]
    tail: tuple[Step, ...]
    loop_count: int
    advanced_bytes: int
    """How far the stream pointer has moved at the end."""


def block(shape: Shape, requantizing: Requantizing) -> Block:
    """All steps of a block, from the biases to the stores."""
    writer = _Writer(shape, requantizing)
    if shape.pairs <= STRAIGHT_PAIRS:
        head = [*writer.begin(shape.pairs), *writer.multiply(0, shape.pairs, shape.pairs)]
        return Block(tuple(head + writer.finish()), (), (), 0, 0)
    first = (shape.pairs - 1) % LOOP_PAIRS + 1
    count = (shape.pairs - first) // LOOP_PAIRS
    endless = shape.pairs + 2 * LOOP_PAIRS
    head = [*writer.begin(endless), *writer.multiply(0, first, endless), *writer.advance(first)]
    loop = writer.multiply(first, LOOP_PAIRS, endless, advance=True)
    writer.base = shape.pairs
    return Block(
        head=tuple(head),
        loop=tuple(loop),
        tail=tuple(writer.finish()),
        loop_count=count,
        advanced_bytes=4 * shape.channels * shape.pairs,
    )


class _Writer:
    """Writes the steps of one block and keeps track of where the pointers stand and which constants are loaded."""

    def __init__(self, shape: Shape, requantizing: Requantizing) -> None:
        self.shape = shape
        self.requantizing = requantizing
        self.base = 0
        """Pair at which both pointers stand."""
        self.early: dict[int, int] = {}
        """Register of each constant (by index) that was loaded as operands died."""

    def weight(self, pair: int, channel: int) -> int:
        shape = self.shape
        return shape.weight_registers[pair % shape.weight_depth * shape.channels + channel]

    def load_weight(self, pair: int, channel: int) -> Step:
        shape = self.shape
        offset = shape.stream_offset(pair, channel) - 4 * shape.channels * self.base
        return ("load", self.weight(pair, channel), STREAM, offset)

    def pixel(self, index: int) -> int:
        registers = self.shape.pixel_registers
        return registers[index % len(registers)]

    def load_pixel(self, index: int) -> Step:
        shape = self.shape
        pair, visit = divmod(index, shape.pixels)
        offset = 4 * ((pair - self.base) * shape.pixels + shape.pixel(pair, visit))
        return ("load", self.pixel(index), STAGED, offset)

    def begin(self, limit: int) -> Iterator[Step]:
        """Load biases and the first operands."""
        shape = self.shape
        yield from (self.load_weight(0, c) for c in shape.channel_order(0, 0))
        yield self.load_pixel(0)
        yield from (("load", c, STREAM, 4 * c) for c in shape.channel_order(0, 0))
        for index in range(1, min(len(shape.pixel_registers), limit * shape.pixels)):
            yield self.load_pixel(index)
        for pair in range(1, min(shape.weight_depth, limit)):
            yield from (self.load_weight(pair, c) for c in range(shape.channels))

    def advance(self, pairs: int) -> list[Step]:
        """Move both pointers."""
        self.base += pairs
        shape = self.shape
        return [
            ("advance", STREAM, 4 * pairs * shape.channels),
            ("advance", STAGED, 4 * pairs * shape.pixels),
        ]

    def multiply(self, first: int, count: int, limit: int, advance: bool = False) -> list[Step]:
        """Multiply `count` pairs; operands are loaded ahead up to pair `limit`. `advance`: the steps are the body of a loop."""
        shape, steps = self.shape, list[Step]()
        constants = list(range(self._early_constants())) if limit == shape.pairs else []
        borrowed: list[Step] = []
        for pair in range(first, first + count):
            last = pair == first + count - 1
            if last and constants:
                steps += self._load_constants(constants, shape.spare_registers)
            if last and advance:
                steps += self.advance(count)
                if shape.spare_registers:
                    steps.append(("load", shape.spare_registers[0], STACK, END_OFFSET))
            for visit in range(shape.pixels):
                index = pair * shape.pixels + visit
                p, x = shape.pixel(pair, visit), self.pixel(index)
                dead: list[int] = []
                for c in shape.channel_order(pair, visit):
                    a = p * shape.channels + c
                    steps.append(("smlad", a, self.weight(pair, c), x, c if pair == 0 else a))
                    if visit == shape.pixels - 1:
                        ahead = pair + shape.weight_depth
                        if ahead < limit:
                            steps.append(self.load_weight(ahead, c))
                        else:
                            dead.append(self.weight(pair, c))
                ahead = index + len(shape.pixel_registers)
                if ahead >= limit * shape.pixels:
                    dead.append(x)
                elif last and advance and not shape.spare_registers and visit == shape.pixels - 2:
                    steps.append(("load", x, STACK, END_OFFSET))
                    borrowed = [("compare", STAGED, x), self.load_pixel(ahead)]
                else:
                    steps.append(self.load_pixel(ahead))
                steps += self._load_constants(constants, dead)
        if advance:
            steps += borrowed or [("compare", STAGED, shape.spare_registers[0])]
        return steps

    # Requantization. Constants of `sets` channels are in registers at a time.

    @property
    def _temporaries(self) -> int:
        """Registers for the rounding constant with the accumulator's sign."""
        free = OPERAND_REGISTERS - self.shape.accumulators
        return 0 if not self.requantizing.half_away else min(2, free - self.requantizing.words)

    @property
    def sets(self) -> int:
        free = OPERAND_REGISTERS - self.shape.accumulators - self._temporaries
        return min(free // self.requantizing.words, self.shape.channels)

    def _early_constants(self) -> int:
        return self.sets * self.requantizing.words

    def constant_offset(self, channel: int, index: int) -> int:
        shape = self.shape
        start = 4 * shape.channels * (1 + shape.pairs - self.base)
        return start + 4 * (channel * self.requantizing.words + index)

    def _load_constants(self, constants: list[int], registers: Sequence[int]) -> list[Step]:
        steps: list[Step] = []
        for register in registers:
            if constants:
                constant = constants.pop(0)
                self.early[constant] = register
                steps.append(
                    (
                        "load",
                        register,
                        STREAM,
                        self.constant_offset(*divmod(constant, self.requantizing.words)),
                    )
                )
        return steps

    def finish(self) -> list[Step]:
        """Requantize and store all outputs of the block."""
        words, steps = self.requantizing.words, list[Step]()
        free = [r for r in range(self.shape.accumulators, OPERAND_REGISTERS) if r not in self.early.values()]
        missing = [k for k in range(self._early_constants()) if k not in self.early]
        steps += self._load_constants(missing, free[: len(missing)])
        free = [r for r in free if r not in self.early.values()]
        steps.append(("load", OUTPUT, STACK, 0))
        for first in range(0, self.shape.channels, self.sets):
            group = range(first, min(first + self.sets, self.shape.channels))
            registers = {c: [self.early[(c - first) * words + k] for k in range(words)] for c in group}
            steps += self._requantize(registers, free, following=first + self.sets)
        return steps

    def _requantize(self, registers: dict[int, list[int]], free: list[int], following: int) -> list[Step]:
        """The outputs of some channels, in a pipeline: each instruction waits two others for the one before."""
        shape, how = self.shape, self.requantizing
        outputs = [(p, c) for c in registers for p in range(shape.pixels)]
        stages = [
            *(["sign"] if how.half_away else []),
            "scale",
            *([] if how.shift else ["shift"]),
            "saturate",
        ]
        stages += ["clamp"] if (how.low, how.high) != (-128, 127) else []
        stages.append("store")
        gaps = [0] + [self._temporaries if before == "sign" else 2 for before in stages[:-1]]
        delay = dict(zip(stages, accumulate(gaps), strict=True))
        steps: list[Step] = []
        for time in range(len(outputs) + max(delay.values())):
            for stage in reversed(stages):
                at = time - delay[stage]
                if 0 <= at < len(outputs):
                    p, c = outputs[at]
                    x, constants = p * shape.channels + c, registers[c]
                    temporary = free[at % self._temporaries] if self._temporaries else constants[1]
                    steps.append(self._stage(stage, x, constants, temporary, p * shape.out_channels + c))
        loads = [(following + i, k) for i in range(len(registers)) for k in range(how.words)]
        for channel, k in loads:
            if channel < shape.channels:
                steps.append(
                    ("load", registers[channel - len(registers)][k], STREAM, self.constant_offset(channel, k))
                )
        return steps

    def _stage(self, stage: str, x: int, constants: list[int], temporary: int, offset: int) -> Step:
        how = self.requantizing
        return {
            "sign": ("sign", temporary, constants[1], x),
            "scale": ("scale", x, x, constants[0], temporary),
            "shift": ("shift", x, x, constants[-1]),
            "saturate": ("saturate", x, x, how.shift),
            "clamp": ("clamp", x, x, how.low, how.high),
            "store": ("store_byte", x, OUTPUT, offset),
        }[stage]
