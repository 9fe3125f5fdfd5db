"""Planar rows: kernels that store them, and the depthwise convolution that reads them."""

from pathlib import Path

import pytest

from tests.kernels.operations import convolution, depthwise, image_for, window
from tests.kernels.runner import Case
from tests.kernels_asm.guarded import run_guarded
from tests.kernels_asm.test_depthwise import TAPS
from tests.kernels_asm.test_matrix_products import drawn
from tinycompile.assembly.matrix_shape import Weights
from tinycompile.board import load_board
from tinycompile.ops import Kernel, Operation
from tinycompile.ops._conv_2d_planar import PointwisePlanarAsm, WindowPlanarAsm
from tinycompile.ops._depthwise_planar_asm import DepthwisePlanarAsm

pytestmark = [pytest.mark.slow, pytest.mark.qemu, pytest.mark.needs("arm-none-eabi-gcc", "qemu-system-arm")]


def check(
    operations: list[Operation], kernel: Kernel, folder: Path, flags: tuple[str, ...] = ("-O2",)
) -> None:
    """Run the kernel; every output byte must be right, and no guard and no padding of a planar row touched."""
    board = load_board("m7")
    assert all(kernel.supports(operation, board) for operation in operations)
    cases = [
        Case(operation, kernel, kernel.granularities[0], image_for(operation, i))
        for i, operation in enumerate(operations)
    ]
    bad = [
        f"{cases[i // 2].operation.input(0).shape} {cases[i // 2].operation.input(1).shape}: {outcome}"
        for i, outcome in enumerate(run_guarded(cases, folder, flags))
        if (outcome.wrong, outcome.around_output, outcome.around_scratch) != (0, 0, 0)
    ]
    assert not bad, "\n".join(bad)


@pytest.mark.parametrize("taps", TAPS, ids=lambda taps: f"{taps[0]}x{taps[1]}")
def test_windows(taps: tuple[int, int], tmp_path: Path) -> None:
    """Strides 1 to 3, with and without padding, several draws of the numbers."""
    kinds = [
        (padding, stride)
        for padding in ("SAME", "VALID")
        for stride in ((1, 1), (2, 2), (1, 2), (2, 1), (1, 3))
    ]
    operations = [
        depthwise(
            (1, 14, 13 + (i + sum(taps)) % 6, 1 + (i + taps[1]) % 9), taps, window(padding, stride), drawn(i)
        )
        for i, (padding, stride) in enumerate(kinds)
    ]
    check(operations, DepthwisePlanarAsm(), tmp_path)


def test_widths(tmp_path: Path) -> None:
    """Every width from 1 to 40 with a 3x3 window, and widths around those that have a loop."""
    operations = [
        depthwise((1, 3, width, 1 + width % 7), (3, 3), window("SAME", (1, 1 + width % 2)), drawn(width))
        for width in (*range(1, 41), *range(62, 70), 95, 96, 130, 131, 200)
    ]
    operations += [
        depthwise((1, 4, width, 3), (3, taps), window(padding), drawn(width))
        for width in (65, 80, 112, 200)
        for taps in (1, 2, 5, 7)
        for padding in ("SAME", "VALID")
    ]
    check(operations, DepthwisePlanarAsm(), tmp_path)


def test_channels(tmp_path: Path) -> None:
    """Channel counts up to those at which only few outputs are near enough for an offset; several images."""
    counts = [*range(1, 12), 64, 143, 257, 1000]
    operations = [
        depthwise(
            (1 + channels % 2, 3, 18, channels), (3, 3), window("SAME", (stride, stride)), drawn(channels)
        )
        for channels in counts
        for stride in (1, 2)
    ]
    check(operations, DepthwisePlanarAsm(), tmp_path)


def test_rows_apart(tmp_path: Path) -> None:
    """Dilated rows, and windows higher than the image."""
    operations = [
        depthwise((1, height, 10, 5), (taps, 3), window("SAME", (1, 1), (dilation, 1)), drawn(height))
        for height, taps, dilation in [(9, 3, 2), (9, 2, 4), (2, 5, 1), (1, 3, 1), (12, 5, 3)]
    ]
    check(operations, DepthwisePlanarAsm(), tmp_path)


@pytest.mark.parametrize("weights", Weights)
def test_products(weights: Weights, tmp_path: Path) -> None:
    """1x1 convolutions: depths, channels of every tail, widths of every rest, groups of one, two and four pixels."""
    operations = [
        convolution((1, 2, width, depth), channels, numbers=drawn(width + depth))
        for width, depth, channels in [
            *((width, 8, 1 + width % 11) for width in range(2, 22)),
            *((12, depth, 9) for depth in (1, 2, 3, 5, 30, 97, 130, 200, 500)),
            *((9, 400, channels) for channels in (1, 2, 3, 8)),
            (5, 1100, 6), (40, 16, 143), (112, 4, 24), (96, 8, 40), (200, 8, 9),
        ]
    ]  # fmt: skip
    kernel = PointwisePlanarAsm(weights)
    taken = [operation for operation in operations if kernel.supports(operation, load_board("m7"))]
    assert len(taken) >= len(operations) - 5 * (
        weights is not Weights.INT16
    )  # weights of -128 are in no high half
    check(taken, kernel, tmp_path)


@pytest.mark.parametrize("weights", Weights)
def test_first_layers(weights: Weights, tmp_path: Path) -> None:
    """Windows of few input channels: strides, padding, widths of every rest."""
    operations = [
        convolution((1, 7, width, depth), channels, taps, window(padding, (stride, stride)), drawn(width))
        for width, depth, channels, taps, padding, stride in [
            *((width, 3, 8, (3, 3), "SAME", 2) for width in range(6, 24)),
            *((width, 1, 5, (5, 4), "VALID", 1) for width in range(6, 14)),
            (40, 3, 24, (3, 3), "SAME", 1), (112, 2, 9, (3, 3), "SAME", 2), (30, 20, 7, (2, 5), "SAME", 1),
        ]
    ]  # fmt: skip
    kernel = WindowPlanarAsm(weights)
    taken = [operation for operation in operations if kernel.supports(operation, load_board("m7"))]
    assert len(taken) >= len(operations) - 6 * (weights is not Weights.INT16)
    check(taken, kernel, tmp_path)


@pytest.mark.parametrize("level", ["-O0", "-Os", "-O3"])
def test_optimisation_levels(level: str, tmp_path: Path) -> None:
    """The kernels do not depend on what the compiler makes of the code around them."""
    check(
        [depthwise((1, 5, 20, 6), (3, 3), window("SAME"), drawn(0))], DepthwisePlanarAsm(), tmp_path, (level,)
    )
    check([convolution((1, 3, 11, 20), 13, numbers=drawn(0))], PointwisePlanarAsm(), tmp_path, (level,))
