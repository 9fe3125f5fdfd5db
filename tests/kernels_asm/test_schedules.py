"""Instruction schedules without an emulator: reordered steps compute the same, and registers are never mixed up.

Steps are run symbolically: a register holds an expression, a store records the expression that it stores.
"""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from tinycompile.assembly.depthwise import four_channels, outputs
from tinycompile.assembly.depthwise_planes import Plane
from tinycompile.assembly.depthwise_taps import Taps
from tinycompile.assembly.matrix_product import block, together
from tinycompile.assembly.matrix_shape import Shape, Weights
from tinycompile.assembly.places import Places
from tinycompile.assembly.reorder import reads_and_writes, reorder
from tinycompile.assembly.requantizing import Requantizing
from tinycompile.assembly.scheduler import Op, Step, Value, Values, schedule

LINEAR = Requantizing(15, False, -128, 127, odd_shift=20)
AWAY = Requantizing(0, True, -100, 90, doubled=True)
BIAS_ALONE = Requantizing(12, False, -128, 127, addend=False)
HOWS = (LINEAR, AWAY, BIAS_ALONE)


class Symbols:
    """What steps store, by address, with registers and memory as symbols; pointers that are moved are symbols and distances."""

    def __init__(self) -> None:
        self.registers: dict[int, object] = {}
        self.moved: dict[int, int] = {}
        self.stored: dict[tuple[object, ...], object] = {}

    def read(self, register: int) -> object:
        """The value of a register."""
        return self.registers.get(register, f"r{register}")

    def write(self, register: int, value: object) -> None:
        """Give a register a value."""
        self.registers[register], self.moved[register] = value, 0

    def address(self, register: int, offset: int) -> tuple[object, int]:
        """Where a pointer with an offset points to."""
        return self.read(register), self.moved.get(register, 0) + offset

    def load(self, names: Sequence[int], base: int, offset: int = 0) -> None:
        """Load adjacent words."""
        loaded = [("load", *self.address(base, offset + 4 * k)) for k in range(len(names))]
        for name, value in zip(names, loaded, strict=True):
            self.write(name, value)

    def execute(self, step: Step) -> None:
        """Execute a step."""
        kind, numbers = str(step[0]), [int(n) for n in step[1:]]
        reads, writes = reads_and_writes(step)
        if kind == "store_byte":
            self.stored[kind, *self.address(numbers[1], numbers[2])] = self.read(numbers[0])
        elif kind in ("load", "load_pair"):
            self.load(numbers[:-2], *numbers[-2:])
        elif kind in ("load_many", "load_many_next", "load_next"):
            self.load(numbers[:-1], numbers[-1])
            self.moved[numbers[-1]] = self.moved.get(numbers[-1], 0) + 4 * (len(numbers) - 1) * (
                kind != "load_many"
            )
        elif kind == "advance":
            self.moved[numbers[0]] = self.moved.get(numbers[0], 0) + numbers[1]
        elif kind == "compare":
            self.stored[("compare",)] = tuple(self.read(n) for n in numbers)
        else:
            rest = [self.read(n) if n in reads else n for n in numbers[len(writes) :]]
            self.write(numbers[0], (kind, *rest))


def run(steps: Sequence[Step]) -> dict[tuple[object, ...], object]:
    """What the steps store, by address, with registers and memory as symbols."""
    symbols = Symbols()
    for step in steps:
        symbols.execute(step)
    return symbols.stored


@pytest.mark.parametrize("how", HOWS, ids=["linear", "away", "bias alone"])
@pytest.mark.parametrize("weights", Weights)
@pytest.mark.parametrize(
    "pixels, channels", [(4, 2), (3, 2), (2, 2), (1, 2), (2, 4), (1, 4), (1, 8), (4, 1), (3, 1), (1, 1)]
)
def test_reordering_changes_no_result(
    pixels: int, channels: int, weights: Weights, how: Requantizing
) -> None:
    """All stores of a block have the same expressions in both orders, with single and double loads."""
    for double in (False, True):
        shape = Shape(pixels, channels, 5, Places(10), weights, double, 8 * double)
        steps = block(shape, how).head
        stored = run(steps)
        assert sum(key[0] == "store_byte" for key in stored) == pixels * channels
        assert run(reorder(list(steps)).steps) == stored


@pytest.mark.parametrize("how", HOWS, ids=["linear", "away", "bias alone"])
@pytest.mark.parametrize("pixels, channels", [(2, 4), (2, 2), (2, 1), (1, 8), (1, 4), (1, 2), (1, 1)])
def test_multiple_loads_change_no_result(pixels: int, channels: int, how: Requantizing) -> None:
    """Blocks after each other compute the same, whether the stream pointer moves with loads or not at all."""
    for pairs in (1, 2, 5, 48):
        shape = Shape(pixels, channels, pairs, Places(40), Weights.CHAINED, True)
        single, several = block(shape, how, 3), block(replace(shape, multiple=True), how, 3)
        assert run(single.head) == run(several.head)
        assert len(several.head) < len(single.head) or pairs == 1
        assert several.advanced_bytes == 3 * shape.block_bytes(how) - 4 * channels * how.words


