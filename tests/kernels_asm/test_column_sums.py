"""MEAN and SUM over rows and columns between guards: numbers of pixels around the blocks, tails of channels, extreme sums."""

from pathlib import Path

import numpy as np
import pytest

from tests.kernels.operations import image_for
from tests.kernels.runner import Case
from tests.kernels_asm.guarded import run_guarded
from tinycompile.board import load_board
from tinycompile.ir import DType, Node, Quantization, Tensor
from tinycompile.ops import Operation, operators
from tinycompile.ops._reduce import ReduceAttributes
from tinycompile.ops._reduce_asm import ColumnSumKernel
from tinycompile.program import Granularity

KERNEL = ColumnSumKernel()


def reduction(
    shape: tuple[int, ...],
    kind: str = "MEAN",
    axes: tuple[int, ...] = (1, 2),
    factor: float = 0.9,
    zero_points: tuple[int, int] = (-3, 5),
    dtype: DType = DType.INT8,
) -> Operation:
    """`factor` is the input scale over the output's."""
    source = Tensor(0, "x", shape, dtype, Quantization((float(np.float32(factor)),), (zero_points[0],)))
    axis = Tensor(1, "axes", (len(axes),), DType.INT32, None, np.array(axes, np.int32))
    node = Node(0, kind, kind.lower(), (0, 1), (2,), ReduceAttributes(keep_dims=False))
    output = Tensor(2, "y", (0,), dtype, Quantization((1.0,), (zero_points[1],)))
    (inferred,) = operators()[kind].infer(Operation(node, (source, axis), (output,)))
    output = Tensor(2, "y", inferred, dtype, output.quantization)
    operation = Operation(node, (source, axis), (output,))
    assert [p for limit in operators()[kind].limits if (p := limit(operation))] == []
    return operation


def test_where_it_is_offered() -> None:
    """Sums of int8 along columns of at least four channels, on processors with the DSP extension."""
    board = load_board("m7")
    image = (1, 6, 5, 8)
    for axes in ((1, 2), (2,), (1,), (0, 1, 2)):
        assert KERNEL.supports(reduction(image, axes=axes), board), axes
    for axes in ((3,), (1, 2, 3), (2, 3)):
        assert not KERNEL.supports(reduction(image, axes=axes), board), axes
    assert KERNEL.supports(reduction(image, "SUM"), board)
    assert not KERNEL.supports(reduction(image), load_board("host"))
    assert not KERNEL.supports(reduction(image, zero_points=(3, 5), dtype=DType.UINT8), board)
    assert not KERNEL.supports(reduction((1, 6, 5, 3)), board)


def _operations() -> list[Operation]:
    found = [reduction((1, 1, pixels, 4)) for pixels in range(2, 20)]
    found += [reduction((2, 3, 5, channels)) for channels in range(4, 14)]
    found += [
        reduction((1, 16, 16, 5)),
        reduction((1, 23, 23, 4)),
        reduction((1, 9, 57, 6), "SUM", factor=0.004),
    ]
    found += [reduction((2, 3, 5, 8), axes=axes) for axes in ((0, 1, 2), (1,), (2,))]
    found += [reduction((1, 9, 1, 1400)), reduction((1, 3, 1, 4095))]
    for factor in (0.5, 1.0, 3.7, 100.0, 0.001, 1e-9):
        for zero_points in ((-128, 127), (127, -128), (0, 0)):
            found.append(reduction((1, 3, 6, 8), factor=factor, zero_points=zero_points))
            found.append(reduction((1, 3, 6, 8), "SUM", factor=factor, zero_points=zero_points))
    return found


@pytest.mark.slow
@pytest.mark.qemu
@pytest.mark.needs("arm-none-eabi-gcc", "qemu-system-arm")
def test_between_guards(tmp_path: Path) -> None:
    """Random images, and images of one extreme value."""
    operations, board = _operations(), load_board("m7")
    assert all(KERNEL.supports(operation, board) for operation in operations)
    cases = [Case(o, KERNEL, Granularity.WHOLE, image_for(o, i)) for i, o in enumerate(operations)]
    for operation in operations:
        for value in (-128, 127) if operation.input(0).elements < 3000 else ():
            extreme = np.full(operation.input(0).shape, value, np.int8)
            cases.append(Case(operation, KERNEL, Granularity.WHOLE, extreme))
    for index, outcome in enumerate(run_guarded(cases, tmp_path)):
        found = (outcome.wrong, outcome.around_output, outcome.around_scratch)
        assert found == (0, 0, 0), f"{cases[index // 2].operation}: {outcome}"
