"""QUANTIZE of floats: constants in place of a division, their proof, and the kernels at every threshold."""

import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from tests.kernels.firmware import run_firmware
from tinycompile.board import load_board
from tinycompile.codegen.environment import c_array, environment
from tinycompile.ir import DType, Node, Quantization, Tensor
from tinycompile.ops import Operation, QuantizeLookupAttributes, operator_of
from tinycompile.program import C_TYPES, Granularity
from tinycompile.quant.float_scale import (
    FloatScale,
    float_scale,
    fused_multiply_add,
    is_exact,
    threshold_points,
)
from tinycompile.resources import runtime_dir

SCALES = [float(np.float32(s)) for s in (1 / 255, 1 / 127.5, 1 / 128, 0.05, 0.0321, 0.7, 1.0, 300.0, 3e-6)]
_WARNINGS = ["-std=c99", "-Wall", "-Wextra", "-Werror", "-Wno-unused-function", "-Wno-overlength-strings"]


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("least", [-255, -128, -1, 0])
def test_constants_are_found_and_round_as_the_division(scale: float, least: int) -> None:
    """At random floats and around products of the scale with halves, by exact arithmetic."""
    found = float_scale(scale, least, least + 255)
    assert found is not None
    rng = np.random.default_rng(5)
    near = (np.arange(least - 1, least + 257) + 0.5) * scale
    values = np.concatenate([near * (1 + step * 2.0**-24) for step in range(-3, 4)]).astype(np.float32)
    values = np.concatenate([values, rng.normal(0, 80 * scale, 300).astype(np.float32)])
    for value, product in zip(values, found.apply(values), strict=True):
        exact = Fraction(float(value)) / Fraction(scale)
        quotient = np.float32(value / np.float32(scale))
        assert abs(Fraction(float(quotient)) - exact) <= Fraction(float(np.spacing(abs(quotient)))) / 2
        assert _limited(product, least) == _limited(quotient, least), value


def _limited(value: np.float32, least: int) -> int:
    """Rounded with ties away from zero, in exact arithmetic."""
    exact = Fraction(float(value))
    rounded = int(abs(exact) + Fraction(1, 2)) * (1 if exact > 0 else -1)
    return min(max(rounded, least), least + 255)


def test_thresholds_are_where_the_integer_changes() -> None:
    scale = SCALES[3]
    points = threshold_points(scale, -100, 100)[:-2].reshape(2, -1)
    assert (np.nextafter(points[0], np.float32(-np.inf)) == points[1]).all()
    quotients = (points / np.float32(scale)).astype(np.float64)
    rounded = np.trunc(quotients + np.copysign(0.5, quotients))
    assert (rounded[0] == np.arange(-99, 101)).all() and (rounded[1] == np.arange(-100, 100)).all()


@pytest.mark.parametrize("scale", [s for s in SCALES if s not in (1 / 128, 1.0, 300.0)])
def test_wrong_constants_are_refused(scale: float) -> None:
    """The nearest float of 1 / scale alone, its neighbours, and a correction with the wrong sign or of double size."""
    found = float_scale(scale, -128, 127)
    assert found is not None and found.low != 0.0 and is_exact(found, scale, -128, 127)
    up = float(np.nextafter(np.float32(found.high), np.float32(np.inf)))
    wrong = [
        (found.high, 0.0),
        (up, 0.0),
        (up, found.low),
        (found.high, -found.low),
        (-found.high, found.low),
    ]
    for high, low in wrong:
        assert not is_exact(FloatScale(high, low), scale, -128, 127)
    assert not is_exact(found, float(np.nextafter(np.float32(scale), np.float32(1))), -128, 127)


def test_a_correction_as_large_as_the_factor_is_refused() -> None:
    """Such a sum need not grow with its operand: comparing thresholds would prove nothing."""
    assert not is_exact(FloatScale(0.5, 0.5), 1.0, -128, 127)


def test_scales_with_products_beyond_floats_are_refused() -> None:
    assert float_scale(float(np.float32(1e-8)), -128, 127) is None
    assert float_scale(float(np.float32(1e30)), -128, 127) is None


