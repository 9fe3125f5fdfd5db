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


def test_more_taps_than_an_int16_takes() -> None:
    """Sums of 257 bytes are for the kernel with int32 sums."""
    board = load_board("m7")
    assert KERNELS["AVERAGE_POOL_2D"].supports(
        pool("AVERAGE_POOL_2D", (1, 16, 16, 4), (16, 16), window("VALID")), board
    )
    assert not KERNELS["AVERAGE_POOL_2D"].supports(
        pool("AVERAGE_POOL_2D", (1, 17, 16, 4), (17, 16), window("VALID")), board
    )
