"""ADD and SUB of int8 with an element for each channel, or one for all: all pairs, tails, in place, between guards."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from tests.kernels.elements import ElementCases
from tinycompile.board import load_board
from tinycompile.ir import Array, DType, Node, Quantization, Tensor
from tinycompile.ops import Kernel, Operation, operator_of
from tinycompile.ops._channel_sums import ChannelSumKernel
from tinycompile.ops._fused import FusedAttributes
from tinycompile.quant import Activation


@dataclass(frozen=True)
class Sum:
    """Kind, scales and zero points of both operands and the output, and the activation."""

    kind: str
    scales: tuple[float, float, float]
    zero_points: tuple[int, int, int]
    activation: Activation = Activation.NONE


SUMS = [
    Sum("ADD", (0.0371, 0.0249, 0.0383), (-3, 5, 7)),
    Sum("SUB", (0.05, 0.05, 0.1), (-128, 127, 0)),  # ties everywhere
    Sum("ADD", (0.0371, 0.0249, 0.0383), (-3, 5, -20), Activation.RELU),
    Sum("SUB", (0.0371, 0.0249, 0.0783), (-3, 5, 7), Activation.RELU6),
]


def _operation(
    example: Sum, shapes: tuple[tuple[int, ...], tuple[int, ...]], dtype: DType = DType.INT8
) -> Operation:
    numbers = zip((*shapes, np.broadcast_shapes(*shapes)), example.scales, example.zero_points, strict=True)
    tensors = [
        Tensor(index, f"t{index}", shape, dtype, Quantization((float(np.float32(scale)),), (zero_point,)))
        for index, (shape, scale, zero_point) in enumerate(numbers)
    ]
    node = Node(0, example.kind, "sum", (0, 1), (2,), FusedAttributes(example.activation))
    return Operation(node, (tensors[0], tensors[1]), (tensors[2],))


def _kernels(operation: Operation, board: str = "m7") -> list[Kernel]:
    kernels = operator_of(operation.node).kernels
    return [
        k for k in kernels if isinstance(k, ChannelSumKernel) and k.supports(operation, load_board(board))
    ]


def test_where_it_is_offered() -> None:
    """An element for each of four channels or more, or one for all, on either side, and rows that are worth a call."""
    image = (1, 4, 3, 8)
    for other in ((8,), (1, 1, 1, 8), (1,), ()):
        for shapes in ((image, other), (other, image)):
            assert len(_kernels(_operation(SUMS[0], shapes))) == 1, shapes
    for shapes in (
        (image, image),
        (image, (1, 1, 3, 8)),
        ((1, 4, 3, 3), (3,)),
        ((1, 9, 2, 8), (8,)),
        ((2,), (1,)),
    ):
        assert not _kernels(_operation(SUMS[0], shapes)), shapes
    assert not _kernels(_operation(SUMS[0], (image, (8,))), "host")
    assert not _kernels(_operation(SUMS[0], (image, (8,)), DType.UINT8))


def _all_pairs(example: Sum) -> Iterator[tuple[Operation, Sequence[Array]]]:
    """Every value with every other one; the elements by channel on either side."""
    values = np.arange(-128, 128, dtype=np.int8)
    image, row = (1, 16, 16, 256), (256,)
    yield _operation(example, (image, row)), (values.repeat(256), values)
    yield _operation(example, (row, image)), (values, values.repeat(256))


def _short(example: Sum) -> Iterator[tuple[Operation, Sequence[Array]]]:
    """Pixels and channels around the blocks; one element for all, with every tail."""
    rng = np.random.default_rng(len(str(example)))
    shapes = [((1, 1, pixels, n), (n,)) for n in (4, 5, 7, 8, 13) for pixels in range(1, 10)]
    shapes += [((1, 1, n), (1,)) for n in (*range(4, 24), 300)] + [
        ((1, 1), (3, 7)),
        ((1, 1, 5, 1400), (1400,)),
    ]
    for pair in shapes:
        operands = [rng.integers(-128, 128, int(np.prod(shape))).astype(np.int8) for shape in pair]
        yield _operation(example, pair), operands


def program(board: str) -> str:
    """A program with kernels of every kind."""
    made = ElementCases(board)
    for example in (SUMS[0], SUMS[2]):
        for operation, operands in list(_short(example))[::9]:
            made.append(operation, *_kernels(operation, board), operands)
    return made.text()


@pytest.mark.slow
@pytest.mark.qemu
@pytest.mark.parametrize("name", ["m7", "m4"])
def test_all_pairs_on_boards(name: str, tmp_path: Path) -> None:
    """Every byte, and every guard."""
    made = ElementCases(name)
    for example in SUMS:
        for operation, operands in _all_pairs(example):
            made.append(operation, *_kernels(operation, name), operands)
    for example in (SUMS[0], SUMS[2]):
        for number, (operation, operands) in enumerate(_short(example)):
            made.append(operation, *_kernels(operation, name), operands, number % 4)
    made.run(tmp_path)
