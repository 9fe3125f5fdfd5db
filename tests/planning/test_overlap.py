"""Pointwise kernels keep their promise: the output may run over the input as far as the planner lets it."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.kernels.operations import Numbers, convolution, window
from tests.kernels.runner import Case, run_on_board, run_on_host
from tinycompile.board import load_board
from tinycompile.ops import Kernel, Operation, operator_of
from tinycompile.plan import Candidate
from tinycompile.planning.overlap import kernel_overlaps
from tinycompile.program import Granularity

SHAPES = [
    (rows, width, depth, units)
    for rows, width in ((1, 1), (3, 3), (5, 7))
    for depth in (1, 4, 7, 16)
    for units in (1, 3, 8, 24)
]
"""Rows, columns, input channels, output channels: fewer, as many and more outputs than inputs, all tails of pixels."""


def candidate(kernel: Kernel, operation: Operation) -> Candidate:
    """What the planner knows of a kernel."""
    scratch = kernel.scratch_bytes(operation, load_board("m7"))
    step = kernel.step_pixels(operation)
    return Candidate(
        kernel.name,
        0,
        0,
        scratch,
        kernel.granularities,
        step,
        kernel.stages_steps,
        kernel.step_rows(operation),
    )


WINDOWS = [
    (images, rows, width, depth, units, padding)
    for images, rows, width in ((1, 4, 4), (2, 6, 9), (1, 7, 8))
    for depth, units in ((8, 8), (16, 8), (8, 24))
    for padding in ("SAME", "VALID")
]
"""Images, rows, columns, input channels, output channels, padding of convolutions whose kernels go through the rows in order."""


def row_cases() -> Iterator[Case]:
    """Kernels that promise an order of rows, with the output as far over the input as is allowed."""
    for seed, (images, rows, width, depth, units, padding) in enumerate(WINDOWS):
        operation = convolution((images, rows, width, depth), units, (3, 3), window(padding), Numbers(seed))
        for kernel in operator_of(operation.node).kernels_for(operation):
            if kernel.supports(operation, load_board("m7")) and kernel.step_rows(operation):
                (overlap,) = kernel_overlaps(operation, candidate(kernel, operation), (0,))
                image = (
                    np.random.default_rng(seed).integers(-128, 128, operation.input(0).shape).astype(np.int8)
                )
                yield Case(operation, kernel, Granularity.WHOLE, image, overlap.lead_bytes)


def cases() -> Iterator[Case]:
    """Each pointwise kernel on each shape, with the output as far over the input as is allowed."""
    for seed, (rows, width, depth, units) in enumerate(SHAPES):
        operation = convolution((1, rows, width, depth), units, numbers=Numbers(seed))
        for kernel in operator_of(operation.node).kernels_for(operation):
            if Granularity.WHOLE not in kernel.granularities or not kernel.supports(
                operation, load_board("m7")
            ):
                continue
            (overlap,) = kernel_overlaps(operation, candidate(kernel, operation), (0,))
            image = np.random.default_rng(seed).integers(-128, 128, operation.input(0).shape).astype(np.int8)
            yield Case(operation, kernel, Granularity.WHOLE, image, overlap.lead_bytes)


def test_the_lead_grows_with_what_the_output_has_more_than_the_input() -> None:
    operation = convolution((1, 4, 4, 8), 12)
    staged = Candidate("k", 0, 0, 0, (Granularity.WHOLE,), 4, True)
    plain = Candidate("k", 0, 0, 0, (Granularity.WHOLE,), 4, False)
    assert kernel_overlaps(operation, staged, (0,))[0].lead_bytes == 16 * (12 - 8)
    assert kernel_overlaps(operation, plain, (0,))[0].lead_bytes == 16 * 12 - 12 * 8
    assert kernel_overlaps(operation, Candidate("k", 0, 0, 0, (Granularity.WHOLE,)), (0,)) == ()


def test_rows_in_order_may_lie_over_rows_that_were_read() -> None:
    """Two rows of a 3x3 window with padding have read one row more than they write; without padding, two rows more."""
    rows = Candidate("k", 0, 0, 0, (Granularity.WHOLE,), step_rows=2)
    same = convolution((1, 6, 5, 8), 8, (3, 3), window("SAME"))
    valid = convolution((1, 6, 5, 8), 8, (3, 3), window("VALID"))
    wider = convolution((1, 6, 5, 8), 16, (3, 3), window("SAME"))
    assert kernel_overlaps(same, rows, (0,))[0].lead_bytes == 0
    assert kernel_overlaps(valid, rows, (0,))[0].lead_bytes == 2 * 3 * 8 - 4 * 5 * 8
    assert kernel_overlaps(wider, rows, (0,))[0].lead_bytes == 6 * 5 * (16 - 8)


def test_kernels_of_plain_c_on_the_host(tmp_path: Path) -> None:
    found = [case for case in cases() if "asm" not in case.kernel.name]
    assert {case.kernel.name for case in found} >= {"pointwise_portable", "pointwise_dsp"}
    wrong = [
        (c.kernel.name, c.operation.output.shape)
        for c, o in zip(found, run_on_host(found, tmp_path), strict=True)
        if o.wrong
    ]
    assert wrong == []


@pytest.mark.qemu
@pytest.mark.slow
def test_kernels_in_assembly_on_the_emulated_cortex_m7(tmp_path: Path) -> None:
    found = [case for case in (*cases(), *row_cases()) if "asm" in case.kernel.name]
    assert {case.kernel.name for case in found} >= {"pointwise_asm", "winograd_asm"}
    wrong = [
        (c.kernel.name, c.operation.output.shape)
        for c, o in zip(found, run_on_board(found, tmp_path), strict=True)
        if o.wrong
    ]
    assert wrong == []
