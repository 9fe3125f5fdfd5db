"""Planar rows between two kernels: the replay knows them from rows as the tensor has them, and finds damage to them."""

from dataclasses import replace
from functools import cache

import pytest

from tests.planning.random_models import random_separable_model
from tests.replay.random_programs import Planned, of_plan, stages, with_stage
from tinycompile.board import load_board
from tinycompile.frontend import read_model
from tinycompile.lowering import select
from tinycompile.passes import run_passes
from tinycompile.plan import Choice
from tinycompile.planning import plan
from tinycompile.program import Operand, Program, RowFormat, Stage

SEEDS = range(8)


@cache
def nets() -> tuple[Planned, ...]:
    """Those of some random networks in which rows are planar."""
    found = []
    for seed in SEEDS:
        graph = run_passes(read_model(random_separable_model(seed), "separable"))
        net = of_plan(graph, plan(graph, select(graph, load_board("m7"))))
        if any(is_planar(stage.outputs[0]) for _, stage in stages(net.program)):
            found.append(net)
    assert len(found) >= 3
    return tuple(found)


def is_planar(operand: Operand) -> bool:
    """True for an operand with planar rows."""
    return operand.format is RowFormat.PLANAR


def damaged(program: Program, **changes: int) -> Program:
    """The program with planar operands changed, for those who write and those who read."""

    def changed(operand: Operand) -> Operand:
        if not is_planar(operand):
            return operand
        values = {name: int(getattr(operand, name)) + more for name, more in changes.items()}
        return replace(operand, **values)  # type: ignore[arg-type]

    for _, stage in list(stages(program)):
        inputs, outputs = tuple(map(changed, stage.inputs)), tuple(map(changed, stage.outputs))
        program = with_stage(program, stage, replace(stage, inputs=inputs, outputs=outputs))
    return program


def test_planar_rows_are_what_their_readers_expect() -> None:
    for net in nets():
        assert net.violations() == ()


@pytest.mark.parametrize("changes", [{"row_bytes": -4}, {"ring_rows": -1}, {"offset": 2}])
def test_rows_in_the_wrong_place_are_found(changes: dict[str, int]) -> None:
    """Rows that overlap their neighbours, a ring one row short, words that are not aligned."""
    for net in nets():
        assert net.violations(damaged(net.program, **changes))


def planar_readers(net: Planned) -> list[Stage]:
    """The stages that read planar rows."""
    return [stage for _, stage in stages(net.program) if any(map(is_planar, stage.inputs))]


def with_other_kernel(net: Planned, node: int, planar: bool) -> Planned:
    """The same program, with another kernel at work at one node: the first that is (not) for planar rows."""
    choice = net.selection[node]
    other = next(c for c in (choice.chosen, *choice.rejected) if c.is_linked is planar)
    return replace(net, selection={**net.selection, node: Choice(other)})


def test_a_kernel_that_reads_other_rows_is_found() -> None:
    for net in nets():
        program = net.program
        for stage in planar_readers(net):
            wrong = with_other_kernel(net, stage.node, planar=False).violations(program)
            assert any("in planar rows" in violation for violation in wrong)


def test_a_kernel_that_writes_other_rows_is_found() -> None:
    for net in nets():
        program = net.program
        for _, stage in stages(program):
            if is_planar(stage.outputs[0]):
                assert with_other_kernel(net, stage.node, planar=False).violations(program)
