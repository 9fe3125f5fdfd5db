"""Instructions, exactly, out of a timer that is coarser than an instruction.

QEMU with `-icount shift=6` lets 64 ns of virtual time pass with each instruction; a timer of 25 MHz counts every 40 ns. One
reading on each side of a call would leave an error of one tick. The harness therefore reads the timer eight times in a row on
each side, with one instruction between readings: like a vernier scale, the pattern of the differences tells where between two
ticks the readings began. Of all numbers of instructions only one explains all sixteen readings.
"""

from tinycompile.toolchain.harness import Measurement

INSTRUCTION_NS = 64
"""`-icount shift=6`."""

_WRAP = 1 << 32
_SECOND_NS = 1_000_000_000


def instructions(invoke: Measurement, empty: Measurement, timer_hz: int) -> int:
    """Instructions of a call from its first to its return, given the same for a function of one instruction."""
    return _between(invoke, timer_hz) - _between(empty, timer_hz) + 1


def _between(measurement: Measurement, timer_hz: int) -> int:
    """Instructions between the first reading before and the first reading after."""
    start = measurement.before[0]
    before = [(reading - start) % _WRAP for reading in measurement.before]
    after = [(reading - start) % _WRAP for reading in measurement.after]
    estimate = after[0] * _SECOND_NS // timer_hz // INSTRUCTION_NS
    fitting = [n for n in range(max(0, estimate - 2), estimate + 4) if _explains(n, before, after, timer_hz)]
    assert len(fitting) == 1, f"timer readings {measurement} fit {fitting} instructions"
    return fitting[0]


def _explains(count: int, before: list[int], after: list[int], timer_hz: int) -> bool:
    """True when some phase of the timer gives exactly these readings with `count` instructions between.

    Reading k instructions after the first shows floor(phase + k * ratio) ticks, 0 <= phase < 1; each bounds the phase. In
    integers: everything times a billion, because ratio = INSTRUCTION_NS * timer_hz / 1e9.
    """
    ratio = INSTRUCTION_NS * timer_hz
    places = [*enumerate(before), *((count + k, reading) for k, reading in enumerate(after))]
    low = max(reading * _SECOND_NS - k * ratio for k, reading in places)
    high = min((reading + 1) * _SECOND_NS - k * ratio for k, reading in places)
    return max(low, 0) < min(high, _SECOND_NS)
