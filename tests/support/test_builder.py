"""The builder's models mean to the references what they mean to us: expected values are computed here, in real numbers."""

import numpy as np
import pytest
import tflite

from tflite_support.builder import Builder, Spec
from tflite_support.oracles import Answer, Question, ask, is_installed

_RNG = np.random.default_rng(7)
_IMAGE = _RNG.integers(-128, 128, (1, 5, 6, 3), dtype=np.int8)
_SCALE = 0.05


def _real(values: np.ndarray, scale: float, zero_point: int) -> np.ndarray:
    return (values.astype(np.float64) - zero_point) * scale


def _ask(model: bytes, *inputs: np.ndarray) -> Answer:
    answer = ask([Question(model, [inputs])])[0]
    assert answer.refusal is None
    return answer


def _assert_close(found: np.ndarray, real: np.ndarray, scale: float, zero_point: int) -> None:
    """The quantized result is the real one, rounded; the references round twice, so one step is granted."""
    expected = np.clip(np.round(real / scale) + zero_point, -128, 127)
    assert found.shape == expected.shape
    assert np.abs(found - expected).max() <= 1
    assert len(np.unique(found)) > 4  # not a saturated or empty result


def _patches(real: np.ndarray, kernel: int) -> np.ndarray:
    """VALID windows with stride 1: [height, width, kernel, kernel, channels]."""
    windows = np.lib.stride_tricks.sliding_window_view(real[0], (kernel, kernel), axis=(0, 1))
    return windows.transpose(0, 1, 3, 4, 2)


def test_convolution_per_channel() -> None:
    weights = _RNG.integers(-127, 128, (4, 3, 3, 3), dtype=np.int8)
    scales = np.array([0.01, 0.02, 0.005, 0.03], np.float32)
    bias = _RNG.integers(-2000, 2000, 4, dtype=np.int32)
    builder = Builder()
    x = builder.input(_IMAGE.shape, "int8", _SCALE, -7)
    w = builder.const(weights, tuple(scales), axis=0)
    b = builder.const(bias, tuple(scales * _SCALE), axis=0)
    options = {"padding": "VALID", "stride_w": 1, "stride_h": 1, "fused_activation_function": "RELU"}
    y = builder.op("CONV_2D", [x, w, b], Spec((1, 3, 4, 4), "int8", 0.1, -100), **options)
    found = _ask(builder.finish([x], [y]), _IMAGE).outputs[0][0]

    real_weights = weights * scales.reshape(-1, 1, 1, 1).astype(np.float64)
    sums = np.einsum("hwijc,oijc->hwo", _patches(_real(_IMAGE, _SCALE, -7), 3), real_weights)
    real = np.maximum(sums + bias * scales * _SCALE, 0)[None]
    _assert_close(found, real, 0.1, -100)


def test_depthwise_convolution() -> None:
    weights = _RNG.integers(-127, 128, (1, 3, 3, 3), dtype=np.int8)
    builder = Builder()
    x = builder.input(_IMAGE.shape, "int8", _SCALE, 3)
    w = builder.const(weights, (0.01, 0.02, 0.03), axis=3)
    b = builder.const(np.zeros(3, np.int32), (0.01 * _SCALE, 0.02 * _SCALE, 0.03 * _SCALE))
    options = {"padding": "VALID", "stride_w": 1, "stride_h": 1, "depth_multiplier": 1}
    y = builder.op("DEPTHWISE_CONV_2D", [x, w, b], Spec((1, 3, 4, 3), "int8", 0.2, 5), **options)
    found = _ask(builder.finish([x], [y]), _IMAGE).outputs[0][0]
    real = np.einsum(
        "hwijc,ijc->hwc", _patches(_real(_IMAGE, _SCALE, 3), 3), weights[0] * np.array([0.01, 0.02, 0.03])
    )
    _assert_close(found, real[None], 0.2, 5)


def test_fully_connected_then_softmax() -> None:
    x_values = _RNG.integers(-128, 128, (2, 9), dtype=np.int8)
    weights = _RNG.integers(-127, 128, (5, 9), dtype=np.int8)
    builder = Builder()
    x = builder.input((2, 9), "int8", _SCALE, 1)
    w = builder.const(weights, 0.002)
    y = builder.op("FULLY_CONNECTED", [x, w, None], Spec((2, 5), "int8", 0.05, 0), keep_num_dims=False)
    p = builder.op("SOFTMAX", [y], Spec((2, 5), "int8", 1 / 256, -128), beta=1.0)
    logits, probabilities = _ask(builder.finish([x], [y, p]), x_values).outputs[0]
    _assert_close(logits, _real(x_values, _SCALE, 1) @ (weights * 0.002).T, 0.05, 0)
    exponentials = np.exp(_real(logits, 0.05, 0))
    _assert_close(probabilities, exponentials / exponentials.sum(-1, keepdims=True), 1 / 256, -128)


