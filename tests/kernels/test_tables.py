"""Tables of bytes in assembly: every number of elements around the blocks, every alignment and byte, in place."""

from pathlib import Path

import numpy as np
import pytest

from tests.kernels.elements import ElementCases
from tinycompile.board import load_board
from tinycompile.ir import DType, Node, Quantization, Tensor
from tinycompile.ops import LookupAttributes, Operation, operator_of
from tinycompile.ops._fused import FusedAttributes
from tinycompile.ops._lookup_asm import TableAsmKernel


def _tensor(index: int, shape: tuple[int, ...], dtype: DType) -> Tensor:
    return Tensor(index, f"t{index}", shape, dtype, Quantization((1.0,), (0,)))


def _operation(elements: int, source: DType = DType.INT8, output: DType = DType.INT8) -> Operation:
    """A table of random outputs."""
    low, high = output.limits
    table = np.random.default_rng(elements).integers(low, high + 1, 256)
    shape = (1, 1, 1, elements)
    node = Node(0, "LOOKUP", "lookup", (0,), (1,), LookupAttributes(tuple(table.tolist())))
    return Operation(node, (_tensor(0, shape, source),), (_tensor(1, shape, output),))


def _kernels(operation: Operation, board: str = "m7") -> list[TableAsmKernel]:
    kernels = operator_of(operation.node).kernels
    return [k for k in kernels if isinstance(k, TableAsmKernel) and k.supports(operation, load_board(board))]


def test_where_they_are_offered() -> None:
    """For outputs of one byte, not on the host, not for less than four elements."""
    assert len(_kernels(_operation(4))) == len(_kernels(_operation(64, DType.UINT8, DType.INT8))) == 1
    assert _kernels(_operation(64, output=DType.INT16)) == _kernels(_operation(3)) == []
    assert _kernels(_operation(64), "host") == []
    rows = [
        Tensor(i, f"t{i}", (1, 9, 1, n), DType.INT8, Quantization((1.0,), (0,)))
        for i, n in ((0, 19), (1, 20))
    ]
    node = _operation(64).node
    assert [len(_kernels(Operation(node, (row,), (row,)))) for row in rows] == [
        0,
        1,
    ]  # a row may have its call


@pytest.mark.parametrize("constant", [0, 1])
def test_beside_a_constant_of_one_element(constant: int) -> None:
    """MUL by it is a table, whichever operand it is; by two of them it is not."""

    def operation(elements: int) -> Operation:
        tensors = [_tensor(0, (1, 2, 4, 8), DType.INT8)] * 2
        values = np.full(elements, 64, np.int8)
        tensors[constant] = Tensor(1, "c", (elements,), DType.INT8, Quantization((1.0,), (0,)), values)
        output = Tensor(2, "out", (1, 2, 4, 8), DType.INT8, Quantization((64.0,), (4,)))
        node = Node(0, "MUL", "mul", (0, 1), (2,), FusedAttributes())
        return Operation(node, tuple(tensors), (output,))

    (kernel,) = _kernels(operation(1))
    code = kernel.lower(operation(1), load_board("m7"), kernel.granularities[0])
    assert [index for index, _ in code.inputs] == [1 - constant]
    inputs = np.arange(256, dtype=np.uint8).view(np.int8)
    assert (code.constants[0].values == np.clip(inputs.astype(np.int64) + 4, -128, 127)).all()
    assert _kernels(operation(8)) == []


def _cases(board: str) -> ElementCases:
    made = ElementCases(board)
    types = [(DType.INT8, DType.INT8), (DType.UINT8, DType.INT8), (DType.INT8, DType.UINT8)]
    for number, elements in enumerate((*range(4, 75), 256, 515, 65536)):
        operation = _operation(elements, *types[number % 3])
        (kernel,) = _kernels(operation, board)
        values = (np.arange(elements) * 7 + number).astype(np.uint8).view(operation.input(0).dtype.numpy)
        made.append(operation, kernel, [values], number % 4)
    return made


def program(board: str) -> str:
    """A program with all blocks."""
    return _cases(board).text()


@pytest.mark.slow
@pytest.mark.qemu
@pytest.mark.parametrize("name", ["m7", "m4", "m33"])
def test_on_boards(name: str, tmp_path: Path) -> None:
    """Every byte, and every guard."""
    _cases(name).run(tmp_path)
