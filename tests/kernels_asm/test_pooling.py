"""Pooling four channels in a word between guards: windows, borders, tails of channels, clamps, sums at both ends of int16."""

from pathlib import Path

import numpy as np
import pytest

from tests.kernels.operations import image_for, pool, window
from tests.kernels.runner import Case
from tests.kernels_asm.guarded import run_guarded
from tinycompile.board import load_board
from tinycompile.ops import Kernel
from tinycompile.ops._pool_dsp import AveragePoolDsp, MaxPoolDsp
from tinycompile.program import Granularity
from tinycompile.quant import Activation

pytestmark = [pytest.mark.slow, pytest.mark.qemu, pytest.mark.needs("arm-none-eabi-gcc", "qemu-system-arm")]

KERNELS: dict[str, Kernel] = {"AVERAGE_POOL_2D": AveragePoolDsp(), "MAX_POOL_2D": MaxPoolDsp()}
WINDOWS = [
    ((2, 2), window("VALID", (2, 2))), ((3, 3), window("SAME")), ((3, 3), window("SAME", (2, 2))),
    ((2, 2), window("SAME", (2, 2))), ((5, 5), window("SAME")), ((3, 3), window("VALID", (2, 3))), ((4, 7), window("SAME")),
    ((1, 5), window("VALID")), ((5, 1), window("SAME", (3, 1))), ((2, 9), window("VALID", (1, 2))),
    ((6, 10), window("VALID")),
]  # fmt: skip


@pytest.mark.parametrize("kind", KERNELS)
def test_windows_and_channels(kind: str, tmp_path: Path) -> None:
    operations = [
        pool(kind, (1 + i % 2, 6, 10, channels), taps, options, list(Activation)[channels % 4], channels - 20)
        for i, (taps, options) in enumerate(WINDOWS)
        for channels in (*range(4, 10), 16, 31)
    ]
    board, kernel = load_board("m7"), KERNELS[kind]
    assert all(kernel.supports(operation, board) for operation in operations)
    cases = [Case(o, kernel, Granularity.ROW, image_for(o, i)) for i, o in enumerate(operations)]
    largest = pool(kind, (1, 16, 16, 5), (16, 16), window("VALID"))
    for value in (-128, 127):
        extreme = np.full(largest.input(0).shape, value, np.int8)
        cases.append(Case(largest, kernel, Granularity.ROW, extreme))
    for index, outcome in enumerate(run_guarded(cases, tmp_path)):
        found = (outcome.wrong, outcome.around_output, outcome.around_scratch)
        assert found == (0, 0, 0), f"{cases[index // 2].operation}: {outcome}"


def test_sums_that_no_int16_takes(tmp_path: Path) -> None:
    """A row of 256 columns fits; all rows of a window are added in int32 when they have more taps."""
    board, kernel = load_board("m7"), KERNELS["AVERAGE_POOL_2D"]
    operations = [
        pool("AVERAGE_POOL_2D", (1, rows, columns, 5), (rows, columns), window("VALID"))
        for rows, columns in ((17, 16), (2, 256), (1, 256), (30, 9), (40, 7))
    ]
    wide = pool("AVERAGE_POOL_2D", (1, 2, 257, 5), (2, 257), window("VALID"))
    assert all(kernel.supports(operation, board) for operation in operations)
    assert not kernel.supports(wide, board)
    images = [(o, np.full(o.input(0).shape, value, np.int8)) for o in operations for value in (-128, 127)]
    images += [(operation, image_for(operation)) for operation in operations]
    cases = [Case(operation, kernel, Granularity.ROW, image) for operation, image in images]
    for index, outcome in enumerate(run_guarded(cases, tmp_path)):
        assert (outcome.wrong, outcome.around_output) == (0, 0), f"{cases[index // 2].operation}: {outcome}"


def test_means_of_all_sums() -> None:
    """What SMLAWB and SSAT make of every sum of up to 256 bytes is the quotient, ties away from zero."""
    for count in range(1, 257):
        sums = np.arange(-128 * count, 127 * count + 1)
        means = ((((1 << 30) // count + 1) * sums >> 16) + (1 << 13)) >> 14
        expected = np.sign(sums) * ((np.abs(sums) + count // 2) // count)
        assert (means == expected).all(), count
