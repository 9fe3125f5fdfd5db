"""Whole models on the host and on the emulated Cortex-M7: integers equal the oracle's bytes, floats are within the tolerance."""

from pathlib import Path

import pytest

from tinycompile.driver import compile_model
from tinycompile.driver.prove import verify_model
from tinycompile.toolchain import VerifyResult

ORACLES = {
    "vww_96_int8": "tflite-runtime",
    "kws_ref_model": "tflite-runtime",
    "pretrainedResnet_quant": "tflite-runtime",
    "ad01_int8": "tflite-runtime",
    "str_ww_ref_model": "tflite-runtime",
    "person_detect": "tflm",  # tflite-runtime refuses its quantized_dimension
    "micro_speech_quantized": "tflite-runtime",
    "hello_world_int8": "tflite-runtime",
    "mcunet_vww1": "tflite-runtime",
    "MobileNetV2": "tflite-runtime",
    "rnnoise_INT8": "tflite-runtime",
    "trained_lstm_int8": "tflite-runtime",
    "keyword_scrambled_8bit": "tflm",  # it aborts tflite-runtime
}

FLOAT_ORACLES = {
    "ad01_fp32": "tflite-runtime",
    "kws_ref_model_float32": "tflite-runtime",  # float activations, int8 weights
    "pretrainedResnet_float": "tflite-runtime",
    "vww_96_float": "tflite-runtime",
}

PEAK_BYTES = {
    "vww_96_int8": 55_296,
    "kws_ref_model": 16_000,
    "pretrainedResnet_quant": 49_152,
    "ad01_int8": 768,
    "mcunet_vww1": 96_000,
}
"""Live peak of the memory study, column (e): what any planner needs that runs layer by layer without overlap."""

LARGEST_SCRATCH_BYTES = 2048


BOARDS = ["host", pytest.param("m7", marks=pytest.mark.qemu)]


@pytest.mark.models
@pytest.mark.parametrize("board", BOARDS)
@pytest.mark.parametrize("name", ORACLES)
def test_integers_are_exact(name: str, board: str, models_dir: Path, samples_dir: Path) -> None:
    result = verified(name, board, ORACLES[name], models_dir, samples_dir)
    assert result.exact, result.summary()


@pytest.mark.models
@pytest.mark.parametrize("board", BOARDS)
@pytest.mark.parametrize("name", FLOAT_ORACLES)
def test_floats_are_within_the_tolerance(name: str, board: str, models_dir: Path, samples_dir: Path) -> None:
    result = verified(name, board, FLOAT_ORACLES[name], models_dir, samples_dir)
    assert result.passed, result.summary()


def verified(name: str, board: str, oracle: str, models_dir: Path, samples_dir: Path) -> VerifyResult:
    """A model beside an oracle, with real inputs where there are some."""
    real = samples_dir / f"{name}.npz"
    inputs = real if real.exists() else None
    result = verify_model(models_dir / f"{name}.tflite", board=board, inputs=inputs, oracle=oracle)
    assert result.samples >= 10
    return result


@pytest.mark.models
@pytest.mark.parametrize("name", PEAK_BYTES)
def test_the_arena_is_the_live_peak_and_a_little_scratch(name: str, models_dir: Path) -> None:
    report = compile_model(models_dir / f"{name}.tflite", board="m7").report
    assert report["arena_bytes"] <= PEAK_BYTES[name] + LARGEST_SCRATCH_BYTES


@pytest.mark.models
@pytest.mark.parametrize("name", ["kws_ref_model", "ad01_int8"])
def test_the_same_input_gives_the_same_bytes(name: str, models_dir: Path) -> None:
    first = compile_model(models_dir / f"{name}.tflite", board="m7")
    second = compile_model((models_dir / f"{name}.tflite").read_bytes(), board="m7", name=name)
    assert dict(first.files) == dict(second.files)
