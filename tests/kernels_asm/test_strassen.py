"""Strassen's matrix product: the seven products themselves, and the kernel with every tail of pixels."""

from pathlib import Path

import numpy as np
import pytest

from tests.kernels.operations import convolution, window
from tests.kernels_asm.test_matrix_products import DRAWS, check, drawn
from tinycompile.board import load_board
from tinycompile.ops._asm_scaling import strassen_factors
from tinycompile.ops._conv_2d_dsp import convolution_channels
from tinycompile.ops._conv_2d_strassen import PointwiseStrassen


def test_seven_products_make_the_matrix_product() -> None:
    """The sums of the paper's form, with the right factors that are stored."""
    channels = convolution_channels(convolution((1, 2, 2, 16), 8, numbers=drawn(3)))
    a = np.random.default_rng(5).integers(-128, 128, (4, 16))
    a11, a12, a21, a22 = a[:2, :8], a[:2, 8:], a[2:, :8], a[2:, 8:]
    s1 = a21 + a22
    s2, s3 = s1 - a11, a11 - a21
    left = {"S1": s1, "S2": s2, "S3": s3, "S4": a12 - s2, "A11": a11, "A12": a12, "A22": a22}
    p = {name: left[name] @ factor.T for name, factor in strassen_factors(channels).items()}
    u2 = p["A11"] + p["S2"]
    u4 = u2 + p["S1"]
    direct = a @ channels.weights.astype(np.int64).T
    assert (p["A11"] + p["A12"] == direct[:2, 0::2]).all() and (u4 + p["S4"] == direct[:2, 1::2]).all()
    assert (u2 + p["S3"] + p["A22"] == direct[2:, 0::2]).all() and (u4 + p["S3"] == direct[2:, 1::2]).all()


def test_only_what_has_the_form_is_taken() -> None:
    """Channels in eights, four pixels, no window."""
    kernel, board = PointwiseStrassen(), load_board("m7")
    assert kernel.supports(convolution((1, 2, 2, 40), 8, numbers=drawn(1)), board)
    for bad in (
        convolution((1, 2, 2, 36), 8, numbers=drawn(1)),
        convolution((1, 2, 2, 40), 12, numbers=drawn(1)),
        convolution((1, 1, 3, 40), 8, numbers=drawn(1)),
        convolution((1, 4, 4, 40), 8, (3, 3), window("SAME"), drawn(1)),
        convolution((1, 4, 4, 40), 8, (1, 1), window("SAME", (2, 2)), drawn(1)),
    ):
        assert not kernel.supports(bad, board)


@pytest.mark.slow
@pytest.mark.qemu
@pytest.mark.needs("arm-none-eabi-gcc", "qemu-system-arm")
@pytest.mark.parametrize("draw", range(len(DRAWS)))
def test_pixels_and_depths(draw: int, tmp_path: Path) -> None:
    """Every tail of pixels, loops over depth and words, one block and several, every form of requantization."""
    shapes = [
        (1, 4, 32, 8),
        (1, 5, 40, 16),
        (3, 2, 48, 8),
        (1, 7, 64, 24),
        (2, 8, 72, 8),
        (1, 6, 136, 8),
        (1, 4, 168, 16),
    ]
    operations = [
        convolution((1, rows, columns, depth), channels, numbers=drawn(draw + 8 * i))
        for i, (rows, columns, depth, channels) in enumerate(shapes)
    ]
    assert "strassen_asm" in {case.kernel.name for case in check(operations, tmp_path)}


@pytest.mark.slow
@pytest.mark.qemu
@pytest.mark.needs("arm-none-eabi-gcc", "qemu-system-arm")
def test_deep_and_wide(tmp_path: Path) -> None:
    """The largest depth and number of channels whose offsets fit."""
    operations = [
        convolution((1, 1, 6, 960), 8, numbers=drawn(1)),
        convolution((1, 1, 5, 32), 1016, numbers=drawn(0)),
        convolution((2, 3, 3, 256), 32, numbers=drawn(5)),
    ]
    cases = check(operations, tmp_path)
    assert sum(case.kernel.name == "strassen_asm" for case in cases) == len(operations)
