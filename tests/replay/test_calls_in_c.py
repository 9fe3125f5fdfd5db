"""What the replay executes is what the C does: every call of compiled random networks, with every pointer."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.planning.test_generated_code import FLAGS, compile_random
from tests.state.models import MODELS
from tests.support.calls import calls_through
from tflite_support.builder import Builder, Spec
from tinycompile.codegen.environment import environment
from tinycompile.driver import compile_model
from tinycompile.plan import InputMode
from tinycompile.program import Passing, Program, Space, Stage
from tinycompile.replay.control import calls_of
from tinycompile.replay.memory import ARENA, STATE
from tinycompile.replay.pointers import Pointer, pointer, window

SEEDS = 12

_HEAD = """
#include <stdarg.h>
#include <stdio.h>

static void note(const ${p.name}_context *ctx, const void *data)
{
    const uint8_t *const at = data, *const arena = ctx->arena;
//% if p.state_bytes
    const uint8_t *const state = ctx->state;
    if (at >= state && at < state + ${p.state_bytes}) {
        printf(" state+%d", (int)(at - state));
        return;
    }
//% endif
//% for port in p.inputs if port.space.value == "input"
    if (at >= (const uint8_t *)ctx->input_${port.index} && at < (const uint8_t *)ctx->input_${port.index} + ${port.bytes}) {
        printf(" input ${port.index}+%d", (int)(at - (const uint8_t *)ctx->input_${port.index}));
        return;
    }
//% endfor
    if (at == NULL) {
        printf(" NULL");
    } else if (at >= arena && at < arena + ${p.arena_bytes}) {
        printf(" arena+%d", (int)(at - arena));
    } else {
        printf(" elsewhere");
    }
}

//% for rows in windows
static void call_${loop.index0}(const ${p.name}_context *ctx, ...)
{
    va_list operands;
    va_start(operands, ctx);
    printf("${loop.index0}:");
//% for count in rows
//% if count
    {
        const void *const *window = va_arg(operands, const void *const *);
        for (int i = 0; i < ${count}; ++i) {
            note(ctx, window[i]);
        }
    }
//% else
    note(ctx, va_arg(operands, const void *));
//% endif
//% endfor
    printf("\\n");
    va_end(operands);
}
#define NOTED_${loop.index0}(...) (call_${loop.index0}(ctx, __VA_ARGS__), ${functions[loop.index0]}(__VA_ARGS__))
//% endfor

"""

_MAIN = """
#include <stdlib.h>
#include <string.h>
#include "${p.name}.h"

//% if p.options.input == "rows"
static void read_row(void *user, int32_t row, void *data)
{
    (void)user;
    (void)row;
    (void)data;
}
//% endif

