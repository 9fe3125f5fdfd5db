"""The portable and the DSP kernels of CONV_2D, DEPTHWISE_CONV_2D and FULLY_CONNECTED on shapes around every block and tail.

On the host the DSP kernels run with the portable bodies of tc_dsp.h, under the address and undefined behaviour sanitizers; on
the emulator with the instructions.
"""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.kernels.operations import Numbers, convolution, depthwise, fully_connected, image_for, window
from tests.kernels.runner import Case, run_on_board, run_on_host
from tinycompile.board import Board, load_board
from tinycompile.ops import Kernel, Operation
from tinycompile.ops._conv_2d_dsp import PointwiseDsp, WindowDsp
from tinycompile.ops._conv_2d_portable import PointwisePortable, WindowPortable
from tinycompile.ops._dense import Dense
from tinycompile.ops._depthwise_dsp import DepthwiseDsp
from tinycompile.ops._depthwise_portable import DepthwisePortable
from tinycompile.ops._fully_connected_portable import FullyConnectedPortable
from tinycompile.ops._rows_vector_dsp import RowsVectorDsp
from tinycompile.ops._vector_dsp import FullyConnectedDsp, PointwiseVectorDsp, WindowVectorDsp
from tinycompile.program import Granularity, KernelCode
from tinycompile.quant import Activation

KERNELS: dict[str, tuple[Kernel, ...]] = {
    "CONV_2D": (
        PointwiseDsp(),
        PointwiseVectorDsp(),
        WindowDsp(),
        WindowVectorDsp(),
        RowsVectorDsp(),
        PointwisePortable(),
        WindowPortable(),
    ),
    "DEPTHWISE_CONV_2D": (DepthwiseDsp(), Dense(WindowDsp()), Dense(WindowVectorDsp()), DepthwisePortable()),
    "FULLY_CONNECTED": (FullyConnectedDsp(), FullyConnectedPortable()),
}

DRAWS = (
    Numbers(),
    Numbers(in_zero_point=-128, out_zero_point=-128, activation=Activation.RELU),
    Numbers(in_zero_point=127, out_zero_point=127, per_channel=False),
    Numbers(out_zero_point=-40, activation=Activation.RELU6, gain=0.05),
    Numbers(extreme_weights=True, least_weight=-128, bias_reach=10**6),
    Numbers(gain=1e3, activation=Activation.RELU_N1_TO_1),
    Numbers(bias_reach=2**31 - 1),
)
"""Zero points at both ends, every clamp, weights that cannot be paired, factors of 1 and more, biases that overflow."""


def numbered(index: int) -> Numbers:
    """One of the draws, with a seed of its own."""
    return replace(DRAWS[index % len(DRAWS)], seed=index)


def cases_of(operation: Operation, seed: int = 0) -> list[Case]:
    """Every kernel that takes the operation, in every granularity."""
    board, image = load_board("m7"), image_for(operation, seed)
    kernels = [kernel for kernel in KERNELS[operation.node.kind] if kernel.supports(operation, board)]
    return [Case(operation, kernel, g, image) for kernel in kernels for g in kernel.granularities]


def quick_operations() -> Iterator[Operation]:
    """A few shapes for each draw of numbers."""
    for index in range(len(DRAWS)):
        numbers = numbered(index)
        yield convolution((1, 3, 3, 5 + index), 3 + index, numbers=numbers)
        yield convolution((2, 5, 6, 3), 4, (3, 3), window(stride=(2, 1)), numbers)
        yield depthwise((1, 5, 6, 4 + index), (3, 3), window(stride=(1, 2)), numbers)
        yield fully_connected(2, 9 + index, 7 + index, numbers)
    yield convolution((1, 9, 8, 4), 3, (3, 2), window("VALID", dilation=(2, 2)))
    yield convolution((1, 9, 7, 2), 5, (4, 3), window(dilation=(2, 3)))
    yield convolution((1, 20, 6, 1), 9, (10, 4), window(stride=(2, 2)))
    for depth, channels, numbers in (
        (40, 30, DRAWS[1]),
        (5, 9, DRAWS[0]),
        (31, 1, DRAWS[4]),
        (2, 17, DRAWS[6]),
    ):
        yield convolution((1, 5, 1, depth), channels, (5, 1), window("VALID"), numbers)
    yield convolution((1, 9, 3, 6), 7, (3, 3), window("VALID", stride=(2, 1), dilation=(2, 1)))
    yield convolution((1, 4, 3, 70), 6, (3, 3))
    yield convolution((1, 2, 3, 600), 2)
    yield convolution((1, 4, 5, 8), 6, (3, 3), groups=2)
    yield depthwise((1, 9, 7, 6), (5, 5))
    yield depthwise((1, 15, 1, 40), (15, 1), window("VALID"))
    yield depthwise((2, 9, 9, 7), (3, 4), window(stride=(2, 1), dilation=(1, 2)))
    yield depthwise((1, 4, 4, 5), (1, 1))
    yield depthwise((1, 6, 6, 3), multiplier=2)
    yield depthwise((1, 6, 6, 1), multiplier=8)
    yield fully_connected(1, 1030, 9, Numbers(extreme_weights=True))
    yield fully_connected(2, 21, 4, Numbers(per_channel=False), weights_zero_point=-5)


