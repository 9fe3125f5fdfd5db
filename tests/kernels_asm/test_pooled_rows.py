"""Rows of pooling in assembly between guards: windows with and without a loop, borders, tails of channels, far offsets, clamps.

What the emulator is not needed for: means of all sums, and where the kernels are offered.
"""

from pathlib import Path

import numpy as np
import pytest

from tests.kernels.operations import image_for, pool, window
from tests.kernels.runner import Case
from tests.kernels_asm.guarded import check_guarded
from tinycompile.assembly.pool_folds import MEAN_OFFSET, mean_factor
from tinycompile.board import load_board
from tinycompile.ops import Kernel, Operation
from tinycompile.ops._pool_asm import AveragePoolAsm, MaxPoolAsm
from tinycompile.ops._window import PaddingMode, Pads, WindowOptions
from tinycompile.program import Granularity
from tinycompile.quant import Activation

KERNELS: dict[str, Kernel] = {"AVERAGE_POOL_2D": AveragePoolAsm(), "MAX_POOL_2D": MaxPoolAsm()}
NONE, RELU, RELU6, BOTH = Activation.NONE, Activation.RELU, Activation.RELU6, Activation.RELU_N1_TO_1
_SHIFTED = WindowOptions(PaddingMode.VALID, 1, 1, pads=Pads(2, 0, 2, 1))
SHAPES = [
    ((1, 4, 24, 4), (2, 2), window("VALID", (2, 2)), NONE), ((2, 5, 9, 5), (2, 2), window("SAME", (2, 2)), RELU),
    ((1, 5, 11, 7), (2, 2), window("SAME"), RELU6), ((1, 5, 17, 6), (3, 3), window("SAME"), NONE),
    ((1, 4, 6, 9), (3, 3), window("SAME"), BOTH), ((1, 7, 26, 8), (3, 3), window("SAME", (2, 2)), NONE),
    ((2, 8, 9, 13), (3, 3), window("SAME", (2, 2)), RELU), ((1, 5, 12, 8), (3, 3), window("VALID"), RELU),
    ((1, 7, 19, 4), (3, 3), window("VALID", (2, 2)), NONE), ((1, 6, 14, 4), (3, 3), window("VALID", (3, 3)), NONE),
    ((1, 5, 14, 4), (2, 2), window("VALID", (3, 3)), RELU6), ((1, 2, 3, 5), (3, 3), window("SAME"), NONE),
    ((1, 1, 1, 4), (3, 3), window("SAME"), NONE), ((1, 1, 7, 6), (1, 2), window("SAME"), NONE),
    ((1, 4, 7, 6), (2, 1), window("SAME", (2, 1)), NONE), ((1, 3, 14, 4), (1, 4), window("SAME"), NONE),
    ((1, 5, 20, 4), (4, 4), window("SAME", (2, 2)), NONE),
    ((1, 3, 9, 4), (1, 7), window("SAME", (1, 5)), NONE), ((1, 3, 5, 2051), (2, 3), window("SAME"), NONE),
    ((1, 3, 12, 514), (3, 3), window("SAME", (1, 2)), NONE), ((1, 2, 3, 4100), (2, 2), window("VALID"), NONE),
    ((1, 4, 9, 4), (3, 3), _SHIFTED, NONE), ((1, 4, 9, 4), (1, 1), window("VALID", (2, 2)), RELU),
]  # fmt: skip
DEEP = [
    ((1, 9, 13, 5), (5, 5), window("SAME"), RELU6), ((1, 7, 23, 4), (3, 5), window("SAME", (2, 2)), NONE),
    ((1, 3, 12, 4), (2, 4), window("SAME"), NONE),
]  # fmt: skip
"""Windows that maxima alone have the registers for."""


def _operations(kind: str) -> list[Operation]:
    shapes = SHAPES + (DEEP if kind == "MAX_POOL_2D" else [])
    return [pool(kind, *shape, zero_point=7 * i - 60) for i, shape in enumerate(shapes)]


@pytest.mark.slow
@pytest.mark.qemu
@pytest.mark.needs("arm-none-eabi-gcc", "qemu-system-arm")
@pytest.mark.parametrize("kind", KERNELS)
def test_between_guards(kind: str, tmp_path: Path) -> None:
    """Random images; and of one extreme value, whose sums are the greatest."""
    board, kernel = load_board("m7"), KERNELS[kind]
    operations = _operations(kind)
    assert all(kernel.supports(operation, board) for operation in operations)
    cases = [Case(o, kernel, Granularity.ROW, image_for(o, i)) for i, o in enumerate(operations)]
    for value in (-128, 127):
        extreme = np.full(operations[4].input(0).shape, value, np.int8)
        cases.append(Case(operations[4], kernel, Granularity.ROW, extreme))
    check_guarded(cases, tmp_path)


def test_means_of_all_sums() -> None:
    """The upper half of every product, less 128, is the quotient, ties away from zero; few elements are doubled."""
    for count in range(3, 257):
        assert mean_factor(count) < 1 << 31
        sums = np.arange(-128 * count, 127 * count + 1)
        means = ((mean_factor(count) * sums >> 16) + MEAN_OFFSET >> 16) - 128
        expected = np.sign(sums) * ((np.abs(sums) + count // 2) // count)
        assert (means == expected).all(), count


def test_where_they_are_offered() -> None:
    """Windows for whose parts there are registers, of int8 with four channels, on processors with the DSP extension."""
    m7 = load_board("m7")
    for kind, kernel in KERNELS.items():
        whole = pool(kind, (1, 6, 8, 4), (3, 3))
        assert kernel.supports(whole, m7)
        assert not kernel.supports(whole, load_board("host"))
        assert not kernel.supports(pool(kind, (1, 6, 8, 3), (3, 3)), m7)
        assert not kernel.supports(pool(kind, (1, 9, 9, 4), (9, 9)), m7)
        assert kernel.supports(pool(kind, (1, 9, 9, 4), (5, 5)), m7) == (kind == "MAX_POOL_2D")
