"""Depthwise convolution in assembly: windows of all kinds, strides, tails of width and channels, borders."""

from pathlib import Path

import pytest

from tests.kernels.operations import depthwise, image_for, window
from tests.kernels.runner import Case
from tests.kernels_asm.guarded import run_guarded
from tests.kernels_asm.test_matrix_products import drawn
from tinycompile.board import load_board
from tinycompile.ops import Operation
from tinycompile.ops._depthwise_asm import DepthwiseAsm
from tinycompile.ops._depthwise_planes_asm import DepthwisePlanesAsm

pytestmark = [pytest.mark.slow, pytest.mark.qemu, pytest.mark.needs("arm-none-eabi-gcc", "qemu-system-arm")]

TAPS = [
    (3, 3),
    (5, 5),
    (7, 7),
    (1, 3),
    (1, 5),
    (1, 2),
    (1, 4),
    (3, 1),
    (5, 1),
    (4, 1),
    (2, 2),
    (10, 4),
    (13, 1),
    (1, 1),
]


def check(
    operations: list[Operation], folder: Path, flags: tuple[str, ...] = ("-O2",), planes: int | None = None
) -> None:
    """Run the kernels; every output byte must be right and no guard touched.

    All operations but `planes` are none for the kernel that computes an image at once.
    """
    board, kernels = load_board("m7"), (DepthwiseAsm(), DepthwisePlanesAsm())
    cases = [
        Case(operation, kernel, kernel.granularities[0], image_for(operation, i))
        for i, operation in enumerate(operations)
        for kernel in kernels
        if kernel.supports(operation, board)
    ]
    assert len(cases) == len(operations) + (len(operations) if planes is None else planes)
    outcomes = run_guarded(cases, folder, flags)
    bad = [
        f"{cases[i // 2].kernel.name} {cases[i // 2].operation.input(0).shape} "
        f"{cases[i // 2].operation.input(1).shape}: {outcome}"
        for i, outcome in enumerate(outcomes)
        if (outcome.wrong, outcome.around_output, outcome.around_scratch) != (0, 0, 0)
    ]
    assert not bad, "\n".join(bad)


@pytest.mark.parametrize("taps", TAPS, ids=lambda taps: f"{taps[0]}x{taps[1]}")
def test_windows(taps: tuple[int, int], tmp_path: Path) -> None:
    """Stride 1 and 2, with and without padding, several draws of the numbers."""
    kinds = [(padding, stride) for padding in ("SAME", "VALID") for stride in ((1, 1), (2, 2), (1, 2))]
    operations = [
        depthwise(
            (1, 14, 13 + (i + sum(taps)) % 6, 4 + (i + taps[1]) % 6), taps, window(padding, stride), drawn(i)
        )
        for i, (padding, stride) in enumerate(kinds)
    ]
    check(operations, tmp_path)


def test_widths(tmp_path: Path) -> None:
    """Every width from 1 to 40 with a 3x3 window: no loop, blocks in a loop, every rest."""
    operations = [
        depthwise((1, 3, width, 4 + width % 4), (3, 3), window("SAME", (1, 1 + width % 2)), drawn(width))
        for width in range(1, 41)
    ]
    check(operations, tmp_path)


def test_channels(tmp_path: Path) -> None:
    """Channel counts around groups of four, and those at which offsets grow long; several images."""
    counts = [*range(4, 18), 64, 128, 257]
    operations = [
        depthwise((1 + channels % 2, 3, 6, channels), (3, 3), window("SAME"), drawn(channels))
        for channels in counts
    ]
    operations += [depthwise((1, 2, 14, 341), (3, 3), window("SAME"), drawn(1))]
    operations += [depthwise((1, 2, 15, 1000), (3, 3), window("SAME", (1, 1)), drawn(1))]
    check(operations, tmp_path, planes=2 + sum(channels % 2 == 0 for channels in counts))


def test_strips(tmp_path: Path) -> None:
    """Images that take several strips, whose rows are staged anew, kept, or outside of the image; and columns of pixels."""
    shapes = [(1, 48, 48, 8), (1, 30, 40, 12), (1, 21, 64, 5), (1, 12, 90, 4)]
    operations = [
        depthwise(shape, taps, window(padding, (stride, stride)), drawn(i))
        for i, shape in enumerate(shapes)
        for taps, padding, stride in [((3, 3), "SAME", 1), ((5, 5), "SAME", 2), ((2, 2), "VALID", 3)]
    ]
    operations += [
        depthwise((1, height, 1, 8), (taps, 1), window("VALID", (1 + height % 2, 1)), drawn(height))
        for height, taps in [(28, 5), (24, 10), (15, 15), (40, 3), (7, 1)]
    ]
    check(operations, tmp_path)


@pytest.mark.parametrize("level", ["-O0", "-Os", "-O3"])
def test_optimisation_levels(level: str, tmp_path: Path) -> None:
    """The kernel does not depend on what the compiler makes of the code around it."""
    check([depthwise((1, 5, 20, 6), (3, 3), window("SAME"), drawn(i)) for i in range(2)], tmp_path, (level,))
