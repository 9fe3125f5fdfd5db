"""The cycles by which kernels are chosen are those that the measurement models, for whole models and for their large layers."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tflite_support.builder import Builder, Spec
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


@pytest.mark.parametrize(
    "taps, image, channels",
    [(2, (12, 12, 32), 16), (3, (12, 12, 32), 16), (4, (12, 12, 32), 16), (3, (20, 20, 12), 1)],
    ids=str,
)
def test_of_transposed_convolutions(
    taps: int, image: tuple[int, int, int], channels: int, tmp_path: Path
) -> None:
    """Stride 2; with 16 channels one multiply-accumulate takes less than 0.9 cycles."""
    rows, columns, depth = image
    rng, builder, out = np.random.default_rng(taps), Builder(), (1, 2 * rows, 2 * columns, channels)
    x = builder.input((1, *image), scale=0.05, zero_point=-3)
    shape = builder.const(np.array(out, np.int32))
    filters = rng.integers(-127, 128, (channels, taps, taps, depth)).astype(np.int8)
    weights = builder.const(filters, scale=rng.uniform(0.002, 0.01, channels).tolist())
    options = {"padding": "SAME", "stride_h": 2, "stride_w": 2}
    y = builder.op("TRANSPOSE_CONV", [shape, weights, x], Spec(out, "int8", 0.5, 7), version=2, **options)
    model = tmp_path / "transposed.tflite"
    model.write_bytes(builder.finish([x], [y]))
    result = bench_model(model, layers=True)
    check(result)
    if channels >= 16:
        assert result["cycles_m7"] < 0.9 * rows * columns * depth * taps * taps * channels


def convolution(
    image: tuple[int, int, int],
    taps: tuple[int, int],
    stride: int = 1,
    dilation: int = 1,
    density: float = 1.0,
) -> bytes:
    """A model of one CONV_2D with padding and 24 channels; so many of its weights are not zero."""
    rng, builder, channels = np.random.default_rng(dilation), Builder(), 24
    x = builder.input((1, *image), scale=0.05, zero_point=-3)
    filters = rng.integers(-127, 128, (channels, *taps, image[2]))
    filters *= rng.random(filters.shape) < density
    scales = rng.uniform(0.002, 0.01, channels).tolist()
    weights = builder.const(filters.astype(np.int8), scale=scales, zero_point=(0,) * channels)
    bias = builder.const(rng.integers(-2000, 2000, channels).astype(np.int32))
    options = {
        "padding": "SAME", "stride_h": stride, "stride_w": stride, "dilation_h_factor": dilation, "dilation_w_factor": dilation
    }  # fmt: skip
    output = Spec((1, -(-image[0] // stride), -(-image[1] // stride), channels), "int8", 0.5, 7)
    y = builder.op("CONV_2D", [x, weights, bias], output, **options)
    return builder.finish([x], [y])


@pytest.mark.parametrize(
    "image, taps, dilation", [((1, 101, 20), (1, 3), 2), ((12, 12, 5), (3, 3), 3)], ids=str
)
def test_of_dilated_convolutions(
    image: tuple[int, int, int], taps: tuple[int, int], dilation: int, tmp_path: Path
) -> None:
    """No byte of a window is copied before it is staged."""
    model = tmp_path / "dilated.tflite"
    model.write_bytes(convolution(image, taps, dilation=dilation))
    check(bench_model(model, layers=True))


@pytest.mark.parametrize(
    "image, taps, stride", [((25, 10, 1), (10, 4), 2), ((20, 20, 3), (3, 3), 1)], ids=str
)
def test_of_pruned_convolutions(
    image: tuple[int, int, int], taps: tuple[int, int], stride: int, tmp_path: Path
) -> None:
    """Few weights are left, so the copies of the rows count, in accesses of a byte or two."""
    model = tmp_path / "pruned.tflite"
    model.write_bytes(convolution(image, taps, stride, density=0.05))
    result = bench_model(model, layers=True)
    assert result["layers"][0]["kernel"] == "window_sparse_asm"
    check(result)


@pytest.mark.parametrize("dtype", ["int8", "int16"])
def test_of_floats_as_outputs(dtype: str, tmp_path: Path) -> None:
    """DEQUANTIZE in plain C."""
    builder, shape = Builder(), (1, 12, 12, 16)
    x = builder.input(shape, dtype, 0.05, 0)
    y = builder.op("DEQUANTIZE", [x], Spec(shape, "float32"))
    model = tmp_path / "floats.tflite"
    model.write_bytes(builder.finish([x], [y]))
    check(bench_model(model, layers=True))


@pytest.mark.parametrize("image", [(15, 9, 48), (3, 7, 17)], ids=str)
def test_of_means(image: tuple[int, int, int], tmp_path: Path) -> None:
    """Pixels that are left behind the last whole turn of the loop cost most."""
    builder = Builder()
    x = builder.input((1, *image), scale=0.05, zero_point=-3)
    axes = builder.const(np.array([1, 2], np.int32))
    y = builder.op("MEAN", [x, axes], Spec((1, image[2]), "int8", 0.03, 5), keep_dims=False)
    model = tmp_path / "mean.tflite"
    model.write_bytes(builder.finish([x], [y]))
    check(bench_model(model, layers=True))


@pytest.mark.models
@pytest.mark.long
@pytest.mark.parametrize("name, optimize", MODES)
def test_of_real_models(name: str, optimize: str, models_dir: Path) -> None:
    oracle = "tflm" if name == "person_detect" else None  # tflite-runtime refuses its quantized_dimension
    check(bench_model(models_dir / f"{name}.tflite", optimize=optimize, layers=True, oracle=oracle))