def test_fused_multiply_add_rounds_once() -> None:
    rng = np.random.default_rng(3)
    values = rng.normal(0, 1, 4000).astype(np.float32)
    factor = np.float32(127.49999)
    # Addends that bring many sums to the middle between two floats, and just beside it.
    exact = values.astype(np.float64) * np.float64(factor)
    middle = exact.astype(np.float32).astype(np.float64) + np.spacing(exact.astype(np.float32)) / 2
    addends = (middle - exact).astype(np.float32)
    for value, addend, found in zip(
        values, addends, fused_multiply_add(values, factor, addends), strict=True
    ):
        total = Fraction(float(value)) * Fraction(float(factor)) + Fraction(float(addend))
        around = [found, np.nextafter(found, np.float32(np.inf)), np.nextafter(found, np.float32(-np.inf))]
        distances = [abs(Fraction(float(other)) - total) for other in around]
        assert distances[0] == min(distances)
        if distances.count(distances[0]) > 1:
            assert int(np.array([found]).view(np.uint32)[0]) % 2 == 0


@dataclass(frozen=True)
class Example:
    """One QUANTIZE, or a QUANTIZE_LOOKUP when there is a table."""

    scale: float
    zero_point: int
    dtype: DType = DType.INT8
    table: tuple[int, ...] = ()

    def values(self) -> np.ndarray:
        """All thresholds and the floats below them, zeros and the least floats."""
        low, high = self.dtype.limits
        points = threshold_points(self.scale, low - self.zero_point, high - self.zero_point)
        tiny = np.array([0.0, -0.0, 1e-45, -1e-45, 1e-38, -1e-38], np.float32)
        points = np.concatenate([points[: -2 : 1 + len(points) // 1200], tiny])
        rng = np.random.default_rng(7)
        return rng.permutation(points)

    def operation(self, elements: int) -> Operation:
        source = Tensor(0, "x", (1, 1, 1, elements), DType.FLOAT32)
        output = Tensor(
            1, "y", (1, 1, 1, elements), self.dtype, Quantization((self.scale,), (self.zero_point,))
        )
        node = Node(0, "QUANTIZE", "quantize", (0,), (1,))
        if self.table:
            attributes = QuantizeLookupAttributes(self.scale, self.zero_point, -128, 127, self.table)
            node = Node(0, "QUANTIZE_LOOKUP", "quantize", (0,), (1,), attributes)
        return Operation(node, (source,), (output,))


def _table(seed: int) -> tuple[int, ...]:
    return tuple(np.random.default_rng(seed).integers(-128, 128, 256).tolist())


EXAMPLES = [
    *(Example(scale, zero_point) for scale in SCALES for zero_point in (-128, -1, 0, 127)),
    *(Example(scale, zero_point, DType.UINT8) for scale in SCALES[:3] for zero_point in (0, 128, 255)),
    *(
        Example(scale, zero_point, DType.INT16)
        for scale in (SCALES[3], 1.0)
        for zero_point in (0, -32768, 99)
    ),
    *(Example(scale, zero_point, table=_table(3)) for scale in SCALES[1:4] for zero_point in (-128, 5, 127)),
    Example(SCALES[0], -128, table=tuple(range(-128, 128))),  # as numbers of another scale: no table is left
    Example(SCALES[0], -100, table=tuple(max(-128, n - 20) for n in range(-128, 128))),
    Example(SCALES[0], -100, table=tuple(min(127, n + 20) for n in range(-128, 128))),
]


def program(kernel: str, board: str, examples: Sequence[Example] = EXAMPLES) -> str:
    """A program that prints a line for each run: all values of an example, a short run, and runs with odd floats."""
    kernels, calls = [], []
    for example in examples:
        values = example.values()
        odd = values[:100].copy()
        odd[[3, 50, 99]] = np.nan, np.inf, -np.inf
        large = values[:100].copy()
        large[[4, 60]] = 3e38, -3e38
        short = [values[:count] for count in range(8, 24)] if example.scale == SCALES[3] else []
        for given in (values, odd, -np.abs(odd), large, *short):
            _append(kernels, calls, example, given, kernel, board)
    return _PROGRAM.replace("KERNELS", "\n".join(kernels)).replace("CALLS", "\n".join(calls))


def _append(
    kernels: list[str], calls: list[str], example: Example, values: np.ndarray, name: str, board: str
) -> None:
    number, operation = len(calls), example.operation(len(values))
    operator, target = operator_of(operation.node), load_board(board)
    kernel = next(k for k in operator.kernels_for(operation) if k.name == name)
    if not kernel.supports(operation, target):
        assert board == "m4" and example.dtype is DType.INT16 and example.zero_point != 0
        return
    code = kernel.lower(operation, target, Granularity.WHOLE)
    (expected,) = operator.evaluate(operation, [values])
    template = environment().get_template(f"kernels/{code.template}")
    c_type = C_TYPES[example.dtype.value]
    constants = [f"table_{number}" for _ in code.constants]
    kernels.append(template.render(fn=f"kernel_{number}", **code.parameters))
    kernels += [
        f"static const {c_type} table_{number}[] = {{ {c_array(constant.values)} }};"
        for constant in code.constants
    ]
    kernels.append(f"static const uint32_t in_{number}[] = {{ {c_array(values.view(np.uint32))} }};")
    kernels.append(f"static const {c_type} expected_{number}[] = {{ {c_array(expected.reshape(-1))} }};")
    arguments = ", ".join([f"({c_type} *)begin({number})", f"(const float *)in_{number}", *constants])
    done = "1"
    if name == "float_asm" and np.abs(values).max() < 1e5 * example.scale:
        centre = [f"{constant} + 256" for constant in constants]
        end = f"(const float *)in_{number} + {len(values) // 8 * 8}"
        done = f"kernel_{number}_blocks({', '.join([*arguments.split(', ')[:2], end, *centre])}) == 0"
    calls.append(
        f"{{ const int fast = {done}; kernel_{number}({arguments}); "
        f"report(expected_{number}, (int)sizeof expected_{number}, fast); }}"
    )


_PROGRAM = """
#include "tc_types.h"
#include "tc_math.h"
#ifdef __arm__
#include "semihosting.h"
static void put(const char *text) { semihosting(SYS_WRITE0, text); }
#else
#include <stdio.h>
static void put(const char *text) { fputs(text, stdout); }
#endif
static uint64_t memory[1024];
static uint8_t *begin(int number)
{
    (void)number;
    memset(memory, 0xA5, sizeof memory);
    return (uint8_t *)memory + 64;
}
/* `fast`: the assembly does all blocks without the division that stands by. */
static void report(const void *expected, int bytes, int fast)
{
    const uint8_t *all = (const uint8_t *)memory;
    int guards = 1;
    for (int i = 0; i < (int)sizeof memory; ++i) {
        guards &= (i >= 64 && i < 64 + bytes) || all[i] == 0xA5;
    }
    put(memcmp(all + 64, expected, (size_t)bytes) != 0 ? "wrong\\n" : !guards ? "outside\\n" : fast ? "right\\n" : "slow\\n");
}
KERNELS
int main(void)
{
    CALLS
    return 0;
}
"""


def _check(text: str) -> None:
    lines = text.split()
    assert len(lines) > 4 * len(EXAMPLES)
    assert [number for number, line in enumerate(lines) if line != "right"] == []


@pytest.mark.slow
def test_division_on_the_host(tmp_path: Path) -> None:
    """What boards without FPU get, under the sanitizers."""
    source, executable = tmp_path / "cases.c", tmp_path / "cases"
    source.write_text(program("float", "host"), encoding="utf-8")
    command = ["cc", *_WARNINGS, "-O1", "-ffp-contract=off", "-fsanitize=address,undefined"]
    command += ["-fno-sanitize-recover=all", "-fno-strict-aliasing", f"-I{runtime_dir()}", str(source)]
    subprocess.run([*command, "-o", str(executable)], check=True, timeout=600)
    done = subprocess.run([str(executable)], check=True, timeout=600, capture_output=True, text=True)
    _check(done.stdout)


@pytest.mark.slow
@pytest.mark.qemu
@pytest.mark.parametrize("name", ["m7", "m4", "m33"])
def test_products_on_boards(name: str, tmp_path: Path) -> None:
    """All thresholds with their neighbours; FPUs with and without rounding of ties away from zero."""
    board = load_board(name)
    flags = [*board.cflags, *_WARNINGS, "-fno-strict-aliasing"]
    code, text = run_firmware(program("float_asm", name), tmp_path, board, flags)
    assert code == 0, text[-300:]
    _check(text)


def test_a_table_that_only_adds_needs_no_memory() -> None:
    """Levels under another scale. A table that adds 20 ends before the levels do, so a sum would not saturate where it does."""
    operations = [example.operation(16) for example in EXAMPLES if example.table]
    kernels = [
        operator_of(o.node).kernels_for(o)[1].lower(o, load_board("m7"), Granularity.WHOLE)
        for o in operations
    ]
    assert [len(code.constants) for code in kernels] == [1] * 9 + [0, 1, 1]


def test_short_rows_and_boards_without_instructions_divide() -> None:
    operation = Example(SCALES[0], 0).operation(7)
    names = [
        {k.name for k in operator_of(o.node).kernels_for(o) if k.supports(o, load_board(board))}
        for o, board in ((operation, "m7"), (Example(SCALES[0], 0).operation(8), "host"))
    ]
    assert names == [{"float"}, {"float"}]
