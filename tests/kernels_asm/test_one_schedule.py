"""Assembly that differs in offsets and constants alone is put in order once: finding an order takes most of a build's time."""

import pytest

from tinycompile.assembly import matrix_product, reorder, scheduler
from tinycompile.assembly.matrix_product import block
from tinycompile.assembly.matrix_shape import Shape
from tinycompile.assembly.places import Places
from tinycompile.assembly.requantizing import Requantizing
from tinycompile.assembly.scheduler import Op, Scheduled, Values, schedule

LINEAR = Requantizing(15, False, -128, 127)


def ordered(monkeypatch: pytest.MonkeyPatch, module: object, name: str) -> list[int]:
    """The number of steps of each sequence that a scheduler is made for from now on."""
    module._best_order.cache_clear()  # type: ignore[attr-defined]
    made: list[int] = []
    scheduling = getattr(module, name)

    def counted(steps: tuple[object, ...], *more: object) -> object:
        made.append(len(steps))
        return scheduling(steps, *more)

    monkeypatch.setattr(module, name, counted)
    return made


def test_blocks_of_a_layer_and_of_wider_layers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Blocks that are printed after each other are ordered together; those of a wider layer differ in offsets."""
    matrix_product.block.cache_clear()
    made = ordered(monkeypatch, reorder, "_Reorderer")
    printed = [
        block(Shape(2, 4, 7, Places(channels), double_pixels=True), LINEAR, 6) for channels in (24, 48)
    ]
    assert len(made) == 1
    offsets = [[step[3] for step in each.head if step[0] == "store_byte"] for each in printed]
    for channels, found in zip((24, 48), offsets, strict=True):
        assert sorted(found) == [pixel * channels + channel for pixel in range(2) for channel in range(24)]


def scaled(offset: int) -> list[Op]:
    """Two products, requantized and stored."""
    values = Values()
    for index in range(2):
        word = values.emit("load", [14], [offset + 4 * index])
        total = values.emit("smuad", [word, 12])
        values.effect("store_byte", [values.emit("saturate", [total], [offset]), 11], [offset + index])
    return values.ops


def test_operations_with_other_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    made = ordered(monkeypatch, scheduler, "_Scheduler")
    first, second = (schedule(scaled(offset), range(4)) for offset in (8, 16))
    assert made == [8]
    assert isinstance(first, Scheduled) and isinstance(second, Scheduled)
    assert [step[:-1] for step in first.steps if step[0] != "smuad"] == [
        step[:-1] for step in second.steps if step[0] != "smuad"
    ]
    assert sorted(step[-1] for step in first.steps if step[0] == "store_byte") == [8, 9]
    assert sorted(step[-1] for step in second.steps if step[0] == "store_byte") == [16, 17]


def test_other_registers_are_another_order(monkeypatch: pytest.MonkeyPatch) -> None:
    made = ordered(monkeypatch, scheduler, "_Scheduler")
    found = [schedule(scaled(8), registers) for registers in (range(4), range(3, 7))]
    assert made == [8, 8]
    for made_steps, allowed in zip(found, (range(4), range(3, 7)), strict=True):
        assert made_steps is not None
        assert {step[1] for step in made_steps.steps} <= set(allowed)
