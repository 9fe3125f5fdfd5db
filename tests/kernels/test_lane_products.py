"""MUL of int8 four elements at a time: all pairs of operands, every tail and alignment, in place, between guards."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from tests.kernels.elements import ElementCases
from tinycompile.board import load_board
from tinycompile.ir import Array, DType, Node, Quantization, Tensor
from tinycompile.ops import Kernel, Operation, operator_of
from tinycompile.ops._fused import FusedAttributes
from tinycompile.ops._lane_products import ChannelProductKernel, LaneProductKernel
from tinycompile.quant import Activation


@dataclass(frozen=True)
class Scales:
    """Product of the operands' scales over the output's, zero points, and the activation."""

    factor: float
    zero_points: tuple[int, int, int]
    activation: Activation = Activation.NONE


SCALES = [
    Scales(1 / 127, (-3, 7, 5)),
    Scales(0.25, (0, 0, 0)),  # ties everywhere, most outputs saturate
    Scales(1 / 64, (127, -128, 127)),
    Scales(1 / 255, (-128, -128, -128)),
    Scales(0.4999, (-128, 127, -1)),
    Scales(0.0061, (11, -128, -128), Activation.RELU),
    Scales(0.00031, (-128, -128, 40)),
    Scales(2.0**-21, (-77, 99, 3)),
    Scales(0.0093, (-3, 7, -20), Activation.RELU),
    Scales(0.004, (5, -128, -60), Activation.RELU6),
    Scales(0.0021, (-128, -128, 126), Activation.RELU_N1_TO_1),
]


def _operation(
    scales: Scales,
    shapes: tuple[tuple[int, ...], tuple[int, ...]],
    dtype: DType = DType.INT8,
) -> Operation:
    shape = np.broadcast_shapes(*shapes)
    numbers = zip((*shapes, shape), (scales.factor, 1.0, 1.0), scales.zero_points, strict=True)
    tensors = [
        Tensor(index, f"t{index}", extents, dtype, Quantization((float(np.float32(scale)),), (zero_point,)))
        for index, (extents, scale, zero_point) in enumerate(numbers)
    ]
    node = Node(0, "MUL", "mul", (0, 1), (2,), FusedAttributes(scales.activation))
    return Operation(node, (tensors[0], tensors[1]), (tensors[2],))


def _kernels(operation: Operation, board: str = "m7") -> list[Kernel]:
    kinds = (LaneProductKernel, ChannelProductKernel)
    kernels = operator_of(operation.node).kernels
    return [k for k in kernels if isinstance(k, kinds) and k.supports(operation, load_board(board))]


_IMAGE = (1, 4, 3, 8)


def test_where_they_are_offered() -> None:
    """int8 operands of one shape, or one element for each channel or for all on either side."""

    def names(
        scales: Scales = SCALES[0],
        shapes: tuple[tuple[int, ...], tuple[int, ...]] = (_IMAGE, _IMAGE),
        dtype: DType = DType.INT8,
        board: str = "m7",
    ) -> list[str]:
        return [kernel.name for kernel in _kernels(_operation(scales, shapes, dtype), board)]

    assert names() == ["lanes_asm"]
    for other in ((8,), (1, 8), (1, 1, 1, 8)):
        assert names(shapes=(_IMAGE, other)) == names(shapes=(other, _IMAGE)) == ["channels_asm"]
    assert names(shapes=(_IMAGE, ())) == names(shapes=((1, 1), (1, 4, 3, 5))) == ["channels_asm"]
    assert names(shapes=(_IMAGE, (1, 1, 3, 8))) == names(shapes=((), ())) == []
    assert names(shapes=((1, 2, 1, 11), (1,))) == []  # a row may have a call of its own
    assert names(shapes=((2, 1, 1, 3), (2, 1, 1, 3))) == names(shapes=((1, 4, 3, 3), (3,))) == []
    assert names(shapes=((1, 9, 2, 8), (8,))) == []  # a row may have a call of its own
    assert names(board="host") == names(dtype=DType.UINT8) == []
    assert names(Scales(0.01, (0, 0, 0), Activation.RELU)) == ["lanes_asm"]
    assert names(Scales(0.5, (0, 0, 0))) == names(Scales(2.0**-24, (0, 0, 0))) == []


def _all_pairs(scales: Scales) -> Iterator[tuple[Operation, Sequence[Array]]]:
    """Every value with every other one, for operands of one shape, and with the factors on either side."""
    values = np.arange(-128, 128, dtype=np.int8)
    image, row = (1, 16, 16, 256), (1, 1, 1, 256)
    columns, rows = values.repeat(256), np.tile(values, 256)
    yield _operation(scales, (image, image)), (columns, rows)
    yield _operation(scales, (image, row)), (columns, values)
    if scales is SCALES[0]:
        yield _operation(scales, (row, image)), (values, columns)


def _short(scales: Scales) -> Iterator[tuple[Operation, Sequence[Array]]]:
    """Every number of elements around the blocks; pixels and channels around theirs; one factor for all elements."""
    rng = np.random.default_rng(len(str(scales)))
    shapes = [((1, 1, 1, n), (1, 1, 1, n)) for n in (*range(4, 40), 300)]
    shapes += [((1, 1, pixels, n), (n,)) for n in (4, 5, 6, 7, 8, 13, 31) for pixels in range(1, 10)]
    shapes += [((1, 1, n), (1,)) for n in (*range(4, 20), 300)] + [((1, 1), (3, 7))]
    for pair in shapes:
        operands = [rng.integers(-128, 128, int(np.prod(shape))).astype(np.int8) for shape in pair]
        yield _operation(scales, pair), operands


def _cases(board: str) -> ElementCases:
    """All of them, for a board."""
    made = ElementCases(board)
    for scales in SCALES:
        for operation, operands in _all_pairs(scales):
            made.append(operation, *_kernels(operation, board), operands)
    for scales in (SCALES[0], SCALES[3], SCALES[8]):
        for number, (operation, operands) in enumerate(_short(scales)):
            made.append(operation, *_kernels(operation, board), operands, number % 4)
    return made


def program(board: str) -> str:
    """A program with kernels of every kind: signed and not, with and without tails."""
    made = ElementCases(board)
    for scales in (SCALES[0], SCALES[3], SCALES[8]):
        for operation, operands in list(_short(scales))[::9]:
            made.append(operation, *_kernels(operation, board), operands)
    return made.text()


@pytest.mark.slow
@pytest.mark.qemu
@pytest.mark.parametrize("name", ["m7", "m4", "m33"])
def test_all_pairs_on_boards(name: str, tmp_path: Path) -> None:
    """Every byte, and every guard."""
    _cases(name).run(tmp_path)
