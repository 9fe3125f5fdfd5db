"""Winograd's F(2x2, 3x3): the transform itself, and the kernel for every tail of rows and columns."""

from pathlib import Path

import numpy as np
import pytest

from tests.kernels.operations import convolution, window
from tests.kernels_asm.test_matrix_products import DRAWS, check, drawn
from tinycompile.board import load_board
from tinycompile.ops._asm_scaling import WINOGRAD_SCALE, transformed_weights
from tinycompile.ops._conv_2d_dsp import convolution_channels
from tinycompile.ops._conv_2d_winograd import WinogradAsm


def test_products_of_transforms_are_four_times_the_convolution() -> None:
    """A' [U * (B' d B)] A of random tiles, computed with the matrices of the paper."""
    operation = convolution((1, 4, 4, 8), 4, (3, 3), window("VALID"), drawn(3))
    weights = convolution_channels(operation).weights.astype(np.int64).reshape(4, 3, 3, 8)
    tile = np.random.default_rng(5).integers(-128, 128, (4, 4, 8))
    b = np.array([[1, 0, -1, 0], [0, 1, 1, 0], [0, -1, 1, 0], [0, 1, 0, -1]])
    a = np.array([[1, 1, 1, 0], [0, 1, -1, -1]])
    u = transformed_weights(convolution_channels(operation)).reshape(4, 4, 4, 8)
    v = np.einsum("ia,abc,jb->ijc", b, tile, b)
    made = np.einsum("ri,oijc,ijc,sj->rso", a, u, v, a)
    direct = np.stack(
        [[(weights * tile[y : y + 3, x : x + 3]).sum(axis=(1, 2, 3)) for x in range(2)] for y in range(2)]
    )
    assert (made == WINOGRAD_SCALE * direct).all()


def test_only_what_has_the_form_is_taken() -> None:
    """Other windows, strides and depths are for other kernels."""
    kernel, board = WinogradAsm(), load_board("m7")
    good = convolution((1, 6, 7, 8), 8, (3, 3), window("SAME"))
    assert kernel.supports(good, board) and not kernel.supports(good, load_board("host"))
    for bad in (
        convolution((1, 6, 7, 8), 8, (3, 3), window("SAME", (2, 1))),
        convolution((1, 9, 9, 8), 8, (3, 3), window("SAME", (1, 1), (2, 2))),
        convolution((1, 6, 7, 8), 8, (3, 2), window("SAME")),
        convolution((1, 6, 7, 10), 8, (3, 3), window("SAME")),
        convolution((1, 6, 7, 8), 7, (3, 3), window("SAME")),
        convolution((1, 3, 7, 8), 8, (3, 3), window("VALID")),
        convolution((1, 7, 1, 8), 8, (3, 3), window("SAME")),
        convolution((1, 6, 7, 16), 8, (3, 3), window("SAME"), groups=2),
    ):
        assert not kernel.supports(bad, board)


@pytest.mark.slow
@pytest.mark.qemu
@pytest.mark.needs("arm-none-eabi-gcc", "qemu-system-arm")
@pytest.mark.parametrize("draw", range(len(DRAWS)))
def test_rows_and_columns(draw: int, tmp_path: Path) -> None:
    """Every tail of rows and columns, groups of 4, 2 and 1 tiles, one image and two, every form of requantization."""
    sizes = [(2, 2), (3, 4), (4, 8), (5, 9), (2, 11), (7, 3), (3, 16), (6, 13)]
    operations = [
        convolution(
            (1 + i % 2, rows, columns, (8, 12, 16)[(i + draw) % 3]),
            8,
            (3, 3),
            window("SAME"),
            drawn(draw + 8 * i),
        )
        for i, (rows, columns) in enumerate(sizes)
    ]
    operations += [convolution((1, 5, 6 + draw, 8), 2, (3, 3), window("VALID"), drawn(draw))]
    assert "winograd_asm" in {case.kernel.name for case in check(operations, tmp_path)}


@pytest.mark.slow
@pytest.mark.qemu
@pytest.mark.needs("arm-none-eabi-gcc", "qemu-system-arm")
def test_deep_and_wide(tmp_path: Path) -> None:
    """Depths that unroll fewer positions, an output row that no offset spans, and images with the smallest groups."""
    operations = [
        convolution((1, 4, 8, 32), 6, (3, 3), window("SAME"), drawn(1)),
        convolution((1, 3, 9, 64), 4, (3, 3), window("SAME"), drawn(0)),
        convolution((1, 2, 4, 104), 4, (3, 3), window("SAME"), drawn(5)),
        convolution((1, 3, 66, 8), 64, (3, 3), window("SAME"), drawn(3)),
        convolution((1, 3, 2, 20), 16, (3, 3), window("SAME"), drawn(4)),
    ]
    cases = check(operations, tmp_path)
    assert sum(case.kernel.name == "winograd_asm" for case in cases) == len(operations)


@pytest.mark.slow
@pytest.mark.qemu
@pytest.mark.needs("arm-none-eabi-gcc", "qemu-system-arm")
@pytest.mark.parametrize("flags", ["-O0", "-Os", "-O3", "-O2 -flto"])
def test_optimisation_levels(flags: str, tmp_path: Path) -> None:
    """The kernel does not depend on what the compiler makes of the code around it."""
    check(
        [convolution((1, 5, 9, 8), 4, (3, 3), window("SAME"), drawn(i)) for i in range(2)],
        tmp_path,
        tuple(flags.split()),
    )