def test_several_inputs_outputs_and_operators() -> None:
    other = _RNG.integers(-128, 128, _IMAGE.shape, dtype=np.int8)
    builder = Builder()
    x = builder.input(_IMAGE.shape, "int8", _SCALE, -7)
    z = builder.input(_IMAGE.shape, "int8", 0.02, 9)
    total = builder.op("ADD", [x, z], Spec(_IMAGE.shape, "int8", 0.06, 0))
    paddings = builder.const(np.array([[0, 0], [1, 0], [0, 2], [0, 0]], np.int32))
    padded = builder.op("PAD", [x, paddings], Spec((1, 6, 8, 3), "int8", _SCALE, -7))
    real_total, found_padded = _ask(builder.finish([x, z], [total, padded]), _IMAGE, other).outputs[0]
    _assert_close(real_total, _real(_IMAGE, _SCALE, -7) + _real(other, 0.02, 9), 0.06, 0)
    expected = np.pad(_IMAGE, [(0, 0), (1, 0), (0, 2), (0, 0)], constant_values=-7)
    assert np.array_equal(found_padded, expected)


def test_split_returns_all_outputs() -> None:
    builder = Builder()
    x = builder.input((1, 4, 6), "int8", _SCALE, 0)
    axis = builder.const(np.array(2, np.int32))
    parts = builder.op("SPLIT", [axis, x], [Spec((1, 4, 2), "int8", _SCALE)] * 3, version=2, num_splits=3)
    values = _RNG.integers(-128, 128, (1, 4, 6), dtype=np.int8)
    found = _ask(builder.finish([x], parts), values).outputs[0]
    assert [part.tolist() for part in found] == [part.tolist() for part in np.split(values, 3, axis=2)]


@pytest.mark.parametrize("oracle", ["tflite-runtime", "tflm"])
def test_subgraphs_of_if(oracle: str) -> None:
    """IF takes the branch that its first input names: two branches that negate or keep."""
    if not is_installed(oracle):
        pytest.skip(f"{oracle} is not installed")
    builder = Builder()
    condition = builder.input((), "bool")
    x = builder.input((3,), "float32")
    then, other = builder.subgraph("then"), builder.subgraph("else")
    a = then.input((3,), "float32")
    double = then.op("ADD", [a, a], Spec((3,), "float32"))
    b = other.input((3,), "float32")
    square = other.op("MUL", [b, b], Spec((3,), "float32"))
    branches = {
        "then_subgraph_index": then.close([a], [double]),
        "else_subgraph_index": other.close([b], [square]),
    }
    y = builder.op("IF", [condition, x], Spec((3,), "float32"), **branches)
    model = builder.finish([condition, x], [y])
    values = np.array([1.5, -2.0, 3.0], np.float32)
    samples = [(np.array(True), values), (np.array(False), values)]
    answer = ask([Question(model, samples)], oracle)[0]
    assert answer.refusal is None
    assert [sample[0].tolist() for sample in answer.outputs] == [[3.0, -4.0, 6.0], [2.25, 4.0, 9.0]]


def test_int4_constants_pack_two_values_into_a_byte() -> None:
    builder = Builder()
    x = builder.input((1, 3), "int8", 1.0)
    values = np.array([[-8, 7, 1]], np.int8)
    w = builder.const(values, 1.0, dtype="int4")
    model = tflite.Model.GetRootAs(builder.finish([x], [w]))
    tensor = model.Subgraphs(0).Tensors(1)
    assert (tensor.Type(), tensor.ShapeAsNumpy().tolist()) == (tflite.TensorType.INT4, [1, 3])
    assert model.Buffers(tensor.Buffer()).DataAsNumpy().tolist() == [0x78, 0x01]


def test_a_custom_operator_has_name_and_options() -> None:
    builder = Builder()
    x = builder.input((4,), "float32")
    y = builder.op("MyFilter", [x], Spec((4,), "float32"), custom_options=b"\x01\x02")
    model = tflite.Model.GetRootAs(builder.finish([x], [y]))
    code = model.OperatorCodes(0)
    assert (code.BuiltinCode(), code.CustomCode()) == (tflite.BuiltinOperator.CUSTOM, b"MyFilter")
    assert model.Subgraphs(0).Operators(0).CustomOptionsAsNumpy().tolist() == [1, 2]


def test_a_refused_model_does_not_hide_the_others() -> None:
    """The reference has no such operator; the model after it is answered."""
    bad, good = Builder(), Builder()
    x = bad.input((4,), "float32")
    y = bad.op("MyFilter", [x], Spec((4,), "float32"))
    z = good.input((4,), "float32")
    w = good.op("ADD", [z, z], Spec((4,), "float32"))
    values = np.ones(4, np.float32)
    first, second = ask(
        [Question(bad.finish([x], [y]), [[values]]), Question(good.finish([z], [w]), [[values]])]
    )
    assert first.refusal is not None
    assert second.outputs[0][0].tolist() == [2.0] * 4
