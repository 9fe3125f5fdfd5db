"""Winograd's F(4, 3) along a row: the transform itself, and the kernel for every tail of columns and every kind of window."""

from pathlib import Path

import numpy as np
import pytest

from tests.kernels.operations import Numbers, convolution, window
from tests.kernels_asm.test_matrix_products import DRAWS, check, drawn
from tinycompile.assembly.scheduler import Step
from tinycompile.assembly.winograd_row import RowTiles, transform
from tinycompile.board import load_board
from tinycompile.ops import Operation
from tinycompile.ops._asm_scaling import WINOGRAD_ROW_SCALE, row_transformed_weights, winograd_row_scaling
from tinycompile.ops._conv_2d_dsp import convolution_channels
from tinycompile.ops._conv_2d_winograd_row import WinogradRowAsm

B = np.array(
    [
        [4, 0, -5, 0, 1, 0],
        [0, -4, -4, 1, 1, 0],
        [0, 4, -4, -1, 1, 0],
        [0, -2, -1, 2, 1, 0],
        [0, 2, -1, -2, 1, 0],
        [0, 4, 0, -5, 0, 1],
    ]
)
A = np.array([[1, 1, 1, 1, 1, 0], [0, 1, -1, 2, -2, 0], [0, 1, 1, 4, 4, 0], [0, 1, -1, 8, -8, 1]])
"""B' and A' of the paper for the points 0, 1, -1, 2, -2 and infinity."""

KERNELS = {"winograd_row_asm_2", "winograd_row_asm_1"}

on_the_emulator = [
    pytest.mark.slow,
    pytest.mark.qemu,
    pytest.mark.needs("arm-none-eabi-gcc", "qemu-system-arm"),
]


@pytest.mark.parametrize("rows", [1, 2, 3])
def test_products_of_transforms_are_24_times_the_convolution(rows: int) -> None:
    """A' [U * (B' d)] of random tiles, summed over rows and channels, computed with the matrices of the paper."""
    channels = convolution_channels(convolution((1, rows, 6, 8), 4, (rows, 3), window("VALID"), drawn(3)))
    weights = channels.weights.astype(np.int64).reshape(4, rows, 3, 8)
    tile = np.random.default_rng(5).integers(-128, 128, (rows, 6, 8))
    u = row_transformed_weights(channels, rows).reshape(4, 6, rows, 8)
    made = np.einsum("si,oirc,ik,rkc->os", A, u, B, tile)
    direct = np.stack([(weights * tile[:, x : x + 3]).sum(axis=(1, 2, 3)) for x in range(4)], axis=1)
    assert (made == WINOGRAD_ROW_SCALE * direct).all()


@pytest.mark.parametrize("tiles", [1, 2])
def test_the_transform_of_extreme_inputs(tiles: int) -> None:
    """The printed steps make B' of inputs that are 128 higher, in lanes that never touch each other."""
    shape, rng = RowTiles(tiles, 1, 4), np.random.default_rng(tiles)
    for draw in range(60):
        reach = rng.choice([-128, 127], (shape.columns, 4))
        inputs = reach if draw < 50 else rng.integers(-128, 128, reach.shape)
        stored = _run(transform(shape).steps, inputs.astype(np.int8).tobytes())
        for tile in range(tiles):
            expected = B @ (inputs[4 * tile : 4 * tile + 6] + 128)
            for half in range(2):
                at = 4 * (half * tiles + tile)
                words = np.array([stored[p * shape.position_bytes + at] for p in range(6)], np.uint32)
                lanes = words.view(np.int16).reshape(6, 2)
                assert (lanes == expected[:, half::2]).all()


def _run(steps: tuple[Step, ...], row: bytes) -> dict[int, int]:
    """Run the steps of a transform: what they store, by offset."""
    registers, stored = {1: 0x80808080}, {}
    for kind, *numbers in steps:
        n = [int(number) for number in numbers]
        if kind == "store":
            stored[n[2]] = registers[n[0]]
        elif kind == "load":
            registers[n[0]] = int.from_bytes(row[n[2] : n[2] + 4], "little")
        else:
            registers[n[0]] = _computed(str(kind), [registers[r] for r in n[1:]])
    return stored


def _computed(kind: str, operands: list[int]) -> int:
    """What one instruction makes of words, as the Armv7-M manual says."""
    a, b = operands[0], operands[-1]
    if kind.startswith("uxtb16"):
        return (a >> (8 if kind.endswith("ror8") else 0)) & 0x00FF00FF
    if kind in ("sadd16", "ssub16"):
        sign = 1 if kind == "sadd16" else -1
        low, high = ((a >> s & 0xFFFF) + sign * (b >> s & 0xFFFF) & 0xFFFF for s in (0, 16))
        return high << 16 | low
    return {"eor": a ^ b, "add": a + b & 0xFFFFFFFF}[kind]


