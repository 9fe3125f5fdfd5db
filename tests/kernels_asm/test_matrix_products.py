"""The matrix product in assembly: every depth, every tail of pixels and channels, every form of requantization, windows."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.kernels.operations import Numbers, convolution, fully_connected, image_for, window
from tests.kernels.runner import Case
from tests.kernels_asm.guarded import run_guarded
from tinycompile.assembly.matrix_shape import Weights
from tinycompile.board import Board, load_board
from tinycompile.ops import Kernel, Operation
from tinycompile.ops._conv_2d_asm import PointwiseAsm, WindowAsm
from tinycompile.ops._conv_2d_winograd import WinogradAsm
from tinycompile.ops._conv_2d_winograd_row import WinogradRowAsm
from tinycompile.ops._fully_connected_asm import FullyConnectedAsm
from tinycompile.ops._gemm_vector import FullyConnectedVectorAsm, PointwiseVectorAsm
from tinycompile.program import Granularity
from tinycompile.quant import Activation

pytestmark = [pytest.mark.slow, pytest.mark.qemu, pytest.mark.needs("arm-none-eabi-gcc", "qemu-system-arm")]

KERNELS: dict[str, tuple[Kernel, ...]] = {
    "CONV_2D": (
        PointwiseAsm(),
        PointwiseAsm(Weights.PACKED),
        PointwiseAsm(Weights.CHAINED),
        WindowAsm(),
        WindowAsm(Weights.PACKED),
        WindowAsm(Weights.CHAINED),
        *(PointwiseVectorAsm(weights) for weights in Weights),
        WinogradAsm(),
        WinogradRowAsm(tiles=2),
        WinogradRowAsm(tiles=1),
    ),
    "FULLY_CONNECTED": tuple(
        kernel(weights) for kernel in (FullyConnectedAsm, FullyConnectedVectorAsm) for weights in Weights
    ),
}

DRAWS = (
    Numbers(),
    Numbers(in_zero_point=-128, out_zero_point=-128, activation=Activation.RELU),
    Numbers(in_zero_point=127, out_zero_point=127, per_channel=False),
    Numbers(in_zero_point=5, out_zero_point=-128, activation=Activation.RELU6, gain=0.02),
    Numbers(extreme_weights=True, out_zero_point=-128, activation=Activation.RELU),
    Numbers(extreme_weights=True, least_weight=-128, bias_reach=10**6),
    Numbers(out_zero_point=-100, activation=Activation.RELU),
    Numbers(out_zero_point=-128, activation=Activation.RELU, per_channel=False, bias_reach=0),
)
"""Zero points at both ends; linear and half-away rounding, common shifts and own ones; clamps that are left; extreme weights."""


def drawn(index: int) -> Numbers:
    """One of the draws, with a seed of its own."""
    return replace(DRAWS[index % len(DRAWS)], seed=index)


def cases_of(operation: Operation, board: Board) -> Iterator[Case]:
    """Every assembly kernel that takes the operation, in every granularity."""
    for kernel in KERNELS[operation.node.kind]:
        if kernel.supports(operation, board):
            for granularity in kernel.granularities:
                yield Case(operation, kernel, granularity, image_for(operation))


def check(
    operations: list[Operation],
    folder: Path,
    flags: tuple[str, ...] = ("-O2",),
    board: Board | None = None,
) -> list[Case]:
    """Run all cases; every output byte must be right and no guard touched."""
    board = board or load_board("m7")
    cases = [case for operation in operations for case in cases_of(operation, board)]
    outcomes = run_guarded(cases, folder, flags, board)
    bad = [
        f"{cases[i // 2].kernel.name} {cases[i // 2].granularity.value} {cases[i // 2].operation.input(0).shape} "
        f"{cases[i // 2].operation.input(1).shape}: {outcome}"
        for i, outcome in enumerate(outcomes)
        if (outcome.wrong, outcome.around_output, outcome.around_scratch) != (0, 0, 0)
    ]
    assert not bad, "\n".join(bad)
    return cases


@pytest.mark.parametrize("depths", [range(1, 36), range(36, 71)], ids=["1-35", "36-70"])
def test_pointwise_depths(depths: range, tmp_path: Path) -> None:
    """Every depth from 1 to 70, with all tails of pixels and channels."""
    operations = [convolution((1, 1, 1 + k % 9, k), 1 + k % 11, numbers=drawn(k)) for k in depths]
    operations += [convolution((1, 2, 4, k), 8 + k % 11, numbers=drawn(k)) for k in depths if k % 8 == 0]
    cases = check(operations, tmp_path)
    assert {case.kernel.name for case in cases} == {
        "pointwise_asm",
        "pointwise_asm_packed",
        "pointwise_asm_chained",
        "pointwise_vector_asm",
        "pointwise_vector_asm_packed",
        "pointwise_vector_asm_chained",
    }


@pytest.mark.parametrize("depths", [range(1, 36), range(36, 71)], ids=["1-35", "36-70"])
def test_vector_depths(depths: range, tmp_path: Path) -> None:
    """Every depth from 1 to 70, single vectors and batches."""
    operations = [fully_connected(1, k, 1 + k % 19, drawn(k)) for k in depths]
    operations += [fully_connected(2 + k % 5, k, 1 + k % 7, drawn(k + 1)) for k in depths if k % 3 == 0]
    check(operations, tmp_path)


@pytest.mark.long
@pytest.mark.parametrize("draw", range(len(DRAWS)))
def test_every_depth_with_every_draw(draw: int, tmp_path: Path) -> None:
    """Every depth from 1 to 70 with these numbers: pixels, vectors, windows of one row and of three."""
    numbers = [replace(DRAWS[draw], seed=k) for k in range(71)]
    for first in range(1, 71, 14):
        depths = range(first, first + 14)
        operations = [convolution((1, 1, 1 + k % 9, k), 1 + k % 11, numbers=numbers[k]) for k in depths]
        operations += [fully_connected(1 + k % 2, k, 1 + k % 19, numbers[k]) for k in depths]
        operations += [
            convolution((1, 3, 3 + k % 7, k), 1 + k % 5, (1 + k % 3, 3), window("SAME"), numbers[k])
            for k in depths
        ]
        check(operations, tmp_path)


def test_long_products(tmp_path: Path) -> None:
    """Depths that take loops, groups of 4, 2 and 1 pixels."""
    shapes = [(5, 128, 16), (7, 130, 6), (6, 256, 5), (3, 300, 8), (5, 511, 3), (2, 640, 7), (3, 1021, 2)]
    operations = [
        convolution((1, 1, pixels, depth), channels, numbers=drawn(i))
        for i, (pixels, depth, channels) in enumerate(shapes)
    ]
    operations += [fully_connected(1, depth, 9, drawn(depth)) for depth in (71, 96, 129, 256, 640, 1000)]
    check(operations, tmp_path)


def test_rows(tmp_path: Path) -> None:
    """Several rows and images, one row at a time."""
    operations = [convolution((2, 3, width, 5), 6, numbers=drawn(width)) for width in range(1, 10)]
    check(operations, tmp_path)


@pytest.mark.parametrize("channels", [1, 2, 3, 4, 5, 8, 16, 31])
def test_windows(channels: int, tmp_path: Path) -> None:
    """Windows, strides, dilation and padding: rows and columns outside of the image, groups at its borders."""
    windows = [
        ((3, 3), window("SAME")), ((3, 3), window("SAME", (2, 2))), ((3, 3), window("VALID", (1, 2))),
        ((2, 2), window("SAME")), ((1, 3), window("SAME")), ((3, 1), window("SAME", (2, 1))), ((5, 5), window("SAME")),
        ((3, 3), window("SAME", (1, 1), (2, 2))), ((1, 1), window("SAME", (2, 2))), ((10, 4), window("SAME", (2, 2))),
    ]  # fmt: skip
    operations = [
        convolution(
            (1 + i % 2, 7, 5 + (3 * i + channels) % 13, channels),
            1 + (i + channels) % 6,
            taps,
            options,
            drawn(i),
        )
        for i, (taps, options) in enumerate(windows)
    ]
    check(operations, tmp_path)


@pytest.mark.parametrize("channels", [1, 3, 4, 6, 20, 65])
def test_dilated_columns(channels: int, tmp_path: Path) -> None:
    """The pixels of a row under the window are no neighbours: windows within the image, over its borders, wider than it."""
    windows = [
        ((1, 3), 30, window("VALID", (1, 1), (1, 4))), ((1, 2), 17, window("SAME", (1, 1), (1, 5))),
        ((3, 3), 12, window("SAME", (1, 1), (2, 2))), ((2, 3), 4, window("SAME", (1, 1), (1, 3))),
        ((3, 1), 9, window("SAME", (1, 1), (2, 2))),
    ]  # fmt: skip
    operations = [
        convolution((1, 3, width, channels), 1 + (i + channels) % 9, taps, options, drawn(i))
        for i, (taps, width, options) in enumerate(windows)
    ]
    check(operations, tmp_path)


def test_long_windows(tmp_path: Path) -> None:
    """Windows that are staged in loops over rows and words, narrow and wide images."""
    operations = [
        convolution((1, 4, 4, 64), 6, (3, 3), window("SAME"), drawn(1)),
        convolution((1, 5, 21, 32), 4, (3, 3), window("SAME"), drawn(4)),
        convolution((1, 3, 9, 45), 5, (3, 3), window("SAME", (2, 2)), drawn(3)),
        convolution((1, 4, 3, 96), 3, (3, 3), window("SAME"), drawn(0)),
        convolution((1, 3, 40, 7), 3, (3, 5), window("VALID"), drawn(2)),
    ]
    check(operations, tmp_path)


def test_cores_that_issue_one_instruction(tmp_path: Path) -> None:
    """Multiple loads, with and without loops over pairs, for every number of words that is left at the end."""
    operations = [convolution((1, 1, 1 + k % 5, k), 1 + k % 13, numbers=drawn(k)) for k in range(1, 48)]
    operations += [
        fully_connected(1, k, 1 + k % 19, drawn(k)) for k in (*range(1, 30), 97, 130, 131, 256, 511)
    ]
    operations += [convolution((1, 5, 9, k), 9, (3, 3), window("SAME"), drawn(k)) for k in (1, 3, 8, 13)]
    operations += [convolution((1, 1, 3, depth), 15, numbers=drawn(depth)) for depth in (120, 122, 243, 490)]
    cases = check(operations, tmp_path, board=replace(load_board("m7"), issue_width=1))
    assert "pointwise_asm_chained" in {case.kernel.name for case in cases}


@pytest.mark.parametrize("flags", ["-O0", "-Os", "-O3", "-O2 -flto"])
def test_optimisation_levels(flags: str, tmp_path: Path) -> None:
    """The kernels do not depend on what the compiler makes of the code around them."""
    operations = [convolution((1, 5, 6, 9), 5, numbers=drawn(2)), fully_connected(1, 40, 10, drawn(1))]
    operations += [convolution((1, 6, 7, 6), 5, (3, 3), window("SAME"), drawn(i)) for i in range(2)]
    cases = check(operations, tmp_path, tuple(flags.split()))
    assert {case.granularity for case in cases} == {Granularity.ROW, Granularity.WHOLE}
