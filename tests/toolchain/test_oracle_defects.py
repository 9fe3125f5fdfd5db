"""What is said against an oracle is true of it, and models with the defect are proved with another one."""

import numpy as np
import pytest

from tflite_support.builder import Builder, Spec
from tinycompile.toolchain.oracle import ask_oracles, run_oracle
from tinycompile.toolchain.oracle_defects import defect_of

_ROWS, _DEPTH, _UNITS = 6, 4, 3


def _dense_per_channel(output: tuple[int, ...]) -> bytes:
    """Rows of ones times weights of ones: every output is the depth, whatever the row."""
    builder = Builder()
    x = builder.input((*output[:-1], _DEPTH), "int8", 1.0, name="x")
    w = builder.const(np.ones((_UNITS, _DEPTH), np.int8), scale=[1.0, 1.0 + 2**-20, 1.0], name="w")
    bias = builder.const(np.zeros(_UNITS, np.int32), scale=[1.0, 1.0 + 2**-20, 1.0], name="b")
    y = Spec(output, "int8", 1.0, name="y")
    return builder.finish([x], [builder.op("FULLY_CONNECTED", [x, w, bias], y, keep_num_dims=True)])


@pytest.mark.needs("module:tflite_runtime", "module:tflite_micro")
def test_rows_behind_a_batch_are_not_computed_by_tflite_runtime():
    model, sample = _dense_per_channel((1, _ROWS, _UNITS)), (np.ones((1, _ROWS, _DEPTH), np.int8),)
    (computed,) = run_oracle("tflite-runtime", model, [sample]).outputs[0]
    assert (computed != _DEPTH).any()
    oracle, result = ask_oracles(["tflite-runtime", "tflm"], model, [sample])
    assert oracle == "tflm"
    np.testing.assert_array_equal(result.outputs[0][0], np.full((1, _ROWS, _UNITS), _DEPTH))


@pytest.mark.needs("module:tflite_runtime")
def test_two_dimensions_are_computed_by_tflite_runtime():
    model, sample = _dense_per_channel((_ROWS, _UNITS)), (np.ones((_ROWS, _DEPTH), np.int8),)
    assert defect_of("tflite-runtime", model) is None
    (computed,) = run_oracle("tflite-runtime", model, [sample]).outputs[0]
    np.testing.assert_array_equal(computed, np.full((_ROWS, _UNITS), _DEPTH))


@pytest.mark.needs("module:tflite_runtime")
def test_scales_of_units_of_floats_are_unknown_to_tflite_runtime():
    builder = Builder()
    x = builder.input((1, _DEPTH), "float32", name="x")
    w = builder.const(np.ones((_UNITS, _DEPTH), np.int8), scale=[1.0, 2.0, 3.0], name="w")
    bias = builder.const(np.array([5, 6, 7], np.float32), name="b")
    y = builder.op("FULLY_CONNECTED", [x, w, bias], Spec((1, _UNITS), "float32", name="y"))
    model = builder.finish([x], [y])
    (computed,) = run_oracle("tflite-runtime", model, [(np.ones((1, _DEPTH), np.float32),)]).outputs[0]
    np.testing.assert_array_equal(computed, [[5, 6, 7]])  # nothing but the bias
    assert defect_of("tflite-runtime", model) is not None


@pytest.mark.needs("module:tflite_runtime", "module:tflite_micro")
@pytest.mark.parametrize("bias", [None, "int32", "int64"])
def test_sums_of_int16_without_bias_are_rounded_otherwise_by_tflm(bias):
    rng, builder = np.random.default_rng(1), Builder()
    x = builder.input((8, _DEPTH), "int16", 3e-5, name="x")
    w = builder.const(rng.integers(-127, 128, (_UNITS, _DEPTH)).astype(np.int8), scale=0.007, name="w")
    operands = [x, w]
    if bias is not None:
        operands.append(builder.const(rng.integers(-2000, 2000, _UNITS).astype(bias), scale=0.007 * 3e-5))
    y = builder.op("FULLY_CONNECTED", operands, Spec((8, _UNITS), "int16", 6e-5, name="y"))
    model = builder.finish([x], [y])
    samples = [(rng.integers(-(2**15), 2**15, (8, _DEPTH)).astype(np.int16),) for _ in range(20)]
    outputs = [run_oracle(oracle, model, samples).outputs for oracle in ("tflite-runtime", "tflm")]
    differs = any((a[0] != b[0]).any() for a, b in zip(*outputs, strict=True))
    assert differs == (bias is None) == (defect_of("tflm", model) is not None)
    assert defect_of("tflite-runtime", model) is None