def check(cases: list[Case], folder: Path, board: str | None) -> None:
    """Run the cases and name those that differ from the reference."""
    outcomes = run_on_host(cases, folder) if board is None else run_on_board(cases, folder, board)
    assert len(outcomes) == len(cases)
    wrong = [
        f"{case.kernel.name} {case.granularity.value}: input {case.operation.input(0).describe()}, "
        f"weights {case.operation.input(1).describe()}: {outcome.wrong} of {case.operation.output.elements} differ"
        for case, outcome in zip(cases, outcomes, strict=True)
        if outcome.wrong
    ]
    assert not wrong, "\n".join(wrong)


@pytest.fixture(scope="module")
def quick_cases() -> list[Case]:
    return [case for operation in quick_operations() for case in cases_of(operation)]


def test_every_kernel_has_cases(quick_cases: list[Case]) -> None:
    known = {kernel.name for kernels in KERNELS.values() for kernel in kernels}
    assert {case.kernel.name for case in quick_cases} == known


@pytest.mark.slow
def test_kernels_on_the_host(quick_cases: list[Case], tmp_path: Path) -> None:
    check(quick_cases, tmp_path, None)


@pytest.mark.qemu
def test_kernels_on_the_emulated_m7(quick_cases: list[Case], tmp_path: Path) -> None:
    check(quick_cases, tmp_path, "m7")


class NegatedWeights(FullyConnectedPortable):
    """A wrong kernel."""

    def lower(self, operation: Operation, board: Board, granularity: Granularity) -> KernelCode:
        weights = operation.input(1)
        negated = replace(weights, data=-weights.values)
        changed = replace(operation, inputs=(operation.input(0), negated, operation.input(2)))
        return super().lower(changed, board, granularity)


def test_a_wrong_kernel_is_seen(tmp_path: Path) -> None:
    (case, *_) = cases_of(fully_connected(1, 8, 4))
    (outcome,) = run_on_host([replace(case, kernel=NegatedWeights())], tmp_path)
    assert outcome.wrong > 0


def operations_of_depth(depth: int) -> Iterator[Operation]:
    """Vectors of one depth."""
    yield fully_connected(1, depth, 1 + depth % 9, numbered(depth))
    yield convolution((1, 1, 1 + depth % 9, depth), 1 + depth % 5, numbers=numbered(depth + 3))


def operations_of_channels(channels: int) -> Iterator[Operation]:
    """Images with a number of channels, of every width to 9."""
    for width in range(1, 10):
        yield convolution((1, 4, width, channels), width, (3, 3), numbers=numbered(width + channels))
        yield depthwise((1, 4, width, channels), (3, 3), numbers=numbered(width * channels))
        yield depthwise((1, 4, width, channels), (2, 5), window(stride=(2, 2)), numbered(width))


@pytest.mark.long
@pytest.mark.qemu
@pytest.mark.parametrize("board", [None, "m7"], ids=["host", "m7"])
@pytest.mark.parametrize("first", range(1, 71, 10))
def test_every_depth(first: int, board: str | None, tmp_path: Path) -> None:
    operations = [operation for depth in range(first, first + 10) for operation in operations_of_depth(depth)]
    check([case for operation in operations for case in cases_of(operation)], tmp_path, board)


@pytest.mark.long
@pytest.mark.qemu
@pytest.mark.parametrize("board", [None, "m7"], ids=["host", "m7"])
@pytest.mark.parametrize("channels", range(1, 10))
def test_every_width_and_number_of_channels(channels: int, board: str | None, tmp_path: Path) -> None:
    operations = operations_of_channels(channels)
    check([case for operation in operations for case in cases_of(operation)], tmp_path, board)
