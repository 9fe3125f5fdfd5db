"""SignalWindow, SignalFftAutoScale, SignalRfft, SignalIrfft, SignalEnergy against TFLM."""

import numpy as np

from tests.ops.case import Array, Case, Const, rng_of
from tests.ops.matrix import OperatorMatrix
from tests.ops.signal_cases import signal_case
from tflite_support.builder import Spec

_TYPE_CODES = {"float32": 0, "int32": 2, "int16": 7}


def _window(name: str, shape: tuple[int, ...], shift: int, constant: bool = True) -> Case:
    weights = rng_of(name).integers(-32768, 32768, shape[-1]).astype(np.int16)
    window = Const(weights) if constant else Spec(weights.shape, "int16")
    return signal_case(
        name, "SignalWindow", [Spec(shape, "int16"), window], Spec(shape, "int16"), shift=shift
    )


class TestSignalWindow(OperatorMatrix):
    cases = (
        _window("vector", (15,), 12),
        _window("saturates", (8,), 3),
        _window("no_shift", (8,), 0),
        _window("rows", (2, 3, 5), 15),
        _window("given_weights", (2, 6), 12, constant=False),
    )


def _auto_scale(name: str, *samples: list[int]) -> Case:
    spec = Spec((len(samples[0]),), "int16")
    given = [(np.array(sample, np.int16),) for sample in samples]
    return signal_case(name, "SignalFftAutoScale", [spec], [spec, Spec((), "int32")], given)


class TestSignalFftAutoScale(OperatorMatrix):
    cases = (
        _auto_scale(
            "magnitudes",
            [1, -1, 0],
            [-2, 1, 0],
            [255, 256, -257],
            [16383, 0, 0],
            [-16384, 1, 2],
            [32767, 0, 0],
        ),
        _auto_scale("silence", [0] * 5),
        _auto_scale("lowest", [-32768, 5, -3], [5, -32768, 0], [5, -3, -32768], [-32768, -32768, 1]),
    )


def _pairs(rng: np.random.Generator, shape: tuple[int, ...], dtype: str) -> list[tuple[Array, ...]]:
    """Noise at full and at low level, extremes, a tone, an impulse."""
    if dtype == "float32":
        return [(rng.normal(0, 10, shape).astype(np.float32),) for _ in range(3)]
    info = np.iinfo(dtype)
    tone = np.broadcast_to(0.7 * info.max * np.sin(np.arange(shape[-1]) * 0.31), shape)
    impulse = np.zeros(shape)
    impulse[..., shape[-1] // 3] = info.min
    return [
        (values.astype(dtype),)
        for values in (
            rng.integers(info.min, info.max, shape, endpoint=True),
            rng.integers(-100, 101, shape),
            rng.choice(np.array([info.min, info.max]), shape),
            tone,
            impulse,
            np.full(shape, info.max),
            np.full(shape, info.min),
        )
    ]


def _rfft(shape: tuple[int, ...], length: int, dtype: str) -> Case:
    name = f"{dtype}_{length}_{'x'.join(map(str, shape))}"
    output = Spec((*shape[:-1], length + 2), dtype)
    samples = _pairs(rng_of(name), shape, dtype)
    options = {"T": _TYPE_CODES[dtype], "fft_length": length}
    return signal_case(name, "SignalRfft", [Spec(shape, dtype)], output, samples, **options)


class TestSignalRfft(OperatorMatrix):
    cases = tuple(
        _rfft(shape, length, dtype)
        for dtype in _TYPE_CODES
        for shape, length in (
            ((4,), 4),
            ((8,), 8),
            ((13,), 16),
            ((2, 32), 32),
            ((60,), 64),
            ((480,), 512),
            ((6,), 6),
            ((10,), 10),
            ((30,), 30),
            ((400,), 400),
            ((333,), 480),
            ((1024,), 1024),
        )
    )


def _irfft(shape: tuple[int, ...], dtype: str) -> Case:
    length = shape[-1] - 2
    name = f"{dtype}_{'x'.join(map(str, shape))}"
    output = Spec((*shape[:-1], length), dtype)
    samples = _pairs(rng_of(name), shape, dtype)
    options = {"T": _TYPE_CODES[dtype], "fft_length": length}
    return signal_case(name, "SignalIrfft", [Spec(shape, dtype)], output, samples, **options)


class TestSignalIrfft(OperatorMatrix):
    cases = tuple(
        _irfft(shape, dtype)
        for dtype in _TYPE_CODES
        for shape in ((6,), (10,), (18,), (2, 34), (66,), (514,), (1026,), (8,), (12,), (32,), (402,), (482,))
    )


def _energy(name: str, pairs: int, start: int, end: int) -> Case:
    operands = [Spec((2 * pairs,), "int16")]
    return signal_case(
        name, "SignalEnergy", operands, Spec((pairs,), "uint32"), start_index=start, end_index=end
    )


class TestSignalEnergy(OperatorMatrix):
    cases = (
        _energy("all", 9, 0, 9),
        _energy("one", 1, 0, 1),
    )
