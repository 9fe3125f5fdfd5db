"""ADD and SUB of int8 by SMLAWB: the sums that are found, their proof, and the kernel for all pairs of operands."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.kernels.firmware import run_firmware
from tinycompile.board import load_board
from tinycompile.codegen.environment import c_array, environment
from tinycompile.ir import Array, DType, Node, Quantization, Tensor
from tinycompile.ops import Operation, operator_of
from tinycompile.ops._addition import lanes_of, scaled_sum
from tinycompile.ops._fused import FusedAttributes
from tinycompile.ops._lane_sums import LaneSum, LaneSumKernel, is_exact, lane_sum
from tinycompile.program import Granularity
from tinycompile.quant import Activation

_WARNINGS = ["-std=c99", "-Wall", "-Wextra", "-Werror", "-Wno-unused-function", "-Wno-overlength-strings"]
_OPERANDS = np.arange(-128, 128, dtype=np.int64)

SUMS = [
    ("ADD", (0.0371, 0.0249), 0.0383, (-3, 5, 7)),
    ("SUB", (0.0371, 0.0249), 0.0383, (-128, 127, -9)),
    ("ADD", (0.05, 0.05), 0.1, (-3, -3, 0)),  # ties everywhere
    ("ADD", (0.02, 0.05), 0.0245, (10, -20, -128)),
    ("SUB", (1.0, 0.0004), 1.0, (0, 0, 0)),
    ("ADD", (0.031, 0.029), 0.003, (1, 2, 3)),  # most outputs saturate
    ("ADD", (0.0371, 0.0249), 0.0383, (-3, 5, -20), Activation.RELU),
    ("SUB", (0.0371, 0.0249), 0.0783, (-3, 5, 7), Activation.RELU6),
]


def _operation(
    kind: str,
    scales: tuple[float, float],
    result: float,
    zero_points: tuple[int, int, int],
    activation: Activation = Activation.NONE,
    elements: int = 64,
) -> Operation:
    numbers = zip((*scales, result), zero_points, strict=True)
    tensors = [
        Tensor(
            index,
            f"t{index}",
            (1, 1, 1, elements),
            DType.INT8,
            Quantization((float(np.float32(scale)),), (zero_point,)),
        )
        for index, (scale, zero_point) in enumerate(numbers)
    ]
    node = Node(0, kind, kind.lower(), (0, 1), (2,), FusedAttributes(activation))
    return Operation(node, (tensors[0], tensors[1]), (tensors[2],))


def _outputs(operation: Operation) -> Array:
    return scaled_sum(operation).apply(_OPERANDS[:, None], _OPERANDS[None, :])


@pytest.mark.parametrize("example", SUMS)
def test_a_sum_that_is_found_gives_all_outputs(example: tuple) -> None:
    """Computed here once more, step by step as the instructions do, in 32 bits."""
    operation = _operation(*example)
    found = lanes_of(operation)
    assert found is not None
    first, second = ((np.int64(factor) * (_OPERANDS * 256)) >> 16 for factor in (found.first, found.second))
    one = first + found.offset
    both = one[:, None] + second[None, :]
    for values in (np.array([found.first, found.second, found.offset]), one, both):
        assert values.min() >= -(1 << 31) and values.max() < 1 << 31
    assert (np.clip(both >> found.shift, *scaled_sum(operation).bounds) == _outputs(operation)).all()


def test_wrong_sums_are_refused() -> None:
    """Factors a little off, another offset or shift, and numbers that leave 32 bits."""
    operation = _operation(*SUMS[0])
    found, outputs = lanes_of(operation), _outputs(operation)
    assert found is not None and is_exact(found, outputs)
    half = 1 << (found.shift - 1)
    wrong = [
        replace(found, first=found.first + (1 << 18)),
        replace(found, second=found.second - (1 << 18)),
        replace(found, offset=found.offset + half),
        replace(found, offset=found.offset - half),
        replace(found, shift=found.shift - 1),
        replace(found, first=found.second, second=found.first),
    ]
    assert not any(is_exact(sum_, outputs) for sum_ in wrong)
    wrapped = LaneSum(found.first + (1 << 32), found.second, found.offset, found.shift)
    assert not wrapped.fits() and not replace(found, bounds=(-128, 0), offset=(1 << 31) - (1 << 24)).fits()
    assert not replace(found, offset=(1 << 31) - 1).fits()


def test_outputs_that_no_sum_gives() -> None:
    """A staircase that falls, and one with a single output that is off."""
    outputs = _outputs(_operation(*SUMS[0]))
    assert lane_sum((0.97, 0.65), -outputs) is None
    changed = outputs.copy()
    changed[128, 128] += 2
    assert lane_sum(scaled_sum(_operation(*SUMS[0])).factors, changed) is None


def test_where_it_is_offered() -> None:
    """Not on the host, not for rows of less than a word."""
    offered = [
        any(
            isinstance(k, LaneSumKernel) and k.supports(o, load_board(board))
            for k in operator_of(o.node).kernels
        )
        for o, board in (
            (_operation(*SUMS[0]), "m7"),
            (_operation(*SUMS[0]), "host"),
            (_operation(*SUMS[6]), "m7"),
            (_operation(*SUMS[0], elements=3), "m7"),
        )
    ]
    assert offered == [True, False, True, False]


_PROGRAM = """
#include "tc_types.h"
#include "tc_dsp.h"
#include "semihosting.h"
static int8_t first[65536], second[65536], out[65536 + 64];
enum { APART, OVER_FIRST, OVER_SECOND };
KERNELS
static void fill(int elements, int start)
{
    for (int i = 0; i < elements; ++i) {
        first[i] = (int8_t)((start + i) >> 8);
        second[i] = (int8_t)(start + i);
    }
    memset(out, 0x5A, sizeof out);
}
/* The outputs, and no byte around them. */
static void report(const int8_t *from, const int8_t *expected, int elements)
{
    int right = memcmp(from, expected, (size_t)elements) == 0;
    for (int i = 0; i < 32; ++i) {
        right &= out[i] == 0x5A && (from != out + 32 || out[32 + elements + i] == 0x5A);
    }
    semihosting(SYS_WRITE0, right ? "right\\n" : "wrong\\n");
}
int main(void)
{
    CALLS
    return 0;
}
"""


def program(board: str, sums: Sequence[tuple] = SUMS) -> str:
    """All pairs apart and over each operand; then short runs from odd addresses."""
    kernels, calls = [], []
    for number, example in enumerate(sums):
        outputs = _outputs(_operation(*example)).astype(np.int8).reshape(-1)
        # The pair with index n has operands n >> 8 and n, both as bytes.
        order = np.arange(65536)
        expected = outputs[((order >> 8) ^ 128) * 256 + ((order & 255) ^ 128)]
        kernels.append(f"static const int8_t expected_{number}[65536] = {{ {c_array(expected)} }};")
        for elements in (65536, *((*range(4, 40), 300) if number in (0, 3, 6) else ())):
            _append(kernels, calls, example, number, elements, board)
    return _PROGRAM.replace("KERNELS", "\n".join(kernels)).replace("CALLS", "\n    ".join(calls))


def _append(
    kernels: list[str], calls: list[str], example: tuple, number: int, elements: int, board: str
) -> None:
    operation = _operation(*example, elements=elements)
    (kernel,) = (k for k in operator_of(operation.node).kernels if isinstance(k, LaneSumKernel))
    assert kernel.supports(operation, load_board(board))
    code = kernel.lower(operation, load_board(board), Granularity.WHOLE)
    fn = f"kernel_{number}_{elements}"
    kernels.append(environment().get_template(f"kernels/{code.template}").render(fn=fn, **code.parameters))
    arguments = ", ".join(map(str, code.arguments))
    for target in ("out + 32", "first", "second"):
        start = 0 if elements == 65536 else 40000
        calls.append(
            f"fill({elements}, {start}); {fn}({target}, first, second, {arguments}); "
            f"report({target}, expected_{number} + {start}, {elements});"
        )
    if elements < 40:  # elements from an odd address on
        moved = ", ".join(map(str, code.arguments))
        calls.append(
            f"fill({elements + 3}, 777); {fn}(out + 32, first + 1, second + 1, {moved}); "
            f"report(out + 32, expected_{number} + 778, {elements});"
        )


@pytest.mark.slow
@pytest.mark.qemu
@pytest.mark.parametrize("name", ["m7", "m4", "m33"])
def test_all_pairs_on_boards(name: str, tmp_path: Path) -> None:
    """Every pair of operands, every number of elements around the blocks, in place on each operand."""
    board = load_board(name)
    code, text = run_firmware(program(name), tmp_path, board, [*board.cflags, *_WARNINGS])
    assert code == 0, text[-300:]
    lines = text.split()
    assert len(lines) == 3 * len(SUMS) + 3 * (36 * 4 + 3)
    assert [number for number, line in enumerate(lines) if line != "right"] == []
