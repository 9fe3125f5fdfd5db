"""SignalDelay, SignalFramer, SignalStacker, SignalOverlapAdd, CIRCULAR_BUFFER against TFLM, over several calls."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.ops.batch import Target, run_batch
from tests.ops.case import Case, make_samples, rng_of
from tests.ops.matrix import OperatorMatrix
from tests.ops.signal_cases import flexbuffer, signal_case
from tflite_support.builder import Builder, Spec


def _delay(name: str, shape: tuple[int, ...], delay: int) -> Case:
    spec = Spec(shape, "int16")
    return signal_case(name, "SignalDelay", [spec], spec, rounds=3, delay_length=delay)


class TestSignalDelay(OperatorMatrix):
    cases = (
        _delay("shorter_than_a_frame", (10,), 3),
        _delay("as_long", (10,), 10),
        _delay("longer", (4,), 11),
        _delay("one_sample", (1,), 1),
        _delay("channels", (2, 3, 5), 7),
    )


def _where_valid(name: str, kind: str, spec: Spec, output: Spec, **options: Any) -> Case:
    """TFLM leaves unwritten what is not valid: the model replaces it by -1, and shows what was valid."""
    builder = Builder()
    start = builder.tensor(spec)
    specs = [output, Spec((), "bool")]
    found, valid = builder.op(kind, [start], specs, custom_options=flexbuffer(**options))
    rank = len(output.shape)
    valid_everywhere = builder.op("RESHAPE", [valid], Spec((1,) * rank, "bool"), new_shape=[1] * rank)
    nothing = builder.const(np.full((1,) * rank, -1, np.int16))
    shown = builder.op("SELECT_V2", [valid_everywhere, found, nothing], output)
    samples = [sample for _ in range(4) for sample in make_samples(rng_of(name), [spec])]
    return Case(name, builder.finish([start], [shown, valid]), tuple(samples), "tflm")


def _framer(name: str, shape: tuple[int, ...], size: int, step: int, prefill: bool) -> Case:
    output = Spec((*shape[:-1], shape[-1] // step, size), "int16")
    options = {"frame_size": size, "frame_step": step, "prefill": prefill}
    return _where_valid(name, "SignalFramer", Spec(shape, "int16"), output, **options)


class TestSignalFramer(OperatorMatrix):
    cases = (
        _framer("prefilled", (6,), 10, 3, True),
        _framer("prefilled_one_step", (4,), 7, 4, True),
        _framer("prefilled_channels", (2, 3, 4), 7, 2, True),
        _framer("no_overlap", (6,), 3, 3, True),
        _framer("waits", (4,), 10, 4, False),
        _framer("waits_for_a_multiple", (2,), 7, 2, False),
        _framer("waits_channels", (3, 4), 9, 4, False),
        _framer("no_overlap_waits", (6,), 2, 2, False),
    )


def _stacker(name: str, channels: int, left: int, right: int, step: int) -> Case:
    output = Spec((channels * (left + right + 1),), "int16")
    options = {
        "num_channels": channels,
        "stacker_left_context": left,
        "stacker_right_context": right,
        "stacker_step": step,
    }
    return _where_valid(name, "SignalStacker", Spec((channels,), "int16"), output, **options)


class TestSignalStacker(OperatorMatrix):
    cases = (
        _stacker("past", 3, 2, 0, 1),
        _stacker("future", 3, 0, 2, 1),
        _stacker("both", 4, 3, 1, 2),
        _stacker("apart", 5, 1, 1, 3),
        _stacker("alone", 5, 0, 0, 1),
        _stacker("one_channel", 1, 1, 3, 4),
    )


def _overlap_add(name: str, shape: tuple[int, ...], step: int, dtype: str = "int16") -> Case:
    outputs = Spec((*shape[:-2], shape[-2] * step), dtype)
    options = {"T": {"int16": 7, "float32": 0}[dtype], "frame_step": step}
    return signal_case(name, "SignalOverlapAdd", [Spec(shape, dtype)], outputs, rounds=3, **options)


class TestSignalOverlapAdd(OperatorMatrix):
    cases = (
        _overlap_add("half", (2, 8), 4),
        _overlap_add("odd", (1, 7), 3),
        _overlap_add("no_overlap", (2, 4), 4),
        _overlap_add("channels", (2, 3, 2, 6), 2),
        _overlap_add("float", (2, 3, 9), 4, "float32"),
    )


@pytest.mark.slow
def test_what_is_not_valid_is_zero(tmp_path: Path) -> None:
    """TFLM leaves it unwritten; a verification needs it to be something."""
    framer = signal_case(
        "framer", "SignalFramer", [Spec((4,), "int16")], [Spec((1, 10), "int16"), Spec((), "bool")],
        frame_size=10, frame_step=4, prefill=False,
    )  # fmt: skip
    stacker = signal_case(
        "stacker", "SignalStacker", [Spec((3,), "int16")], [Spec((9,), "int16"), Spec((), "bool")],
        num_channels=3, stacker_left_context=0, stacker_right_context=2, stacker_step=1,
    )  # fmt: skip
    energy = signal_case(
        "energy", "SignalEnergy", [Spec((8,), "int16")], Spec((4,), "uint32"), start_index=1, end_index=3
    )
    framed, stacked, energies = run_batch([framer, stacker, energy], Target.HOST, tmp_path)
    for outputs, valid in (framed[0], framed[1], stacked[0], stacked[1]):
        assert not valid and not outputs.any()
    assert framed[2][1] and stacked[2][1]
    for (outputs,) in energies[:2]:
        assert outputs[0] == outputs[3] == 0 and outputs[1:3].all()


def _circular_buffer(name: str, rows: int, columns: int, channels: int, zero_point: int) -> Case:
    row = Spec((1, 1, columns, channels), "int8", 0.5, zero_point)
    output = Spec((1, rows, columns, channels), "int8", 0.5, zero_point, is_variable=True)
    return signal_case(name, "CIRCULAR_BUFFER", [row], output, rounds=3, cycles_max=1)


class TestCircularBuffer(OperatorMatrix):
    cases = (
        _circular_buffer("channels", 4, 1, 7, -128),
        _circular_buffer("columns", 6, 3, 2, 5),
        _circular_buffer("one_row", 1, 2, 2, 0),
    )
