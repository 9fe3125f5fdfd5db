"""Bilinear resizes in assembly between guards: factors, alignments, borders, rows with and without a loop, tails of channels.

What the emulator is not needed for: the rounding of all sums, and where the kernel is offered.
"""

from pathlib import Path

import numpy as np
import pytest

from tests.kernels.operations import image_for
from tests.kernels.runner import Case
from tests.kernels_asm.guarded import check_guarded
from tinycompile.assembly.resizing import WHOLE, Place, resized_row
from tinycompile.board import load_board
from tinycompile.ir import DType, Node, Quantization, Tensor
from tinycompile.ops import Operation, operators
from tinycompile.ops._bilinear_asm import BilinearAsm
from tinycompile.ops._resize import ResizeAttributes
from tinycompile.ops.access import Pattern
from tinycompile.program import Granularity

KERNEL = BilinearAsm()
PLAIN, CORNERS, HALF = ResizeAttributes(), ResizeAttributes(align_corners=True), ResizeAttributes(False, True)


def resize(
    shape: tuple[int, ...],
    size: tuple[int, int],
    attributes: ResizeAttributes = PLAIN,
    dtype: DType = DType.INT8,
) -> Operation:
    quantization = Quantization((0.5,), (3,))
    image = Tensor(0, "x", shape, dtype, quantization)
    wanted = Tensor(1, "size", (2,), DType.INT32, None, np.array(size, np.int32))
    node = Node(0, "RESIZE_BILINEAR", "resize", (0, 1), (2,), attributes)
    output = Tensor(2, "y", (shape[0], *size, shape[3]), dtype, quantization)
    operation = Operation(node, (image, wanted), (output,))
    assert [p for limit in operators()["RESIZE_BILINEAR"].limits if (p := limit(operation))] == []
    return operation


def _operations() -> list[Operation]:
    shapes = [
        ((1, 3, 12, 8), (6, 24)), ((1, 3, 4, 5), (6, 8)), ((2, 2, 9, 6), (4, 36)), ((1, 2, 5, 7), (16, 40)),
        ((1, 8, 16, 9), (4, 8)), ((1, 4, 24, 4), (2, 6)), ((1, 4, 6, 4), (8, 6)), ((1, 1, 1, 4), (4, 4)),
        ((1, 2, 4, 2050), (4, 8)), ((1, 6, 24, 4), (6, 48)), ((1, 4, 1, 5), (8, 7)),
    ]  # fmt: skip
    found = [resize(shape, size, attributes) for attributes in (PLAIN, HALF) for shape, size in shapes]
    return [*found, resize((1, 3, 13, 4), (5, 25), CORNERS), resize((1, 5, 5, 6), (9, 17), CORNERS)]


@pytest.mark.slow
@pytest.mark.qemu
@pytest.mark.needs("arm-none-eabi-gcc", "qemu-system-arm")
def test_between_guards(tmp_path: Path) -> None:
    """Random images; and of one extreme value, whose sums are the greatest."""
    board, resizes = load_board("m7"), operators()["RESIZE_BILINEAR"]
    operations = _operations()
    assert all(KERNEL.supports(operation, board) for operation in operations)
    # The calls of other accesses are made by whole models.
    operations = [o for o in operations if resizes.access(o, 0).pattern is Pattern.WINDOW]
    assert len(operations) > 15
    cases = [Case(o, KERNEL, Granularity.ROW, image_for(o, i)) for i, o in enumerate(operations)]
    for value in (-128, 127):
        extreme = np.full(operations[1].input(0).shape, value, np.int8)
        cases.append(Case(operations[1], KERNEL, Granularity.ROW, extreme))
    check_guarded(cases, tmp_path)


def test_means_of_all_sums() -> None:
    """The upper byte of a half, with one more where its upper bit is set, is the mean plus 128: ties go away from zero."""
    sums = np.arange(-128 * WHOLE, 127 * WHOLE + 1)
    halves = sums + 128 * WHOLE + 127
    assert halves.min() >= 0 and (halves + 1).max() < 1 << 16
    means = (halves + (halves >> 15) >> 8) - 128
    assert (means == np.sign(sums) * ((np.abs(sums) + WHOLE // 2) // WHOLE)).all()


def test_where_it_is_offered() -> None:
    """Weights of few bits, four channels of int8, columns with a short period, processors with the DSP extension."""
    board = load_board("m7")
    for attributes in (PLAIN, HALF):
        for factor in (1, 2, 4, 8):
            size = (6 * factor, 6 * factor)
            assert KERNEL.supports(resize((1, 6, 6, 4), size, attributes), board), (attributes, factor)
    assert not KERNEL.supports(resize((1, 6, 6, 4), (96, 96), HALF), board)
    assert not KERNEL.supports(resize((1, 6, 6, 4), (9, 9)), board)
    assert not KERNEL.supports(resize((1, 6, 6, 4), (12, 12), CORNERS), board)
    assert not KERNEL.supports(resize((1, 6, 6, 3), (12, 12)), board)
    assert not KERNEL.supports(resize((1, 6, 6, 4), (12, 12)), load_board("host"))
    assert not KERNEL.supports(resize((1, 6, 6, 4), (12, 12), dtype=DType.INT16), board)


def test_long_rows_without_a_period() -> None:
    """Their code would be as long as they are."""
    random = np.random.default_rng(0).integers(1, 4, 200)
    places = tuple(Place(index, int(weight)) for index, weight in enumerate(random))
    assert resized_row(places, 4, 8) is None
    short = resized_row(places[:20], 4, 8)
    assert short is not None and short.turns == 0
