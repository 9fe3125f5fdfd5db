"""The assembly kernels build without warnings at every level, with GCC and with clang for Arm; other tests run them."""

import re
import subprocess
from pathlib import Path

import pytest

from tests.kernels import (
    test_channel_sums,
    test_lane_products,
    test_lane_sums,
    test_quantize_float,
    test_tables,
)
from tests.kernels.operations import convolution, depthwise, fully_connected, image_for, pool, window
from tests.kernels.runner import Case, c_program
from tests.kernels_asm.test_column_sums import reduction
from tests.kernels_asm.test_matrix_products import drawn
from tests.kernels_asm.test_resizing import resize
from tests.kernels_asm.test_sparse import pruned
from tinycompile.board import load_board
from tinycompile.ops import operator_of
from tinycompile.quant import Activation
from tinycompile.resources import boards_dir, runtime_dir

pytestmark = pytest.mark.slow

LEVELS = ("-O0", "-Os", "-O2", "-O3")
_WARNINGS = ["-std=c99", "-Wall", "-Wextra", "-Werror", "-Wno-overlength-strings"]


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One program with every assembly kernel, in every granularity."""
    operations = [
        convolution((1, 5, 6, 12), 10, numbers=drawn(2)),
        convolution((1, 5, 5, 120), 9, numbers=drawn(5)),
        convolution((1, 3, 8, 96), 9, numbers=drawn(5)),
        convolution((1, 6, 9, 8), 8, (3, 3), window("SAME"), drawn(1)),
        convolution((1, 7, 9, 3), 5, (3, 3), window("SAME", (2, 2)), drawn(0)),
        convolution((1, 4, 4, 64), 6, (3, 3), window("SAME"), drawn(4)),
        depthwise((1, 9, 11, 8), (3, 3), window("SAME"), drawn(3)),
        depthwise((1, 9, 9, 6), (5, 5), window("SAME", (2, 2)), drawn(5)),
        fully_connected(1, 130, 9, drawn(6)),
    ]
    sparse = [
        pruned(operation, 0.3) for operation in operations if operation.node.kind != "DEPTHWISE_CONV_2D"
    ]
    operations.append(reduction((1, 5, 6, 10)))
    for kind in ("AVERAGE_POOL_2D", "MAX_POOL_2D"):
        operations.append(pool(kind, (1, 5, 9, 6), (3, 3), window("SAME"), Activation.RELU6))
    operations.append(resize((1, 3, 12, 6), (6, 24)))
    board = load_board("m7")
    cases = [
        Case(operation, kernel, granularity, image_for(operation))
        for group, name in ((operations, "asm"), (sparse, "sparse"))
        for operation in group
        for kernel in operator_of(operation.node).kernels_for(operation)
        if name in kernel.name and "asm" in kernel.name and kernel.supports(operation, board)
        for granularity in kernel.granularities
    ]
    expected = {
        "winograd_asm",
        "winograd_row_asm_2",
        "window_asm_packed",
        "depthwise_asm",
        "depthwise_planar_asm",
        "pointwise_planar_asm",
        "window_planar_asm",
        "window_asm_chained",
        "window_sparse_asm",
        "fully_connected_sparse_asm",
        "columns_asm",
        "rows_asm",
        "bilinear_asm",
    }
    assert expected <= {case.kernel.name for case in cases}
    path = tmp_path_factory.mktemp("compilers") / "cases.c"
    path.write_text(_without_values(c_program(cases, board)), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def of_elements(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, ...]:
    """Programs with the elementwise kernels in assembly: floats quantized, sums, products, tables."""
    folder = tmp_path_factory.mktemp("compilers")
    texts = {
        "floats": test_quantize_float.program("float_asm", "m7", test_quantize_float.EXAMPLES[::6]),
        "sums of channels": test_channel_sums.program("m7"),
        "sums": test_lane_sums.program("m7", test_lane_sums.SUMS[:2]),
        "products": test_lane_products.program("m7"),
        "tables": test_tables.program("m7"),
    }
    for name, text in texts.items():
        (folder / f"{name}.c").write_text(_without_values(text), encoding="utf-8")
    return tuple(folder / f"{name}.c" for name in texts)


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.needs("arm-none-eabi-gcc")
def test_gcc(source: Path, of_elements: tuple[Path, ...], level: str) -> None:
    """GCC for Arm."""
    for path in (source, *of_elements):
        _compile([load_board("m7").compiler], path, level)


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.needs("clang", "arm-none-eabi-gcc")
def test_clang(source: Path, of_elements: tuple[Path, ...], level: str) -> None:
    """clang for Arm with the C library of GCC for Arm."""
    found = subprocess.run(
        ["arm-none-eabi-gcc", "-print-file-name=libc.a"],
        check=True,
        capture_output=True,
        text=True,
        timeout=60,
    )
    headers = Path(found.stdout.strip()).resolve().parent.parent / "include"
    for path in (source, *of_elements):
        _compile(["clang", "--target=arm-none-eabi", f"-isystem{headers}"], path, level)


def _without_values(program: str) -> str:
    """What arrays hold has no part in how kernels build, but takes compilers minutes."""

    def zeros(found: re.Match[str]) -> str:
        name, size, attributes, values = found.groups()
        return f"{name}[{size or values.count(',') + 1}]{attributes}= {{ 0 }}"

    return re.sub(r"(static const \w+ \w+)\[(\w*)\]([^=;{]*)= \{([^{}]*)\}", zeros, program)


def _compile(compiler: list[str], source: Path, level: str) -> None:
    command = [*compiler, *load_board("m7").arch_flags, level, *_WARNINGS, f"-I{runtime_dir()}"]
    command += [f"-I{boards_dir() / 'firmware'}", "-c", str(source), "-o", str(source.with_suffix(".o"))]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-2000:]
