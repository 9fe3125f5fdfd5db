"""Convolutions in groups by kernels for one group: weights between the groups are zero."""

from pathlib import Path

import numpy as np
import pytest

from tests.kernels.operations import convolution, depthwise, image_for, window
from tests.kernels.runner import Case
from tests.kernels_asm.guarded import run_guarded
from tests.kernels_asm.test_matrix_products import drawn
from tinycompile.board import load_board
from tinycompile.ops import Operation, operator_of
from tinycompile.ops._dense import Dense, dense

OPERATIONS = [
    *(convolution((1, 3, 5, 12), 24, groups=groups, numbers=drawn(groups)) for groups in (2, 3, 4, 6, 12)),
    *(convolution((2, 5, 6, 8), 4 * i, (3, 3), window("SAME"), drawn(i), groups=4) for i in (1, 2, 3)),
    convolution((1, 9, 7, 6), 9, (3, 2), window("VALID", (2, 1)), drawn(4), groups=3),
    convolution((1, 8, 8, 10), 10, (3, 3), window("SAME", dilation=(2, 2)), drawn(5), groups=5),
    *(
        depthwise((1, 6, 7, c), (3, 3), window("SAME"), drawn(c), multiplier=m)
        for c, m in ((1, 8), (2, 3), (6, 2))
    ),
    depthwise((1, 9, 8, 5), (3, 3), window("VALID", dilation=(3, 3)), drawn(6), multiplier=4),
    depthwise((2, 5, 5, 3), (5, 5), window("SAME", (2, 2)), drawn(7)),
]


def _place(operation: Operation) -> str:
    return f"{operation.node.kind} {operation.input(0).shape} {operation.input(1).shape}"


@pytest.mark.parametrize("operation", OPERATIONS, ids=_place)
def test_dense_weights_compute_the_same(operation: Operation) -> None:
    """The convolution in one group, by the reference in numpy."""
    kinds = {"CONV_2D": operation, "DEPTHWISE_CONV_2D": convolution(operation.input(0).shape, 1)}
    whole = dense(operation)
    weights = whole.input(1)
    assert weights.shape == (
        operation.output.shape[3],
        *operation.input(1).shape[1:3],
        operation.input(0).shape[3],
    )
    convolves = operator_of(kinds[operation.node.kind].node)
    image, constants = image_for(operation), [t and t.values for t in operation.inputs[1:]]
    expected = operator_of(operation.node).evaluate(operation, [image, *constants])
    found = convolves.evaluate(whole, [image, weights.values, *constants[1:]])
    np.testing.assert_array_equal(found[0], expected[0])


@pytest.mark.slow
@pytest.mark.qemu
@pytest.mark.needs("arm-none-eabi-gcc", "qemu-system-arm")
def test_on_the_emulator(tmp_path: Path) -> None:
    """Every such kernel that takes the operation, in every granularity, with guards around its buffers."""
    board = load_board("m7")
    cases = [
        Case(operation, kernel, granularity, image_for(operation))
        for operation in OPERATIONS
        for kernel in operator_of(operation.node).kernels_for(operation)
        if isinstance(kernel, Dense) and kernel.supports(operation, board)
        for granularity in kernel.granularities
    ]
    outcomes = run_guarded(cases, tmp_path, ("-O2",))
    bad = [
        f"{cases[i // 2].kernel.name} {_place(cases[i // 2].operation)}: {outcome}"
        for i, outcome in enumerate(outcomes)
        if (outcome.wrong, outcome.around_output, outcome.around_scratch) != (0, 0, 0)
    ]
    assert not bad, "\n".join(bad)
    assert {case.kernel.name for case in cases} == {
        f"dense_{name}"
        for name in (
            "pointwise_asm", "pointwise_asm_packed", "pointwise_asm_chained", "window_asm", "window_asm_packed",
            "window_asm_chained", "pointwise_vector_dsp",
            "window_dsp", "window_vector_dsp", "pointwise_sparse_asm", "window_sparse_asm",
            "pointwise_sparse_blocks_asm", "window_sparse_blocks_asm",
        )
    }  # fmt: skip
