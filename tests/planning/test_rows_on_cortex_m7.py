"""Rows that stream through kernels in assembly: random blocks on the emulated Cortex-M7, exact on every byte."""

from pathlib import Path

import pytest

from tests.planning.random_models import random_decoder_model, random_residual_model, random_separable_model
from tinycompile.driver import compile_model
from tinycompile.driver.prove import verify_model

SEEDS = range(6)
BLOCKS = {
    "residual-ram": (random_residual_model, "ram", "winograd_row_asm"),
    "decoder-ram": (random_decoder_model, "ram", "phases_asm"),
    "separable-ram": (random_separable_model, "ram", None),
    "separable-speed": (random_separable_model, "speed", "depthwise_planar_asm"),
}
"""Makes of random blocks, modes, and the kernel that shall compute rows of most of them."""


@pytest.mark.slow
@pytest.mark.qemu
@pytest.mark.needs("arm-none-eabi-gcc", "qemu-system-arm")
@pytest.mark.parametrize("name", BLOCKS)
@pytest.mark.parametrize("seed", SEEDS)
def test_random_blocks_are_exact(seed: int, name: str, tmp_path: Path) -> None:
    """Also what each layer writes, of which some rows are planar."""
    make, optimize, _ = BLOCKS[name]
    model = tmp_path / "block.tflite"
    model.write_bytes(make(seed))
    result = verify_model(model, board="m7", optimize=optimize, samples=3)
    assert result.exact, result.summary()


@pytest.mark.parametrize("name", [name for name, (_, _, kernel) in BLOCKS.items() if kernel])
def test_most_blocks_stream_through_the_kernel(name: str) -> None:
    """Else the test above shows little."""
    make, optimize, kernel = BLOCKS[name]
    found = [kernels_in_streams(make(seed), optimize) for seed in SEEDS]
    assert sum(any(used.startswith(kernel) for used in kernels) for kernels in found) >= 4


def kernels_in_streams(model: bytes, optimize: str) -> set[str]:
    """The kernels of regions with several operators."""
    program = compile_model(model, board="m7", optimize=optimize).program
    streams = [region.stages for region in program.regions if len(region.stages) > 1]
    return {program.layers[stage.layer].kernel for stages in streams for stage in stages}
