"""Generated C in which each call of a kernel may touch only what the program says: its operands and its scratch.

Before a call everything else in the arena is poisoned for the address sanitizer. What may be touched is read from the
program that is printed (pointers of the call, rows and bytes of its operands), not from the planner. The sanitizer knows
eight bytes at a time: an access below a span is seen when it is eight bytes away or more, one behind it always.
"""

from tests.support.calls import calls_through
from tinycompile.codegen.environment import environment
from tinycompile.program import Granularity, Operand, Passing, Program, Stage

_GUARDS = """
/* ---- guards: what a call may touch ---- */
#include <sanitizer/asan_interface.h>
#include <stdarg.h>

static void allow(uint8_t *arena, const void *data, size_t bytes)
{
    const uintptr_t start = (uintptr_t)arena, address = (uintptr_t)data;
    if (address >= start && address < start + ${p.arena_bytes}u) {
        __asan_unpoison_memory_region(data, bytes);
    }
}

//% for guard in guards
/* Layer ${guard.layer}. */
static void guard_${loop.index0}(uint8_t *arena, ...)
{
    va_list operands;
    __asan_poison_memory_region(arena, ${p.arena_bytes}u);
    va_start(operands, arena);
//% for bytes, rows in guard.operands
//% if rows
    {
        const void *const *rows = va_arg(operands, const void *const *);
        for (int i = 0; i < ${rows}; ++i) {
            allow(arena, rows[i], ${bytes}u);
        }
    }
//% else
    allow(arena, va_arg(operands, const void *), ${bytes}u);
//% endif
//% endfor
    va_end(operands);
//% if guard.scratch is not none
    allow(arena, arena + ${guard.scratch}, ${guard.scratch_bytes}u);
//% endif
}
#define CHECKED_${loop.index0}(...) (guard_${loop.index0}(arena, __VA_ARGS__), ${guard.function}(__VA_ARGS__))
//% endfor

"""


def instrumented(program: Program, *, short: dict[int, int] | None = None) -> dict[str, str]:
    """The generated files with a guard before each call.

    `short` maps the position of a stage to bytes by which its first input is declared too short: for tests of the guards.
    """
    stages = [stage for region in program.regions for stage in region.stages]
    guards = [_guard(program, stage, (short or {}).get(index, 0)) for index, stage in enumerate(stages)]
    text = environment().from_string(_GUARDS).render(p=program, guards=guards)
    return calls_through(program, "CHECKED_", text)


def _guard(program: Program, stage: Stage, short_bytes: int) -> dict[str, object]:
    """Bytes of each pointer of a call, in the order of the C signature; rows of pointers for windows."""
    inputs = [(_bytes(operand), _window_rows(operand)) for operand in stage.inputs]
    if inputs:
        inputs[0] = (max(inputs[0][0] - short_bytes, 0), inputs[0][1])
    scratch_bytes = program.layers[stage.layer].scratch_bytes
    assert stage.granularity is not Granularity.ACCUMULATE or stage.scratch_offset is not None
    return {
        "layer": stage.layer,
        "function": stage.function,
        "operands": [*((_bytes(operand), 0) for operand in stage.outputs), *inputs],
        "scratch": stage.scratch_offset,
        "scratch_bytes": scratch_bytes,
    }


def _bytes(operand: Operand) -> int:
    """What lies behind one pointer."""
    return operand.row_bytes if operand.by_row or operand.passing is Passing.WINDOW else operand.bytes


def _window_rows(operand: Operand) -> int:
    return operand.window_rows if operand.passing is Passing.WINDOW else 0