def test_only_what_has_the_form_is_taken() -> None:
    """Three columns with stride 1, channels in fours, four or eight outputs in a row; rows are free."""
    one, two, board = WinogradRowAsm(1), WinogradRowAsm(2), load_board("m7")
    good = convolution((1, 6, 9, 8), 8, (3, 3), window("SAME"))
    assert all(kernel.supports(good, board) for kernel in (one, two))
    assert not one.supports(good, load_board("host"))
    narrow = convolution((1, 6, 7, 8), 8, (3, 3), window("SAME"))
    assert one.supports(narrow, board) and not two.supports(narrow, board)
    assert one.supports(convolution((1, 6, 9, 8), 8, (5, 3), window("SAME", (2, 1))), board)
    for bad in (
        convolution((1, 6, 9, 8), 8, (3, 3), window("SAME", (1, 2))),
        convolution((1, 9, 9, 8), 8, (3, 3), window("SAME", (1, 1), (1, 2))),
        convolution((1, 6, 9, 8), 8, (3, 2), window("SAME")),
        convolution((1, 6, 9, 10), 8, (3, 3), window("SAME")),
        convolution((1, 6, 9, 8), 7, (3, 3), window("SAME")),
        convolution((1, 6, 5, 8), 8, (3, 3), window("VALID")),
        convolution((1, 6, 9, 16), 8, (3, 3), window("SAME"), groups=2),
    ):
        assert not one.supports(bad, board) and not two.supports(bad, board)


def checked(operations: list[Operation], folder: Path, flags: tuple[str, ...] = ("-O2",)) -> set[str]:
    """Every output byte is right and no guard is touched; the names of the kernels."""
    return {case.kernel.name for case in check(operations, folder, flags)}


@pytest.mark.parametrize("draw", range(len(DRAWS)))
class TestOnTheEmulator:
    """Every tail of columns with all forms of requantization."""

    pytestmark = on_the_emulator

    def test_columns(self, draw: int, tmp_path: Path) -> None:
        """Images that begin and end outside of a tile, with rows outside of the image; one image and two."""
        widths = range(4 + draw, 20, 3)
        operations = [
            convolution(
                (1 + width % 2, 1 + (width + draw) % 4, width, (8, 12, 16)[(width + draw) % 3]),
                (8, 16)[width % 2],
                (3, 3),
                window("SAME"),
                drawn(draw + 8 * width),
            )
            for width in widths
        ]
        assert KERNELS & checked(operations, tmp_path)

    def test_windows(self, draw: int, tmp_path: Path) -> None:
        """Windows of one to five rows with strides and dilation between the rows, with and without padding."""
        windows = [
            ((1, 3), window("SAME")), ((2, 3), window("SAME", (2, 1))), ((4, 3), window("SAME", (1, 1), (2, 1))),
            ((5, 3), window("SAME", (3, 1))), ((3, 3), window("VALID")), ((1, 3), window("VALID")),
        ]  # fmt: skip
        operations = [
            convolution((1, 9, 10 + (draw + i) % 5, 8), 8, taps, options, drawn(draw + 8 * i))
            for i, (taps, options) in enumerate(windows)
        ]
        assert checked(operations, tmp_path) >= KERNELS


def numbers_without_constants(depth: int) -> Numbers:
    """Numbers for which no constants take sums times 24, so that the kernel divides them."""
    for seed in range(100):
        numbers = Numbers(seed=seed, extreme_weights=True, least_weight=-128, bias_reach=10**6)
        operation = convolution((1, 3, 9, depth), 64, (3, 3), window("SAME"), numbers)
        made = winograd_row_scaling(convolution_channels(operation), 3)
        if made is not None and made.how.doubled:
            return numbers
    raise AssertionError("the solver finds constants for all of them")


class TestLayers:
    """Layers that a few draws of small ones do not have."""

    pytestmark = on_the_emulator

    def test_deep(self, tmp_path: Path) -> None:
        """Depths whose products take loops."""
        shapes = [(9, 20, 8), (8, 32, 8), (11, 64, 16), (8, 68, 4), (5, 100, 8), (4, 128, 8)]
        operations = [
            convolution((1, 2, width, depth), channels, (3, 3), window("SAME"), drawn(depth))
            for width, depth, channels in shapes
        ]
        assert checked(operations, tmp_path) >= KERNELS

    def test_sums_that_are_divided(self, tmp_path: Path) -> None:
        """A layer whose sums no constants take as they come."""
        operation = convolution((1, 3, 9, 32), 64, (3, 3), window("SAME"), numbers_without_constants(32))
        assert checked([operation], tmp_path) >= KERNELS

    @pytest.mark.parametrize("flags", ["-O0", "-Os", "-O3", "-O2 -flto"])
    def test_optimisation_levels(self, flags: str, tmp_path: Path) -> None:
        """The kernel does not depend on what the compiler makes of the code around it."""
        operations = [convolution((1, 5, 9, 8), 8, (3, 3), window("SAME"), drawn(i)) for i in range(2)]
        assert checked(operations, tmp_path, tuple(flags.split())) >= KERNELS
