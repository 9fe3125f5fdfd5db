"""Inputs for verification: full range, extremes, quantized real ones."""

from io import BytesIO
from pathlib import Path

import numpy as np
import pytest

from tflite_support.builder import Builder, Spec
from tinycompile.errors import UsageError
from tinycompile.toolchain import Generated, TensorInfo, load_samples, make_samples


def generated(*inputs):
    return Generated(Path(), "m", inputs, (), ())


def quantize_model(shape=(1, 4), dtype="int8", scale=0.5, zero_point=3):
    """A float input behind which a QUANTIZE stands."""
    builder = Builder()
    x = builder.input(shape, "float32")
    return builder.finish([x], [builder.op("QUANTIZE", [x], Spec(shape, dtype, scale, zero_point))])


INT8 = TensorInfo("int8", (1, 4), scale=0.5, zero_point=3)
FLOAT = TensorInfo("float32", (1, 4))


def test_integers_reach_both_ends_of_their_type():
    samples = make_samples(generated(INT8), quantize_model(), 10)
    values = np.stack([sample[0] for sample in samples])
    assert values.shape == (10, 1, 4)
    assert values.dtype == np.int8
    rows = values.reshape(10, 4).tolist()
    assert [-128] * 4 in rows
    assert [127] * 4 in rows
    assert [-128, 127, -128, 127] in rows
    assert len(np.unique(values)) > 10


def test_samples_are_the_same_each_time_and_a_prefix_of_longer_lists():
    model, info = quantize_model(), generated(INT8)
    long = [sample[0].tolist() for sample in make_samples(info, model, 12)]
    assert [sample[0].tolist() for sample in make_samples(info, model, 12)] == long
    assert [sample[0].tolist() for sample in make_samples(info, model, 3)] == long[:3]


def test_float_inputs_cover_the_range_of_their_quantization_and_a_step_beyond():
    """int8, scale 0.5, zero point 3: -65.5 to 62; saturation is met on both sides."""
    samples = make_samples(generated(FLOAT), quantize_model(), 10)
    values = np.concatenate([sample[0] for sample in samples])
    assert values.dtype == np.float32
    assert (values.min(), values.max()) == (0.5 * (-128 - 3 - 1), 0.5 * (127 - 3 + 1))


def save(tmp_path, **arrays):
    path = tmp_path / "x.npz"
    np.savez(path, **arrays)
    return path


def test_real_inputs_are_quantized(tmp_path):
    path = save(tmp_path, x=np.array([[0, 0.5, -0.5, 1000], [1, 0.24, 0.26, -1000]], np.float32))
    samples = load_samples(generated(INT8), path)
    assert [sample[0].tolist() for sample in samples] == [[[3, 4, 2, 127]], [[5, 3, 4, -128]]]


def test_integers_and_floats_of_the_right_type_are_used_as_they_are(tmp_path):
    path = save(tmp_path, x=np.arange(8, dtype=np.int8).reshape(2, 4))
    assert load_samples(generated(INT8), path)[1][0].tolist() == [[4, 5, 6, 7]]
    path = save(tmp_path, x=np.arange(8, dtype=np.float64).reshape(2, 4) / 3)
    (sample,) = load_samples(generated(FLOAT), path)[1]
    assert (sample.dtype, sample.shape) == (np.float32, (1, 4))


def test_several_inputs_have_an_array_each(tmp_path):
    path = save(tmp_path, x_0=np.zeros((2, 4), np.int8), x_1=np.ones((2, 4), np.float32))
    samples = load_samples(generated(INT8, FLOAT), path)
    assert [[part.dtype.name for part in sample] for sample in samples] == [["int8", "float32"]] * 2


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"y": np.zeros((1, 4))}, "holds y; the model's inputs are x"),
        ({"x": np.zeros((2, 5))}, r"float64 \[2, 5\]; samples of 4 elements"),
        ({"x": np.zeros((0, 4))}, "samples of 4 elements"),
        ({"x": np.zeros((1, 4), np.int32)}, "it is int32; the model takes int8"),
        ({"x": np.float32(1)}, "samples of 4 elements"),
    ],
)
def test_arrays_that_do_not_fit(arrays, message, tmp_path):
    with pytest.raises(UsageError, match=message):
        load_samples(generated(INT8), save(tmp_path, **arrays))


def test_unequal_numbers_of_samples(tmp_path):
    path = save(tmp_path, x_0=np.zeros((2, 4), np.int8), x_1=np.zeros((3, 4), np.float32))
    with pytest.raises(UsageError, match="2, 3 samples"):
        load_samples(generated(INT8, FLOAT), path)


def npy():
    """A single array, which NumPy reads without an archive around it."""
    stream = BytesIO()
    np.save(stream, np.zeros(4))
    return stream.getvalue()


@pytest.mark.parametrize(
    "content", [b"", b"not an archive", b"PK\x03\x04broken", npy()], ids=["empty", "text", "broken", "npy"]
)
def test_files_that_are_no_npz(content, tmp_path):
    path = tmp_path / "x.npz"
    path.write_bytes(content)
    with pytest.raises(UsageError, match="is no NPZ file"):
        load_samples(generated(INT8), path)
    with pytest.raises(UsageError, match="cannot be read"):
        load_samples(generated(INT8), tmp_path / "absent.npz")
