"""Rows that stream through kernels in assembly: random blocks on the emulated Cortex-M7, exact on every byte."""

from pathlib import Path

import pytest

from tests.planning.random_models import random_residual_model, random_separable_model
from tinycompile.driver import compile_model
from tinycompile.driver.prove import verify_model

SEEDS = range(6)


def kernels_in_streams(model: Path, optimize: str = "ram") -> set[str]:
    """The kernels of regions with several operators."""
    program = compile_model(model, board="m7", optimize=optimize).program
    streams = [region.stages for region in program.regions if len(region.stages) > 1]
    return {program.layers[stage.layer].kernel for stages in streams for stage in stages}


@pytest.mark.slow
@pytest.mark.qemu
@pytest.mark.needs("arm-none-eabi-gcc", "qemu-system-arm")
@pytest.mark.parametrize("seed", SEEDS)
def test_random_residual_blocks_are_exact(seed: int, tmp_path: Path) -> None:
    model = tmp_path / "block.tflite"
    model.write_bytes(random_residual_model(seed))
    result = verify_model(model, board="m7", optimize="ram", samples=3)
    assert result.exact, result.summary()


def test_the_blocks_stream_through_winograd(tmp_path: Path) -> None:
    """Most blocks run as one stream in which Winograd makes row after row: else the test above shows little."""
    found = 0
    for seed in SEEDS:
        model = tmp_path / f"block{seed}.tflite"
        model.write_bytes(random_residual_model(seed))
        found += any(name.startswith("winograd_row_asm") for name in kernels_in_streams(model))
    assert found >= 4


@pytest.mark.slow
@pytest.mark.qemu
@pytest.mark.needs("arm-none-eabi-gcc", "qemu-system-arm")
@pytest.mark.parametrize("optimize", ["speed", "ram"])
@pytest.mark.parametrize("seed", SEEDS)
def test_random_separable_blocks_are_exact(seed: int, optimize: str, tmp_path: Path) -> None:
    """Also what each layer writes, of which some rows are planar."""
    model = tmp_path / "block.tflite"
    model.write_bytes(random_separable_model(seed))
    result = verify_model(model, board="m7", optimize=optimize, samples=3)
    assert result.exact, result.summary()


def test_depthwise_convolutions_read_planar_rows(tmp_path: Path) -> None:
    """In most blocks: else the test above shows little."""
    found = 0
    for seed in SEEDS:
        model = tmp_path / f"block{seed}.tflite"
        model.write_bytes(random_separable_model(seed))
        found += "depthwise_planar_asm" in kernels_in_streams(model, "speed")
    assert found >= 4
