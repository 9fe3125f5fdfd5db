"""The cycles by which kernels are chosen are those that the measurement models, for whole models and for their large layers."""

from pathlib import Path
from typing import Any

import pytest

from tinycompile.driver.prove import bench_model

pytestmark = [pytest.mark.qemu, pytest.mark.needs("llvm-mca")]

WHOLE, LARGE_LAYER = 0.10, 0.15
"""How far an estimate may be from the modelled cycles."""
LARGE = 0.05
"""Part of all cycles from which on a layer is a large one."""

MODES = [
    ("vww_96_int8", "speed"),
    ("kws_ref_model", "speed"),
    ("pretrainedResnet_quant", "speed"),
    ("ad01_int8", "speed"),
    ("str_ww_ref_model", "speed"),
    ("person_detect", "speed"),
    ("mcunet_vww1", "speed"),
    ("okay_nabu", "speed"),
    ("kws_ref_model", "ram"),
    ("str_ww_ref_model", "balanced"),
    ("pretrainedResnet_quant", "ram"),
    ("ad01_int8", "ram"),
    ("okay_nabu", "ram"),
]


def check(result: dict[str, Any]) -> None:
    """Compare estimated with modelled cycles."""
    measured = result["cycles_m7"]
    assert result["estimated_cycles"] == pytest.approx(measured, rel=WHOLE)
    large = [layer for layer in result["layers"] if layer["cycles_m7"] > LARGE * measured]
    assert large
    off = {
        f"{layer['index']} {layer['kernel']}": (layer["estimated_cycles"], layer["cycles_m7"])
        for layer in large
        if abs(layer["estimated_cycles"] - layer["cycles_m7"]) > LARGE_LAYER * layer["cycles_m7"]
    }
    assert not off, off


@pytest.mark.parametrize("optimize", ["speed", "balanced", "ram"])
def test_of_the_own_model(optimize: str, digits_model: Path) -> None:
    check(bench_model(digits_model, optimize=optimize, layers=True))


@pytest.mark.models
@pytest.mark.long
@pytest.mark.parametrize("name, optimize", MODES)
def test_of_real_models(name: str, optimize: str, models_dir: Path) -> None:
    oracle = "tflm" if name == "person_detect" else None  # tflite-runtime refuses its quantized_dimension
    check(bench_model(models_dir / f"{name}.tflite", optimize=optimize, layers=True, oracle=oracle))
