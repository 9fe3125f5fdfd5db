"""Strassen's matrix product: the seven products themselves, and the kernel with every tail of pixels."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.kernels.operations import convolution, window
from tests.kernels_asm.test_matrix_products import DRAWS, check, drawn
from tinycompile.board import load_board
from tinycompile.ops._asm_scaling import scaling, strassen_factors, strassen_scaling
from tinycompile.ops._conv_2d_dsp import convolution_channels
from tinycompile.ops._conv_2d_strassen import PointwiseStrassen, RowsStrassen
from tinycompile.program import Granularity
from tinycompile.quant import Multiplier

_WHOLE = Granularity.WHOLE


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
    """Four pixels, eight channels, no window; any depth from 12 on."""
    kernel, board = PointwiseStrassen(least_width=0), load_board("m7")
    for good in ((1, 2, 2, 40), 8), ((1, 2, 3, 37), 12), ((1, 4, 1, 12), 9):
        assert kernel.supports(convolution(*good, numbers=drawn(1)), board)
    assert not PointwiseStrassen().supports(convolution((1, 2, 2, 40), 8, numbers=drawn(1)), board)
    assert PointwiseStrassen().supports(convolution((1, 2, 2, 40), 96, numbers=drawn(1)), board)
    whole_rows = convolution((1, 2, 4, 40), 8, numbers=drawn(1))
    assert not kernel.supports(whole_rows, board) and RowsStrassen(least_width=0).supports(whole_rows, board)
    for bad in (
        convolution((1, 2, 2, 8), 8, numbers=drawn(1)),
        convolution((1, 2, 2, 40), 7, numbers=drawn(1)),
        convolution((1, 1, 3, 40), 8, numbers=drawn(1)),
        convolution((1, 4, 4, 40), 8, (3, 3), window("SAME"), drawn(1)),
        convolution((1, 4, 4, 40), 8, (1, 1), window("SAME", (2, 2)), drawn(1)),
    ):
        assert not kernel.supports(bad, board)


def test_a_constant_channel_needs_no_constants_of_its_own() -> None:
    """A channel without weights and with a bias near the end of int32 leaves the scale of its neighbour alone."""
    numbers = drawn(1)
    channels = convolution_channels(convolution((1, 2, 2, 40), 8, numbers=numbers))
    weights, bias = channels.weights.copy(), channels.bias.copy()
    weights[3], bias[3] = 0, 1 << 30
    multipliers = (*channels.multipliers[:3], Multiplier(1_623_261_288, -23), *channels.multipliers[4:])
    changed = replace(channels, weights=weights, bias=bias, multipliers=multipliers)
    small = replace(changed, bias=np.where(np.arange(8) == 3, 0, bias))
    plain, made = strassen_scaling(small), strassen_scaling(changed)
    assert plain is not None and made is not None
    assert made.how == plain.how and (made.scale == plain.scale).all() and made.scale[2] == made.scale[3]
    for packed in (False, True):
        assert scaling(changed, packed) is not None


@pytest.mark.slow
@pytest.mark.qemu
@pytest.mark.needs("arm-none-eabi-gcc", "qemu-system-arm")
@pytest.mark.parametrize("draw", range(len(DRAWS)))
def test_pixels_and_depths(draw: int, tmp_path: Path) -> None:
    """Every tail of pixels, depth and channels, loops over depth and words, products printed once or seven times, every
    form of requantization.
    """
    shapes = [
        (1, 4, 32, 8),
        (1, 5, 40, 16),
        (3, 2, 48, 8),
        (1, 7, 64, 24),
        (2, 8, 72, 8),
        (1, 6, 136, 8),
        (1, 4, 168, 16),
        (1, 5, 13, 8),
        (2, 4, 23, 16),
        (1, 9, 143, 24),
        (1, 8, 24, 143),
        (1, 6, 96, 9),
        (1, 8, 104, 13),
        (1, 4, 16, 31),
        (1, 7, 400, 11),
    ]
    operations = [
        convolution((1, rows, columns, depth), channels, numbers=drawn(draw + 8 * i))
        for i, (rows, columns, depth, channels) in enumerate(shapes)
    ]
    cases = check(operations, tmp_path)
    assert sum(isinstance(c.kernel, PointwiseStrassen) and c.granularity is _WHOLE for c in cases) == len(
        operations
    )


@pytest.mark.slow
@pytest.mark.qemu
@pytest.mark.needs("arm-none-eabi-gcc", "qemu-system-arm")
def test_deep_and_wide(tmp_path: Path) -> None:
    """The largest depth and number of channels whose offsets fit."""
    operations = [
        convolution((1, 1, 6, 960), 8, numbers=drawn(1)),
        convolution((1, 1, 5, 32), 1360, numbers=drawn(0)),
        convolution((2, 3, 3, 256), 32, numbers=drawn(5)),
    ]
    cases = check(operations, tmp_path)
    assert sum(isinstance(c.kernel, PointwiseStrassen) and c.granularity is _WHOLE for c in cases) == len(
        operations
    )
