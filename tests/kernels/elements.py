"""Elementwise kernels on an emulated board: many small cases in one program, at every alignment, in place, between guards.

What is expected is what the operator's `evaluate` says, which the operator tests compare with TFLite.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from tests.kernels.firmware import run_firmware
from tinycompile.board import load_board
from tinycompile.codegen.environment import c_array, environment
from tinycompile.ir import Array
from tinycompile.ops import Kernel, Operation, operator_of
from tinycompile.program import Granularity

_WARNINGS = ["-std=c99", "-Wall", "-Wextra", "-Werror", "-Wno-unused-function", "-Wno-overlength-strings"]

_PROGRAM = """
#include "tc_types.h"
#include "tc_dsp.h"
#include "semihosting.h"
enum { GUARD = 32, MOST = 65536 };
static int8_t memory[3][GUARD + MOST + 8 + GUARD];
KERNELS
/* Operands so many bytes behind a word's beginning, and guards around everything. */
static __attribute__((noinline)) int8_t *place(int which, const int8_t *values, int elements, int lead)
{
    memset(memory[which], 0x5A, sizeof memory[which]);
    if (values != NULL) {
        memcpy(memory[which] + GUARD + lead, values, (size_t)elements);
    }
    return memory[which] + GUARD + lead;
}
/* The outputs, and no byte around them. */
static __attribute__((noinline)) void report(const int8_t *out, const int8_t *expected, int elements)
{
    int right = memcmp(out, expected, (size_t)elements) == 0;
    for (int i = 0; i < GUARD; ++i) {
        right &= out[-1 - i] == 0x5A && out[elements + i] == 0x5A;
    }
    semihosting(SYS_WRITE0, right ? "right\\n" : "wrong\\n");
}
int main(void)
{
    CALLS
    return 0;
}
"""


class ElementCases:
    """Collects kernels, arrays (each once) and calls. Operands and outputs have elements of one byte."""

    def __init__(self, board: str) -> None:
        self._board = board
        self._kernels: list[str] = []
        self._arrays: dict[bytes, str] = {}
        self._calls: list[str] = []

    def append(self, operation: Operation, kernel: Kernel, operands: Sequence[Array], lead: int = 0) -> None:
        """A case, apart and over each operand that the planner would write over.

        `operands` are flat; all begin at different alignments, the first one `lead` bytes behind a word's beginning.
        """
        code = kernel.lower(operation, load_board(self._board), Granularity.WHOLE)
        fn, operator = f"kernel_{len(self._kernels)}", operator_of(operation.node)
        template = environment().get_template(f"kernels/{code.template}")
        self._kernels.append(template.render(fn=fn, **code.parameters))
        shaped = [values.reshape(operation.input(i).shape) for i, values in enumerate(operands)]
        (expected,) = operator.evaluate(operation, shaped)
        names = [self._array(values) for values in operands]
        tail = [self._array(constant.values) for constant in code.constants]
        sources = ", ".join(
            [f"at[{index}]" for index, _ in code.inputs] + tail + list(map(str, code.arguments))
        )
        for target in (-1, *operator.overwrites(operation)):
            places = [
                f"place({i}, {name}, {operands[i].size}, {(lead + 3 * i) % 4})"
                for i, name in enumerate(names)
            ]
            places.append(f"place({len(names)}, NULL, 0, {(lead + 2) % 4})")
            out = f"at[{target % len(places)}]"
            self._calls.append(
                f"{{ void *const at[] = {{ {', '.join(places)} }}; {fn}({out}, {sources}); "
                f"report({out}, {self._array(expected)}, {expected.size}); }}"
            )

    def _array(self, values: Array) -> str:
        """The name of an array with these bytes."""
        return f"(const void *){self._arrays.setdefault(values.tobytes(), f'values_{len(self._arrays)}')}"

    def text(self) -> str:
        """The C program."""
        arrays = [
            f"static const int8_t {name}[] = {{ {c_array(np.frombuffer(values, np.int8))} }};"
            for values, name in self._arrays.items()
        ]
        text = _PROGRAM.replace("KERNELS", "\n".join(arrays + self._kernels))
        return text.replace("CALLS", "\n    ".join(self._calls))

    def run(self, folder: Path) -> None:
        """Compile and run; fails unless every byte is as expected and no guard has changed."""
        board = load_board(self._board)
        code, printed = run_firmware(self.text(), folder, board, [*board.cflags, *_WARNINGS])
        assert code == 0, printed[-300:]
        lines = printed.split()
        assert len(lines) == len(self._calls) > 0
        assert [number for number, line in enumerate(lines) if line != "right"] == []
