"""Runs kernels outside of a model: many cases in one C program, on the host (with sanitizers) or on an emulated board.

A case is an operation, a kernel and an input; the expected output is what the operator's `evaluate` says, which the operator
tests compare with TFLite. Each case has buffers of its own, so that the address sanitizer sees every access outside of them.
"""

import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tests.kernels.firmware import run_firmware
from tinycompile.board import Board, load_board
from tinycompile.codegen.environment import c_array, environment
from tinycompile.ops import Kernel, Operation, operator_of, row_shape
from tinycompile.program import C_TYPES, Granularity, KernelCode, Passing
from tinycompile.resources import runtime_dir

_HOST_FLAGS = ["-O0", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
_WARNINGS = ["-std=c99", "-Wall", "-Wextra", "-Werror", "-Wno-unused-function"]

_PROGRAM = """
#include "tc_types.h"
${includes}
#ifdef __arm__
#include "semihosting.h"
static void put(const char *text) { semihosting(SYS_WRITE0, text); }
static uint32_t ticks(void) { return ~*(volatile uint32_t *)0x40000004u; }
static void start(void)
{
    *(volatile uint32_t *)0x40000008u = 0xffffffffu;
    *(volatile uint32_t *)0x40000004u = 0xffffffffu;
    *(volatile uint32_t *)0x40000000u = 1u;
}
#else
#include <stdio.h>
static void put(const char *text) { fputs(text, stdout); }
static uint32_t ticks(void) { return 0; }
static void start(void) {}
#endif
static void put_number(uint32_t value)
{
    char digits[12] = {0};
    int at = 11;
    do {
        digits[--at] = (char)('0' + value % 10);
        value /= 10;
    } while (value != 0);
    put(digits + at);
    put(" ");
}
${kernels}
${data}
static const int8_t *row_of(const int8_t *in, int32_t y, int32_t image, int32_t height, int32_t row_bytes)
{
    return y >= 0 && y < height ? in + (image * height + y) * row_bytes : NULL;
}
static void report(uint32_t number, const int8_t *out, const int8_t *expected, int32_t count, uint32_t elapsed)
{
    uint32_t wrong = 0;
    for (int32_t i = 0; i < count; ++i) {
        wrong += out[i] != expected[i];
    }
    put_number(number);
    put_number(wrong);
    put_number(elapsed);
    put("\\n");
}
int main(void)
{
    (void)row_of;
    start();
${calls}
    return 0;
}
"""


@dataclass(frozen=True, eq=False)
class Case:
    """One run of one kernel; `image` is the value of input 0.

    With `lead_bytes` (and WHOLE) input and output share a buffer, in which the output starts so many bytes before the input.
    """

    operation: Operation
    kernel: Kernel
    granularity: Granularity
    image: np.ndarray
    lead_bytes: int | None = None


@dataclass(frozen=True)
class Outcome:
    """What a case gave: output elements that differ, and the timer's ticks (0 on the host)."""

    wrong: int
    ticks: int


def run_on_host(cases: Sequence[Case], folder: Path, optimise: Sequence[str] = _HOST_FLAGS) -> list[Outcome]:
    """Compile and run with the host's compiler; DSP kernels use the portable bodies of tc_dsp.h."""
    source = folder / "cases.c"
    source.write_text(c_program(cases, load_board("m7")), encoding="utf-8")
    program = folder / "cases"
    command = ["cc", *_WARNINGS, *optimise, f"-I{runtime_dir()}", str(source), "-o", str(program), "-lm"]
    subprocess.run(command, check=True, timeout=600)
    done = subprocess.run([str(program)], check=True, timeout=600, capture_output=True, text=True)
    return _outcomes(done.stdout)


def run_on_board(
    cases: Sequence[Case], folder: Path, name: str = "m7", flags: Sequence[str] = ()
) -> list[Outcome]:
    """Compile for a board and run on its emulator; ticks times 0.625 are instructions (25 MHz, 64 ns each)."""
    board = load_board(name)
    options = ["-icount", "shift=6,sleep=off"]
    code, text = run_firmware(
        c_program(cases, board), folder, board, [*(flags or board.cflags), *_WARNINGS], options
    )
    assert code == 0, text[-300:]
    return _outcomes(text)


def _outcomes(text: str) -> list[Outcome]:
    lines = [line.split() for line in text.splitlines() if line.strip()]
    assert [int(line[0]) for line in lines] == list(range(len(lines))), text[-500:]
    return [Outcome(int(line[1]), int(line[2])) for line in lines]


def c_program(cases: Sequence[Case], board: Board) -> str:
    """The whole test program."""
    codes = [case.kernel.lower(case.operation, board, case.granularity) for case in cases]
    kernels, data, calls = [], [], []
    for number, (case, code) in enumerate(zip(cases, codes, strict=True)):
        assert code.scratch_bytes == case.kernel.scratch_bytes(case.operation, board)
        template = environment().get_template(f"kernels/{code.template}")
        kernels.append(template.render(fn=f"kernel_{number}", **code.parameters))
        data.append(_data(number, case, code))
        calls.append(_calls(number, case, code))
    headers = sorted({name for code in codes for name in code.runtime if name.endswith(".h")})
    parts = {
        "includes": "\n".join(f'#include "{name}"' for name in headers),
        "kernels": "\n".join(kernels),
        "data": "\n".join(data),
        "calls": "\n".join(calls),
    }
    text = _PROGRAM
    for name, part in parts.items():
        text = text.replace("${" + name + "}", part)
    return text


def _data(number: int, case: Case, code: KernelCode) -> str:
    """Buffers and constants of a case as C arrays."""
    operation = case.operation
    (expected,) = operator_of(operation.node).evaluate(
        operation, [case.image, *[None] * (len(operation.inputs) - 1)]
    )
    lines = [
        _array(f"in_{number}", case.image),
        _array(f"expected_{number}", expected),
        f"static int8_t out_{number}[{expected.size}];",
    ]
    if case.lead_bytes is not None:
        offsets = max(case.lead_bytes, 0), max(-case.lead_bytes, 0)
        shared = max(offsets[0] + case.image.size, offsets[1] + expected.size)
        lines.append(f"static int8_t shared_{number}[{shared}];")
    if code.scratch_bytes:
        lines.append(f"static uint64_t scratch_{number}[{(code.scratch_bytes + 7) // 8}];")
    for constant in code.constants:
        lines.append(_array(f"{constant.name}_{number}", constant.values, constant.align))
    return "\n".join(lines)


def _array(name: str, values: np.ndarray, align: int = 1) -> str:
    c_type = C_TYPES[values.dtype.name]
    return f"static const {c_type} {name}[{values.size}] __attribute__((aligned({align}))) = {{ {c_array(values)} }};"


def _calls(number: int, case: Case, code: KernelCode) -> str:
    """One call, or one for each output row with its window of row pointers."""
    operation = case.operation
    constants = [f"{constant.name}_{number}" for constant in code.constants]
    tail = [*constants, *map(str, code.arguments)]
    report = (
        f"report({number}u, out_{number}, expected_{number}, {operation.output.elements}, ticks() - begin);"
    )
    scratch = [f"scratch_{number}"] if code.scratch_bytes else []
    if case.lead_bytes is not None:
        source = f"shared_{number} + {max(case.lead_bytes, 0)}"
        target = f"shared_{number} + {max(-case.lead_bytes, 0)}"
        arguments = ", ".join([target, source, *tail, *scratch])
        prepare = f"memcpy({source}, in_{number}, sizeof in_{number}); (void)out_{number};"
        report = report.replace(f"out_{number},", f"{target},")
        return f"    {{ {prepare} const uint32_t begin = ticks(); kernel_{number}({arguments}); {report} }}"
    if code.granularity is Granularity.WHOLE:
        arguments = ", ".join([f"out_{number}", f"in_{number}", *tail, *scratch])
        return f"    {{ const uint32_t begin = ticks(); kernel_{number}({arguments}); {report} }}"
    rows, row_bytes = row_shape(operation.output.shape)
    in_rows, in_row_bytes = row_shape(operation.input(0).shape)
    images, ((_, passing),) = operation.images, code.inputs
    access = operator_of(operation.node).access(operation, 0)
    taps = access.window_rows
    source = "rows" if passing is Passing.WINDOW else f"in_{number} + row * {in_row_bytes}"
    out = f"out_{number} + row * {row_bytes}"
    if (
        case.kernel.reads is not case.kernel.writes
    ):  # such programs are compiled only; see tests/kernels_asm/guarded.py
        source, out = f"(const void *)({source})", f"(void *)({out})"
    arguments = ", ".join([out, source, *tail, *(["row"] if code.takes_row else []), *scratch])
    return f"""    {{
        const uint32_t begin = ticks();
        for (int32_t row = 0; row < {rows}; ++row) {{
            const int8_t *rows[{taps}];
            for (int32_t k = 0; k < {taps}; ++k) {{
                const int32_t y = row % {rows // images} * {access.stride} - {access.pad_before} + k * {access.dilation};
                rows[k] = row_of(in_{number}, y, row / {rows // images}, {in_rows // images}, {in_row_bytes});
            }}
            (void)rows;
            kernel_{number}({arguments});
        }}
        {report}
    }}"""
