"""SignalDelay, SignalFramer, SignalStacker, SignalOverlapAdd against TFLM, over several calls."""

from tests.ops.case import Case
from tests.ops.matrix import OperatorMatrix
from tests.ops.signal_cases import signal_case
from tests.support.tflite_builder import Spec


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