int main(void)
{
    uint8_t *arena = malloc(${p.arena_bytes}), *state = malloc(${p.state_bytes + 1});
    ${p.name}_context context;
    if (${p.name}_init(&context, arena, state) != TC_OK) {
        return 1;
    }
//% for port in p.inputs
//% if port.space.value == "input"
    ${p.name}_set_input_${port.index}(&context, calloc(1, ${port.bytes}));
//% elif port.space.value == "source"
    ${p.name}_set_rows_${port.index}(&context, read_row, NULL);
//% else
    memset(${p.name}_input_${port.index}(&context), 0, ${port.bytes});
//% endif
//% endfor
    return ${p.name}_invoke(&context) != TC_OK;
}
"""


def traced(program: Program, folder: Path) -> list[str]:
    """Build the program so that it prints each call with its pointers, and run it."""
    stages = [stage for region in program.regions for stage in region.stages]
    notes = (
        environment()
        .from_string(_HEAD)
        .render(
            p=program,
            windows=[[window_rows(stage, i) for i in range(operands(stage))] for stage in stages],
            functions=[stage.function for stage in stages],
        )
    )
    main = environment().from_string(_MAIN).render(p=program)
    for path, text in {**calls_through(program, "NOTED_", notes), "main.c": main}.items():
        (folder / path).write_text(text, encoding="utf-8")
    sources = sorted(path.name for path in folder.glob("*.c"))
    subprocess.run(["gcc", *FLAGS, "-o", "trace", *sources, "-lm"], cwd=folder, check=True)
    done = subprocess.run(["./trace"], cwd=folder, capture_output=True, text=True, timeout=60, check=True)
    return done.stdout.splitlines()


def operands(stage: Stage) -> int:
    """Outputs and inputs, which come first in the C signature."""
    return len(stage.outputs) + len(stage.inputs)


def window_rows(stage: Stage, position: int) -> int:
    """Pointers of an operand that is a window, else 0."""
    operand = (*stage.outputs, *stage.inputs)[position]
    return operand.window_rows if operand.passing is Passing.WINDOW else 0


def replayed(program: Program) -> Iterator[str]:
    """The same lines, as the replay sees it."""
    first = 0
    for region in program.regions:
        for position, row in calls_of(region):
            yield f"{first + position}:" + "".join(pointers(region.stages[position], row))
        first += len(region.stages)


def pointers(stage: Stage, row: int) -> Iterator[str]:
    """Every pointer of a call."""
    for operand in (*stage.outputs, *stage.inputs):
        if operand.space is Space.SOURCE:
            yield " elsewhere"
        elif operand.passing is Passing.WINDOW:
            yield from map(shown, window(stage, operand, row))
        else:
            yield shown(pointer(operand, row))


def shown(at: Pointer | None) -> str:
    """A pointer as the program prints it."""
    if at is None:
        return " NULL"
    known = at.block in (ARENA, STATE) or at.block.name.startswith("input ")
    return f" {at.block.name}+{at.address}" if known else " elsewhere"


def check(program: Program, folder: Path) -> list[str]:
    """Both lists of calls are equal."""
    found = traced(program, folder)
    assert found == list(replayed(program))
    return found


@pytest.mark.slow
@pytest.mark.needs("gcc")
@pytest.mark.parametrize("inputs", list(InputMode))
def test_random_networks(inputs: InputMode, tmp_path: Path) -> None:
    lines = []
    for seed in range(SEEDS):
        _, program = compile_random(seed, "ram", inputs)
        folder = tmp_path / str(seed)
        folder.mkdir()
        lines += check(program, folder)
    assert any("NULL" in line for line in lines)
    assert any("input 0+" in line for line in lines) is (inputs is InputMode.CONST)


@pytest.mark.needs("gcc")
@pytest.mark.parametrize("name", ["mixed_windows", "two_stages", "window_padded_stride_2"])
def test_streaming_models(name: str, tmp_path: Path) -> None:
    """Windows of which some rows lie in the state, others in the arena."""
    program = compile_model(MODELS[name], board="host", name=name, optimize="ram").program
    assert any("state+" in line and "arena+" in line for line in check(program, tmp_path))


@pytest.mark.needs("gcc")
@pytest.mark.parametrize("optimize", ["speed", "ram"])
def test_a_batch(optimize: str, tmp_path: Path) -> None:
    """A window reaches over no border between images."""
    program = compile_model(batch(), board="host", name="batch", optimize=optimize).program
    lines = check(program, tmp_path)
    assert sum("NULL" in line for line in lines) >= 2 * 3, "the first and the last row of three images"


def batch() -> bytes:
    """Three images of five rows, two convolutions, the second one with a stride."""
    rng = np.random.default_rng(8)
    builder = Builder()
    x = builder.input((3, 5, 4, 2), "int8", 0.5, 4)
    for rows, columns, stride in ((5, 4, 1), (3, 2, 2)):
        weights = builder.const(rng.integers(-127, 128, (2, 3, 3, 2)).astype(np.int8), 0.004)
        bias = builder.const(np.zeros(2, np.int32), 0.002)
        spec = Spec((3, rows, columns, 2), "int8", 0.5, 4)
        x = builder.op("CONV_2D", [x, weights, bias], spec, padding="SAME", stride_h=stride, stride_w=stride)
    return builder.finish([0], [x])
