"""Kernels that leave out zero weights: every depth, density and group of pixels, records and steps at their limits."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.kernels.operations import convolution, fully_connected, image_for, window
from tests.kernels.runner import Case
from tests.kernels_asm.guarded import run_guarded
from tests.kernels_asm.test_matrix_products import DRAWS, drawn
from tinycompile.assembly.sparse_records import BLOCKS, SINGLES, VECTOR, Kind
from tinycompile.board import load_board
from tinycompile.ir import Array
from tinycompile.ops import Operation, operator_of
from tinycompile.ops._dense import Dense
from tinycompile.ops._sparse_asm import FullyConnectedSparse, PointwiseSparse, WindowSparse
from tinycompile.ops._sparse_stream import entries_of

KERNELS = {
    "CONV_2D": (PointwiseSparse(), PointwiseSparse(BLOCKS), WindowSparse(), WindowSparse(BLOCKS)),
    "FULLY_CONNECTED": (FullyConnectedSparse(), FullyConnectedSparse(VECTOR), FullyConnectedSparse(BLOCKS)),
}
DENSITIES = (0.0, 0.02, 0.1, 0.3, 0.5, 0.9, 1.0)

on_board = [
    pytest.mark.slow,
    pytest.mark.qemu,
    pytest.mark.needs("arm-none-eabi-gcc", "qemu-system-arm"),
]


def with_weights(operation: Operation, values: Array) -> Operation:
    """The operation with other weights."""
    source, weights, *rest = operation.inputs
    assert weights is not None
    return replace(operation, inputs=(source, replace(weights, data=values.astype(np.int8)), *rest))


def pruned(operation: Operation, density: float, seed: int = 0, block: int = 1) -> Operation:
    """The operation with about this part of its weights; the first channel loses all when any are lost.

    `block` input channels are pruned together.
    """
    weights = operation.input(1)
    blocks = (*weights.shape[:-1], weights.shape[-1] // block)
    kept = (np.random.default_rng(seed).random(blocks) < density).repeat(block, axis=-1)
    if density < 1 and weights.shape[0] > 1:
        kept[0] = False
    return with_weights(operation, np.where(kept, weights.values, 0))


def cases_of(operation: Operation) -> Iterator[Case]:
    """Every sparse kernel that computes the operation, in every granularity, however many weights are zero."""
    for kernel in KERNELS[operation.node.kind]:
        if kernel.takes(operation):
            for granularity in kernel.granularities:
                yield Case(operation, kernel, granularity, image_for(operation))


def check(operations: Sequence[Operation], folder: Path, flags: tuple[str, ...] = ("-O2",)) -> None:
    """Run all cases; every output byte must be right and no guard touched."""
    found = [list(cases_of(operation)) for operation in operations]
    assert all(found), "no kernel takes an operation"
    cases = [case for several in found for case in several]
    bad = [
        f"{case.kernel.name} {case.granularity.value} {case.operation.input(0).shape} {case.operation.input(1).shape}: {outcome}"
        for case, outcome in zip(
            np.repeat(np.array(cases, object), 2), run_guarded(cases, folder, flags), strict=True
        )
        if (outcome.wrong, outcome.around_output, outcome.around_scratch) != (0, 0, 0)
    ]
    assert not bad, "\n".join(bad)


class TestEntries:
    """Weights in the order of use."""

    @pytest.mark.parametrize("density", DENSITIES)
    @pytest.mark.parametrize("kind", [SINGLES, VECTOR, BLOCKS], ids=str)
    def test_they_are_the_weights(self, density: float, kind: Kind) -> None:
        """Walking the steps reaches each non-zero weight at its place; all other entries are zero and steps fit their bits."""
        rng = np.random.default_rng(3)
        weights = np.where(rng.random((9, 700)) < density, rng.integers(-128, 128, (9, 700)), 0)
        offsets = (rng.permutation(225)[: 700 // 4, None] * 4 + np.arange(4)).reshape(-1)
        entries = entries_of(weights, offsets, kind)
        assert ((entries.step >= 0) & (entries.step <= kind.largest_step)).all()
        dense = np.zeros((9, 900), np.int64)
        dense[:, offsets] = weights
        found = np.zeros_like(dense)
        for channel in range(9):
            mine = entries.channel == channel
            places = np.cumsum(entries.step[mine])[:, None] + np.arange(kind.taps)
            np.add.at(found[channel], places, entries.weights[mine])
            assert entries.records[channel] == max(1, -(-int(mine.sum()) // kind.entries))
        assert (found == dense).all()

    def test_long_ways_have_zeros_between(self) -> None:
        """A way of one step, of two, of three."""
        weights = np.zeros((1, 400), np.int64)
        weights[0, [127, 127 + 128, 127 + 128 + 127]] = 5
        entries = entries_of(weights, np.arange(400), SINGLES)
        assert entries.step.tolist() == [127, 127, 1, 127] and entries.weights[:, 0].tolist() == [5, 0, 5, 5]


def test_dense_layers_are_refused() -> None:
    """Zeros are counted before anything else; boards without the extension have no such kernel."""
    operation = convolution((1, 8, 8, 32), 16, numbers=drawn(1))
    board = load_board("m7")
    assert not PointwiseSparse().supports(operation, board)
    assert PointwiseSparse().supports(pruned(operation, 0.5), board)
    assert not PointwiseSparse().supports(pruned(operation, 0.5), load_board("host"))


def test_what_is_left_out_is_counted() -> None:
    """A product for each pixel and zero weight; between the groups of a convolution there is nothing to leave out."""
    operation = convolution((1, 4, 5, 6), 3, (3, 3), window("VALID"), drawn(1))
    values = np.ones(operation.input(1).shape)
    values[0, 1] = 0
    assert WindowSparse().macs_left_out(with_weights(operation, values)) == 2 * 3 * 3 * 6
    grouped = convolution((1, 4, 5, 6), 3, numbers=drawn(1), groups=3)
    values = np.ones(grouped.input(1).shape)
    assert Dense(PointwiseSparse()).macs_left_out(with_weights(grouped, values)) == 0
    values[1, 0, 0, 1] = 0
    assert Dense(PointwiseSparse()).macs_left_out(with_weights(grouped, values)) == 4 * 5
    deep = convolution((1, 4, 5, 8), 2, numbers=drawn(1))
    values = np.ones(deep.input(1).shape)
    values[0, 0, 0, :5] = 0
    assert PointwiseSparse(BLOCKS).macs_left_out(with_weights(deep, values)) == 4 * 5 * 4


@pytest.mark.parametrize(
    "density, block, cheapest",
    [
        (0.55, 1, "pointwise_asm_chained"),
        (0.3, 1, "pointwise_sparse_asm"),
        (0.05, 1, "pointwise_sparse_asm"),
        (0.6, 4, "pointwise_asm_chained"),
        (0.3, 4, "pointwise_sparse_blocks_asm"),
    ],
)
def test_the_cheapest_is_chosen(density: float, block: int, cheapest: str) -> None:
    """Costs of all kinds of kernels decide."""
    dense, board = convolution((1, 12, 12, 64), 48, numbers=drawn(1)), load_board("m7")
    operation = pruned(dense, density, block=block)
    costs = {
        kernel.name: kernel.cost(operation, board).cycles
        for kernel in operator_of(operation.node).kernels_for(operation)
        if kernel.supports(operation, board)
    }
    assert min(costs, key=lambda name: costs[name]) == cheapest


class TestOnBoard:
    """Exact, within their memory."""

    pytestmark = on_board

    @pytest.mark.parametrize("first", range(1, 71, 14))
    def test_depths(self, first: int, tmp_path: Path) -> None:
        """Every depth from 1 to 70: groups of one to eight pixels, vectors, windows; every density and draw in turn."""
        operations = []
        for k in range(first, first + 14):
            numbers, density = drawn(k), DENSITIES[k % len(DENSITIES)]
            operations += [
                convolution((1, 1, 1 + k % 11, k), 1 + k % 7, numbers=numbers),
                fully_connected(1 + k % 4 * (k % 3), k, 1 + k % 9, numbers),
                convolution((1, 3, 3 + k % 7, k), 1 + k % 5, (1 + k % 3, 3), window("SAME"), numbers),
            ]
            operations[-3:] = [pruned(operation, density, k) for operation in operations[-3:]]
        check(operations, tmp_path)

    @pytest.mark.parametrize("draw", range(len(DRAWS)))
    def test_every_density_with_every_draw(self, draw: int, tmp_path: Path) -> None:
        """Zero points at both ends, clamps, extreme weights, every form of requantization; all sizes of groups."""
        operations = [
            pruned(operation, density, draw)
            for density in DENSITIES
            for pixels in (1, 2, 3, 4, 5, 6, 7, 8, 13)
            for operation in (convolution((1, 1, pixels, 23), 3, numbers=drawn(draw)),)
        ]
        check(operations, tmp_path)

    @pytest.mark.parametrize("channels", [1, 2, 3, 4, 5, 8, 16])
    def test_windows(self, channels: int, tmp_path: Path) -> None:
        """Windows, strides, dilation and padding: rows and columns outside of the image."""
        windows = [
            ((3, 3), window("SAME")), ((3, 3), window("SAME", (2, 2))), ((3, 3), window("VALID", (1, 2))),
            ((2, 2), window("SAME")), ((1, 3), window("SAME")), ((3, 1), window("SAME", (2, 1))), ((5, 5), window("SAME")),
            ((3, 3), window("SAME", (1, 1), (2, 2))), ((1, 1), window("SAME", (2, 2))), ((10, 4), window("SAME", (2, 2))),
            ((1, 1), window("VALID", (2, 3))), ((1, 5), window("VALID", (1, 2))),
        ]  # fmt: skip
        check(
            [
                pruned(
                    convolution(
                        (1 + i % 2, 7, 5 + (3 * i + channels) % 13, channels),
                        1 + (i + channels) % 6,
                        taps,
                        options,
                        drawn(i),
                    ),
                    DENSITIES[(i + channels) % len(DENSITIES)],
                    i,
                )
                for i, (taps, options) in enumerate(windows)
            ],
            tmp_path,
        )

    def test_blocks(self, tmp_path: Path) -> None:
        """Weights that are pruned in fours, groups of one to six pixels, more entries than one record has."""
        operations = []
        for i, density in enumerate((0.0, 0.1, 0.3, 0.5, 0.8, 1.0)):
            operations += [
                convolution((1, 1, 1 + 2 * i, 24 + 4 * i), 5, numbers=drawn(i)),
                convolution(
                    (1, 5, 4 + i, 4 + 4 * (i % 3)), 4, (3, 3), window("SAME", (1 + i % 2, 1)), drawn(i)
                ),
                convolution((1, 5, 9, 8), 3, (2, 3), window("SAME", (1, 1), (1, 2)), drawn(i)),
                fully_connected(1 + i % 3, 64 + 4 * i, 7, drawn(i)),
            ]
            operations[-4:] = [pruned(operation, density, i, block=4) for operation in operations[-4:]]
        check(operations, tmp_path)

    def test_long_ways(self, tmp_path: Path) -> None:
        """Deep pixels with few weights: steps over more than seven bits, the first tap and the last."""
        operations = []
        for i, (pixels, depth) in enumerate([(1, 1021), (3, 511), (9, 300), (2, 2000)]):
            operation = convolution((1, 1, pixels, depth), 4, numbers=drawn(i))
            values = np.zeros(operation.input(1).shape, np.int8)
            values[1, ..., 0], values[1, ..., depth - 1] = -128, 127
            values[2, ..., depth - 1] = -128
            values[3, ..., ::97] = 127
            operations.append(with_weights(operation, values))
        operations.append(pruned(fully_connected(3, 1000, 5, drawn(1)), 0.01))
        check(operations, tmp_path)

    @pytest.mark.parametrize("flags", ["-O0", "-Os", "-O3", "-O2 -flto"])
    def test_optimisation_levels(self, flags: str, tmp_path: Path) -> None:
        """The kernels do not depend on what the compiler makes of the code around them."""
        operations = [
            convolution((1, 5, 6, 9), 5, numbers=drawn(2)),
            convolution((1, 6, 7, 6), 5, (3, 3), window("SAME"), drawn(1)),
            fully_connected(2, 40, 10, drawn(1)),
        ]
        check([pruned(operation, 0.3) for operation in operations], tmp_path, tuple(flags.split()))
