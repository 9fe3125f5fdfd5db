"""Runs assembly kernels on the emulated Cortex-M7 between guards, many cases in one firmware.

Around output and scratch lie bytes that must keep their value. The input is placed twice: so that it ends where memory ends,
and so that it begins where memory begins; the emulator stops at an access outside. Its rows get every alignment on the way.
A kernel that may write over its input does so in the first of the two runs, as far behind its beginning as the planner goes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from pathlib import Path

import numpy as np

from tests.kernels.firmware import run_firmware
from tests.kernels.operations import image_index
from tests.kernels.runner import Case
from tinycompile.board import Board, load_board
from tinycompile.codegen.environment import c_array, environment
from tinycompile.ir import Tensor
from tinycompile.lowering.select import candidate_of
from tinycompile.ops import Operation, operator_of, planar_row_bytes, row_shape
from tinycompile.planning.overlap import kernel_overlaps
from tinycompile.program import C_TYPES, Granularity, KernelCode, Passing, RowFormat

GUARD_BYTES = 64
GUARD = 0xA5A5
"""Two guard bytes."""

_WARNINGS = ["-std=c99", "-Wall", "-Wextra", "-Werror", "-Wno-overlength-strings"]

_HEAD = """
#include "tc_types.h"
#include "semihosting.h"
#define MEMORY_BEGIN 0x60000000u
#define MEMORY_END 0x61000000u
#define GUARD_BYTES %d
#define GUARD 0xA5u
static uint8_t output[GUARD_BYTES + %d + GUARD_BYTES] __attribute__((aligned(4)));
static uint64_t scratch_words[(GUARD_BYTES + %d + GUARD_BYTES) / 8 + 2];
static uint8_t *const scratch = (uint8_t *)scratch_words + GUARD_BYTES;
static int8_t *const out = (int8_t *)output + GUARD_BYTES;
static void put_number(uint32_t value)
{
    char digits[12] = {0};
    int at = 11;
    digits[--at] = ' ';
    do {
        digits[--at] = (char)('0' + value %% 10);
        value /= 10;
    } while (value != 0);
    semihosting(SYS_WRITE0, digits + at);
}
static void *place(const void *image, uint32_t bytes, int at_end, uint32_t out_bytes, uint32_t scratch_bytes)
{
    memset(output, GUARD, GUARD_BYTES + out_bytes + GUARD_BYTES);
    memset(scratch - GUARD_BYTES, GUARD, GUARD_BYTES + scratch_bytes + GUARD_BYTES);
    return memcpy((void *)(at_end ? MEMORY_END - bytes : MEMORY_BEGIN), image, bytes);
}
static uint32_t touched(const uint8_t *guard)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < GUARD_BYTES; ++i) {
        count += guard[i] != GUARD;
    }
    return count;
}
static void report(uint32_t number, const void *expected, uint32_t out_bytes, uint32_t scratch_bytes)
{
    uint32_t wrong = 0;
    for (uint32_t i = 0; i < out_bytes; ++i) {
        wrong += out[i] != ((const int8_t *)expected)[i];
    }
    put_number(number);
    put_number(wrong);
    put_number(touched(output) + touched(output + GUARD_BYTES + out_bytes));
    put_number(touched(scratch - GUARD_BYTES) + touched(scratch + scratch_bytes));
    semihosting(SYS_WRITE0, "\\n");
}
"""


@dataclass(frozen=True)
class Outcome:
    """Output elements that differ, and guard bytes that were written around output and scratch."""

    wrong: int
    around_output: int
    around_scratch: int


def laid_out(image: np.ndarray, layout: RowFormat) -> np.ndarray:
    """An image as a kernel reads or writes it; what is no element of a planar row is as guards are."""
    if layout is RowFormat.INTERLEAVED:
        return image
    images, rows, columns, channels = image.shape
    planar = np.full((images * rows, channels, (columns + 1) // 2 * 2), GUARD, np.uint16).view(np.int16)
    planar[:, :, :columns] = image.reshape(-1, columns, channels).transpose(0, 2, 1)
    return planar


def run_guarded(
    cases: Sequence[Case], folder: Path, flags: Sequence[str] = ("-O2",), board: Board | None = None
) -> list[Outcome]:
    """Compile the cases for the Cortex-M7, or a board like it, and run them; two outcomes for each case.

    Fails when the emulator stops.
    """
    board = board or load_board("m7")
    code, text = run_firmware(_program(cases, board), folder, board, [*flags, *_WARNINGS])
    lines = [[int(word) for word in line.split()] for line in text.splitlines() if line.strip()[:1].isdigit()]
    assert code == 0, f"stopped behind case {len(lines) // 2}: {text[-300:]}"
    assert [line[0] for line in lines] == list(range(2 * len(cases)))
    return [Outcome(*line[1:]) for line in lines]


def _program(cases: Sequence[Case], board: Board) -> str:
    codes = [case.kernel.lower(case.operation, board, case.granularity) for case in cases]
    parts, headers = [], {name for code in codes for name in code.runtime if name.endswith(".h")}
    for number, (case, code) in enumerate(zip(cases, codes, strict=True)):
        assert code.scratch_bytes == case.kernel.scratch_bytes(case.operation, board)
        template = environment().get_template(f"kernels/{code.template}")
        parts += [template.render(fn=f"kernel_{number}", **code.parameters), _function(number, case, code)]
    out_bytes = max(prod(_row_bytes(case.operation.output, case.kernel.writes)) for case in cases)
    scratch_bytes = max(code.scratch_bytes for code in codes)
    calls = "\n".join(f"    case_{number}(0);\n    case_{number}(1);" for number in range(len(cases)))
    includes = "".join(f'#include "{name}"\n' for name in sorted(headers))
    head = includes + _HEAD % (GUARD_BYTES, out_bytes, scratch_bytes)
    return head + "\n".join(parts) + f"\nint main(void)\n{{\n{calls}\n    return 0;\n}}\n"


def _function(number: int, case: Case, code: KernelCode) -> str:
    """One case: its data and a function that places the input, calls the kernel and reports."""
    operation = case.operation
    index = image_index(operation)
    given = [case.image if i == index else None for i in range(len(operation.inputs))]
    (expected,) = operator_of(operation.node).evaluate(operation, given)
    constants = [(f"{constant.name}_{number}", constant) for constant in code.constants]
    image, wanted = laid_out(case.image, case.kernel.reads), laid_out(expected, case.kernel.writes)
    data = [_array(f"in_{number}", image, image.itemsize), _array(f"expected_{number}", wanted, 1)]
    data += [_array(name, constant.values, constant.align) for name, constant in constants]
    sizes = f"{wanted.nbytes}u, {code.scratch_bytes}u"
    tail = [
        *(name for name, _ in constants),
        *map(str, code.arguments),
        *(["row"] if code.takes_row else []),
        *(["scratch"] if code.scratch_bytes else []),
    ]
    return "\n".join(
        [
            *data,
            f"static void case_{number}(int at_end)",
            "{",
            f"    const int8_t *const in = place(in_{number}, {image.nbytes}u, at_end, {sizes});",
            _calls(number, case, code, tail),
            f"    report({2 * number}u + (uint32_t)at_end, expected_{number}, {sizes});",
            "}",
        ]
    )


def _calls(number: int, case: Case, code: KernelCode, tail: list[str]) -> str:
    operation = case.operation
    if code.granularity is Granularity.WHOLE:
        call = f"kernel_{number}({', '.join(['out', 'in', *tail])});"
        distance = _output_behind_input(case)
        return call if distance is None else _in_place(number, operation, tail, call, distance)
    rows, row_bytes = _row_bytes(operation.output, case.kernel.writes)
    index = image_index(operation)
    in_rows, in_row_bytes = _row_bytes(operation.input(index), case.kernel.reads)
    in_type, out_type = (
        "int16_t" if layout is RowFormat.PLANAR else "int8_t"
        for layout in (case.kernel.reads, case.kernel.writes)
    )
    access, images = operator_of(operation.node).access(operation, index), operation.images
    ((_, passing),) = code.inputs
    source = "rows" if passing is Passing.WINDOW else f"in + row * {in_row_bytes}"
    return f"""    for (int32_t row = 0; row < {rows}; ++row) {{
        const {in_type} *rows[{access.window_rows}];
        for (int32_t k = 0; k < {access.window_rows}; ++k) {{
            const int32_t window = (row % {rows // images} + {access.lead}) / {access.repeat};
            const int32_t y = window * {access.stride} - {access.pad_before} + k * {access.dilation};
            const int32_t at = row / {rows // images} * {in_rows // images} + y;
            rows[k] = y >= 0 && y < {in_rows // images} ? (const void *)(in + at * {in_row_bytes}) : NULL;
        }}
        (void)rows;
        kernel_{number}({", ".join([f"({out_type} *)(void *)(out + row * {row_bytes})", source, *tail])});
    }}"""


def _row_bytes(tensor: Tensor, layout: RowFormat) -> tuple[int, int]:
    """Rows of an int8 image, and the bytes of each."""
    rows, elements = row_shape(tensor.shape)
    return rows, elements if layout is RowFormat.INTERLEAVED else planar_row_bytes(tensor.shape)


def _output_behind_input(case: Case) -> int | None:
    """How far behind the input's first byte the planner may let the output begin, None when they must lie apart."""
    operation = case.operation
    candidate = candidate_of(case.kernel, operation, load_board("m7"))
    for overlap in kernel_overlaps(operation, candidate, (0,)):
        distance = 0 if overlap.exact else -overlap.lead_bytes
        if distance + operation.output.bytes <= operation.input(0).bytes:
            return distance
    return None


def _in_place(number: int, operation: Operation, tail: list[str], call: str, distance: int) -> str:
    return f"""    if (at_end) {{
        int8_t *const over = (int8_t *)(uintptr_t)in + {distance};
        kernel_{number}({", ".join(["over", "in", *tail])});
        memcpy(out, over, {operation.output.bytes});
    }} else {{
        {call}
    }}"""


def _array(name: str, values: np.ndarray, align: int) -> str:
    c_type = C_TYPES[values.dtype.name]
    return f"static const {c_type} {name}[{values.size}] __attribute__((aligned({align}))) = {{ {c_array(values)} }};"


def check_guarded(cases: Sequence[Case], folder: Path) -> None:
    """Run the cases; every output byte must be right, and no guard touched."""
    for index, outcome in enumerate(run_guarded(cases, folder)):
        found = (outcome.wrong, outcome.around_output, outcome.around_scratch)
        assert found == (0, 0, 0), f"{cases[index // 2].operation}: {outcome}"
