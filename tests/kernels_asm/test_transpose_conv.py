"""Transposed convolution in assembly: every stride, window and padding, every tail of pixels and channels, extreme numbers."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.kernels.operations import Numbers, image_for, transposed, window
from tests.kernels.runner import Case
from tests.kernels_asm.guarded import run_guarded
from tests.kernels_asm.test_matrix_products import DRAWS, drawn
from tinycompile.assembly.matrix_shape import Weights
from tinycompile.board import load_board
from tinycompile.ops import Operation
from tinycompile.ops._transpose_conv_asm import TransposeConvAsm
from tinycompile.program import Granularity

pytestmark = [pytest.mark.slow, pytest.mark.qemu, pytest.mark.needs("arm-none-eabi-gcc", "qemu-system-arm")]

KERNELS = tuple(TransposeConvAsm(weights) for weights in Weights)


def extent(image: int, taps: int, stride: int, padding: str, rest: int = 0) -> int:
    """An output extent from which a convolution leads back to the image; VALID may leave up to stride - 1 more, SAME fewer."""
    if padding == "SAME":
        return (image - 1) * stride + 1 + (rest + stride - 1) % stride
    return (image - 1) * stride + taps + rest % stride


def operation_of(
    image: tuple[int, int, int, int],
    channels: int,
    taps: tuple[int, int],
    stride: tuple[int, int],
    padding: str,
    numbers: Numbers,
    rest: int = 0,
) -> Operation:
    """An operation with the output extents that `rest` says."""
    rows = extent(image[1], taps[0], stride[0], padding, rest)
    columns = extent(image[2], taps[1], stride[1], padding, rest)
    return transposed(image, (rows, columns, channels), taps, window(padding, stride), numbers)


def cases_of(operation: Operation) -> Iterator[Case]:
    """Both forms where they take the operation."""
    for kernel in KERNELS:
        if kernel.supports(operation, load_board("m7")):
            yield Case(operation, kernel, Granularity.ROW, image_for(operation))


def check(operations: list[Operation], folder: Path) -> list[Case]:
    """Every output byte is right, and no guard is touched; each operation is taken by a kernel."""
    cases = [case for operation in operations for case in cases_of(operation)]
    assert {case.operation.node for case in cases} == {operation.node for operation in operations}
    outcomes = run_guarded(cases, folder)
    bad = [
        f"{cases[i // 2].kernel.name} {cases[i // 2].operation.input(2).shape} {cases[i // 2].operation.input(1).shape} "
        f"{cases[i // 2].operation.output.shape}: {outcome}"
        for i, outcome in enumerate(outcomes)
        if (outcome.wrong, outcome.around_output, outcome.around_scratch) != (0, 0, 0)
    ]
    assert not bad, "\n".join(bad)
    return cases


WINDOWS = (
    ((3, 3), (2, 2)), ((2, 2), (2, 2)), ((4, 4), (2, 2)), ((3, 3), (1, 1)), ((2, 2), (1, 1)), ((4, 4), (1, 1)),
    ((1, 1), (1, 1)), ((5, 3), (3, 1)), ((3, 5), (1, 2)), ((5, 4), (2, 3)), ((3, 3), (3, 3)), ((7, 6), (2, 2)),
    ((8, 8), (4, 4)), ((4, 6), (4, 3)),
)  # fmt: skip
"""Taps and strides, (rows, columns)."""


@pytest.mark.parametrize("padding", ["SAME", "VALID"])
@pytest.mark.parametrize("first", range(3))
def test_windows(padding: str, first: int, tmp_path: Path) -> None:
    """Every window, with the tails of pixels and channels and the numbers going round."""
    operations = [
        operation_of(
            (1 + i % 2, 2 + (i + first) % 4, 1 + (5 * i + 4 * first) % 11, 1 + (3 * i + first) % 9),
            1 + (i + 2 * first) % 6,
            *WINDOWS[i],
            padding,
            drawn(i + first),
            rest=i + first,
        )
        for i in range(len(WINDOWS))
    ]
    check(operations, tmp_path)


@pytest.mark.parametrize("draw", range(len(DRAWS)))
def test_numbers(draw: int, tmp_path: Path) -> None:
    """Extreme weights, zero points at both ends, every form of requantization, for the usual windows."""
    numbers = [replace(DRAWS[draw], seed=seed) for seed in range(12)]
    operations = [
        operation_of((1, 3, 2 + seed, 3 + seed), 1 + seed % 5, taps, stride, padding, numbers[seed], seed)
        for seed, (taps, stride, padding) in enumerate(
            [(taps, stride, padding) for taps, stride in WINDOWS[:6] for padding in ("SAME", "VALID")]
        )
    ]
    check(operations, tmp_path)


@pytest.mark.parametrize("depths", [range(1, 18), range(18, 36)], ids=["1-17", "18-35"])
def test_depths(depths: range, tmp_path: Path) -> None:
    """Every depth, so that windows have every number of left bytes."""
    operations = [
        operation_of((1, 2, 3 + k % 6, k), 1 + k % 4, *WINDOWS[k % 3], "SAME", drawn(k)) for k in depths
    ]
    check(operations, tmp_path)


def test_large_windows(tmp_path: Path) -> None:
    """Products in loops, groups of two pixels and of one, windows at the border from a patch."""
    operations = [
        operation_of((1, 3, 9, 64), 6, (3, 3), (2, 2), "SAME", drawn(1)),
        operation_of((1, 2, 5, 128), 3, (4, 4), (2, 2), "SAME", drawn(2)),
        operation_of((1, 2, 3, 320), 2, (3, 3), (2, 2), "VALID", drawn(4)),
        operation_of((1, 2, 41, 16), 5, (3, 3), (2, 2), "SAME", drawn(0)),
        operation_of((1, 2, 50, 24), 4, (4, 4), (2, 2), "SAME", drawn(3)),
        operation_of((1, 2, 4, 300), 600, (2, 2), (2, 2), "SAME", drawn(5)),
    ]
    check(operations, tmp_path)


def test_outputs_without_a_tap() -> None:
    """Where a stride is larger than the window some outputs are the bias alone: the kernels do not take that."""
    for taps, stride in (((1, 1), (2, 2)), ((2, 3), (3, 3)), ((3, 2), (3, 3))):
        for padding in ("SAME", "VALID"):
            assert not list(cases_of(operation_of((1, 3, 3, 4), 4, taps, stride, padding, drawn(0))))