@pytest.mark.parametrize("weights", Weights)
def test_a_block_multiplies_every_pair_once(weights: Weights) -> None:
    """Each output is the sum of its pixel's staged words times its channel's words of the stream."""
    pairs, pixels, channels = 7, 4, 2
    steps = block(Shape(pixels, channels, pairs, Places(2), weights, True), LINEAR).head
    multiplied = [step for step in steps if step[0] == "smlad"]
    assert len(multiplied) == pairs * pixels * channels
    loads = [step for step in steps if step[0] == "load" and step[2] == 12]
    assert len({step[3] for step in loads}) == len(loads), "a word of the stream is loaded twice"


@pytest.mark.parametrize("weights", Weights)
@pytest.mark.parametrize("number", [1, 2, 3, 7, 8, 37])
def test_joined_blocks_are_the_blocks_one_after_the_other(number: int, weights: Weights) -> None:
    """Blocks that are printed together read the following parts of the stream and write the following channels."""
    for pairs, how in ((3, LINEAR), (8, AWAY), (48, LINEAR), (49, LINEAR)):
        shape = Shape(4, 2, pairs, Places(100), weights, True)
        joined = together(shape, how, number)
        assert 1 <= joined <= number and (joined == 1 or pairs <= 48)
        if pairs > 48:
            continue
        made = block(shape, how, joined)
        one, step = block(shape, how).head, shape.block_bytes(how)
        loads = [int(n[3]) for n in one if n[0] == "load" and n[2] == 12]
        stores = [int(n[3]) for n in one if n[0] == "store_byte"]
        assert sorted(int(n[3]) for n in made.head if n[0] == "load" and n[2] == 12) == sorted(
            offset + index * step for index in range(joined) for offset in loads
        )
        assert sorted(int(n[3]) for n in made.head if n[0] == "store_byte") == sorted(
            offset + 2 * index for index in range(joined) for offset in stores
        )
        assert max(int(n[3]) for n in made.head if str(n[0]).startswith("load") and n[2] == 12) <= 4095


def test_values_keep_their_registers() -> None:
    """A scheduled program stores what the program as written stores, with as few registers as it needs."""
    values = Values()
    for first in range(0, 24, 4):
        loaded = [values.emit("load", (12,), (first + k,)) for k in range(4)]
        total = values.emit("smlad", (loaded[0], loaded[1], loaded[2]))
        values.effect("store", (values.emit("smlad", (loaded[3], loaded[3], total)), 14), (first,))
    written = _as_written(values.ops)
    for count in (4, 5, 8, 12):
        made = schedule(values.ops, range(count))
        assert made is not None
        assert run(made.steps) == written
        assert all(int(n) < count or int(n) in (12, 14) for step in made.steps for n in _registers(step))


def test_too_few_registers_are_told() -> None:
    """Three values that live at once do not fit two registers."""
    values = Values()
    loaded = [values.emit("load", (12,), (k,)) for k in range(3)]
    values.effect("store", (values.emit("smlad", loaded), 14), (0,))
    assert schedule(values.ops, range(2)) is None
    assert schedule(values.ops, range(3)) is not None


@pytest.mark.parametrize("taps", [(3, 3, 1), (3, 3, 2), (5, 5, 1), (1, 3, 1), (4, 1, 1), (7, 7, 2)], ids=str)
@pytest.mark.parametrize("how", HOWS, ids=["linear", "away", "bias alone"])
def test_depthwise_stores_each_output(taps: tuple[int, int, int], how: Requantizing) -> None:
    """Every output of one and of four channels is stored once, after as many multiplications as its window needs."""
    window = Taps(*taps, 1, 8)
    one, four = outputs(window, how, 7).steps, four_channels(window, how, 3).steps
    assert sorted(step[3] for step in one if step[0] == "store_byte") == [8 * x for x in range(7)]
    assert sorted(step[3] for step in four if step[0] == "store_byte") == sorted(
        8 * x + c for x in range(3) for c in range(4)
    )
    products = sum(str(step[0]).startswith("smla") for step in one)
    single = taps[0] % 2 * (taps[1] // 2 + 1)
    assert products <= 7 * (taps[0] // 2 * taps[1] + single)


@pytest.mark.parametrize("taps", [(3, 3, 1), (3, 3, 2), (5, 5, 1), (1, 10, 1)], ids=str)
def test_planes_store_each_output(taps: tuple[int, int, int]) -> None:
    """Two rows of outputs are stored once each; rows of taps are multiplied in pairs of columns, and no staged word twice."""
    rows, columns, stride = taps
    plane = Plane(Taps(1, columns, stride, 1, 8), rows, stride, 1, 12, 5)
    steps = outputs(plane, LINEAR, 10).steps
    assert sorted(step[3] for step in steps if step[0] == "store_byte") == [8 * x for x in range(10)]
    products = sum(str(step[0]).startswith("smla") for step in steps)
    assert products <= 10 * rows * (columns // 2 + 1)


def _as_written(ops: Sequence[Op]) -> dict[tuple[object, ...], object]:
    """The stores of a program with a register for each value."""
    names: dict[Value, int] = {}

    def name(operand: Value | int) -> int:
        return names.setdefault(operand, 100 + len(names)) if isinstance(operand, Value) else operand

    steps: list[Step] = []
    for op in ops:
        sources = [name(source) for source in op.sources]
        result = [name(made) for made in op.results]
        steps.append((op.kind, *result, *sources, *op.numbers))
    return run(steps)


def _registers(step: Step) -> list[int]:
    reads, writes = reads_and_writes(step)
    return [*reads, *writes]
