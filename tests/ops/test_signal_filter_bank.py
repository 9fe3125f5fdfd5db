"""The operators of TFLM's front end that work on bands, from SignalFilterBank to SignalFilterBankLog, against TFLM."""

import numpy as np

from tests.ops.case import Array, Case, Const, rng_of
from tests.ops.matrix import OperatorMatrix
from tests.ops.signal_cases import signal_case
from tflite_support.builder import Spec


def _words(rng: np.random.Generator, count: int) -> list[tuple[Array, ...]]:
    """uint32 of all magnitudes, the ends, small numbers."""
    edges = np.array([0, 1, 2, 3, 0xFFFF, 0x10000, 0xFFFFFFFF, 0x80000000, 0x7FFFFFFF])
    return [
        (values.astype(np.uint32),)
        for values in (
            rng.integers(0, 1 << 32, count) >> rng.integers(0, 32, count),
            rng.choice(edges, count),
            rng.integers(0, 70, count),
            rng.integers(0, 1 << 32, count),
        )
    ]


def _filter_bank(name: str, energies: int, widths: list[int]) -> Case:
    rng = rng_of(name)
    starts = np.cumsum([0, *widths[:-1]])
    offsets = np.cumsum([0, *(width + 1 for width in widths[:-1])])
    tables = [rng.integers(0, 4097, sum(widths) + len(widths)) for _ in range(2)] + [
        starts,
        offsets,
        np.array(widths),
    ]
    operands = [Spec((energies,), "uint32"), *(Const(table.astype(np.int16)) for table in tables)]
    channels = len(widths) - 1
    output = Spec((channels,), "uint64")
    samples = _words(rng, energies)
    return signal_case(name, "SignalFilterBank", operands, output, samples, num_channels=channels)


class TestSignalFilterBank(OperatorMatrix):
    cases = (
        _filter_bank("widening", 40, [1, 1, 2, 3, 5, 8, 13]),
        _filter_bank("one_channel", 9, [4, 5]),
        _filter_bank("empty_band", 20, [3, 0, 6, 2]),
    )


def _square_root(name: str, values: list[int], shifts: list[int]) -> Case:
    operands = [Spec((len(values),), "uint64"), Spec((), "int32")]
    samples = [(np.array(values, np.uint64), np.array(shift, np.int32)) for shift in shifts]
    return signal_case(name, "SignalFilterBankSquareRoot", operands, Spec((len(values),), "uint32"), samples)


_SQUARES = [
    r * r + d for r in (1, 2, 255, 65535, 65536, 1 << 20, (1 << 32) - 1) for d in (-1, 0, 1, r, r + 1)
]


class TestSignalFilterBankSquareRoot(OperatorMatrix):
    cases = (
        _square_root("around_squares", [v for v in _SQUARES if v < 1 << 64], [0, 3]),
        _square_root("edges", [0, 1, 2, 3, (1 << 32) - 1, 1 << 32, (1 << 64) - 1], [0, 1, 31]),
        _square_root(
            "random", [int(v) for v in rng_of("roots").integers(0, 1 << 63, 50) >> np.arange(50)], [0, 5]
        ),
    )


def _subtraction(name: str, channels: int, **changed: int | bool) -> Case:
    options: dict[str, int | bool] = {
        "alternate_one_minus_smoothing": 15000,
        "alternate_smoothing": 1384,
        "clamping": False,
        "min_signal_remaining": 819,
        "num_channels": channels,
        "one_minus_smoothing": 15974,
        "smoothing": 410,
        "smoothing_bits": 10,
        "spectral_subtraction_bits": 14,
    } | changed
    outputs = [Spec((channels,), "uint32")] * 2
    samples = [sample for _ in range(3) for sample in _words(rng_of(name), channels)]
    operands = [Spec((channels,), "uint32")]
    return signal_case(name, "SignalFilterBankSpectralSubtraction", operands, outputs, samples, **options)


class TestSignalFilterBankSpectralSubtraction(OperatorMatrix):
    cases = (
        _subtraction("odd_channels", 7),
        _subtraction("clamping", 8, clamping=True),
        _subtraction("no_smoothing_bits", 5, smoothing_bits=0),
        _subtraction("one_channel", 1, spectral_subtraction_bits=3),
    )


def _pcan(name: str, channels: int, shift: int, reach: int) -> Case:
    rng = rng_of(name)
    table = rng.integers(-reach, reach + 1, 125).astype(np.int16)
    operands = [Spec((channels,), "uint32"), Spec((channels,), "uint32"), Const(table)]
    samples = [(*signal, *noise) for signal in _words(rng, channels) for noise in _words(rng, channels)]
    return signal_case(name, "SignalPCAN", operands, Spec((channels,), "uint32"), samples, snr_shift=shift)


class TestSignalPCAN(OperatorMatrix):
    cases = (
        _pcan("usual", 40, 6, 3000),
        _pcan("extreme", 9, 0, 32767),
        _pcan("great_shift", 9, 20, 32767),
    )


def _log(name: str, channels: int, scale: int, bits: int) -> Case:
    operands = [Spec((channels,), "uint32")]
    options = {"input_correction_bits": bits, "output_scale": scale}
    samples = _words(rng_of(name), channels)
    return signal_case(name, "SignalFilterBankLog", operands, Spec((channels,), "int16"), samples, **options)


class TestSignalFilterBankLog(OperatorMatrix):
    cases = (
        _log("usual", 40, 1600, 3),
        _log("no_correction", 60, 65536, 0),
        _log("saturates", 9, 1 << 20, 5),
    )
