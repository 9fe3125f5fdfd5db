"""Staging of windows for matrix products: the bytes under a window as pairs of int16, some pixels at a time.

A window of `runs` rows has `run` contiguous bytes in each. SXTB16 makes the pairs (0, 2) and (1, 3) of each word of a run; what
is left of all runs, a byte here or there, is paired in the order of the rows. Staged words are [pair][pixel].
"""

from dataclasses import dataclass
from functools import cache

import numpy as np

from tinycompile.assembly.scheduler import Operand, Scheduled, Values, schedule
from tinycompile.ir import Array
from tinycompile.ops._dsp import paired_halves

TO, FROM, RUN = 0, 1, 2
"""Registers: staged words; pointers to the rows; the row, in a loop over rows."""

_FREE = (2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 14)
_FREE_IN_LOOP = (3, 4, 5, 6, 7, 8, 9, 10, 11)
_STRAIGHT_STEPS = 480
_LOOP_WORDS = 4
_LARGEST_OFFSET = 4095


@dataclass(frozen=True)
class Windows:
    """What is staged: `pixels` windows `pixel_bytes` apart, as every `step`-th word."""

    run: int
    runs: int
    pixels: int
    pixel_bytes: int
    step: int

    @property
    def is_straight(self) -> bool:
        """True when there is no loop over the rows; depends on the window alone, since it decides which taps are paired."""
        return 4 * self.runs * ((self.run // 4) * 5 + self.run % 4 * 2) <= _STRAIGHT_STEPS

    @property
    def words(self) -> int:
        """Whole words of a run."""
        return self.run // 4


@dataclass(frozen=True)
class Steps:
    """Steps of `fn_stage`: all of them, or those of one row: `iterations` times `loop` for 4 words each, then the rest."""

    straight: Scheduled
    loop: Scheduled
    iterations: int
    rest: Scheduled

    def cycles(self, runs: int) -> int:
        """Cycles of one call."""
        row = self.iterations * (self.loop.cycles + 3) + self.rest.cycles + 8
        return self.straight.cycles + 10 if self.straight.steps else runs * row + 10


_NOTHING = Scheduled((), 0)


def halves(run: int, runs: int) -> Array:
    """Index of the tap in each half of each staged pair: int [pairs, 2], -1 for no tap."""
    if not Windows(run, runs, 1, 0, 1).is_straight:
        return paired_halves(run, runs)
    words = [
        (r * run + w + k, r * run + w + k + 2)
        for r in range(runs)
        for w in range(0, run - 3, 4)
        for k in (0, 1)
    ]
    return np.array(words + _rest_pairs(run, runs), np.int64).reshape(-1, 2)


def _rest_pairs(run: int, runs: int) -> list[tuple[int, int]]:
    left = [r * run + k for r in range(runs) for k in range(run // 4 * 4, run)]
    return [(left[i], left[i + 1] if i + 1 < len(left) else -1) for i in range(0, len(left), 2)]


@cache
def steps(windows: Windows) -> Steps:
    """Steps that stage some windows."""
    writer = _Writer(windows)
    if windows.is_straight:
        return Steps(writer.all_runs(), _NOTHING, 0, _NOTHING)
    iterations = windows.words // _LOOP_WORDS if windows.words > 2 * _LOOP_WORDS else 0
    done = iterations * _LOOP_WORDS
    loop = writer.part_of_run(range(_LOOP_WORDS), 0, with_rest=False) if iterations else _NOTHING
    rest = writer.part_of_run(range(done, windows.words), done, with_rest=True)
    return Steps(_NOTHING, loop, iterations, rest)


@dataclass(frozen=True)
class _Writer:
    windows: Windows

    def all_runs(self) -> Scheduled:
        """Every row, then what is left of them."""
        windows, values = self.windows, Values()
        rows: dict[int, Operand] = {}
        for r in range(windows.runs):
            rows[r] = values.emit("load", (FROM,), (4 * r,))
            for w in range(windows.words):
                self.word(values, rows[r], 4 * w, 2 * (r * windows.words + w))
        for number, (low, high) in enumerate(_rest_pairs(windows.run, windows.runs)):
            taps = [divmod(tap, windows.run) for tap in (low, high) if tap >= 0]
            bases = {r: values.emit("load", (FROM,), (4 * r,)) for r in sorted({r for r, _ in taps})}
            for pixel in range(windows.pixels):
                self.bytes(
                    values, [(bases[r], k) for r, k in taps], pixel, 2 * windows.runs * windows.words + number
                )
        made = schedule(values.ops, _FREE)
        assert made is not None
        return made

    def part_of_run(self, words: range, moved: int, with_rest: bool) -> Scheduled:
        """Some words of a row and perhaps what is left of it; pointers have moved by `moved` words."""
        windows, values = self.windows, Values()
        for w in words:
            self.word(values, RUN, 4 * (w - moved), 2 * (w - moved))
        start, pair = windows.words * 4 - 4 * moved, 2 * (windows.words - moved)
        pairs: dict[int, list[tuple[int, ...]]] = {1: [(0,)], 2: [(0, 1)], 3: [(0, 2), (1,)]}
        rest = pairs.get(windows.run % 4 if with_rest else 0, [])
        for number, taps in enumerate(rest):
            for pixel in range(windows.pixels):
                self.bytes(values, [(RUN, start + k) for k in taps], pixel, pair + number)
        made = schedule(values.ops, _FREE_IN_LOOP)
        assert made is not None
        return made

    def word(self, values: Values, base: Operand, offset: int, pair: int) -> None:
        """Four bytes of each pixel as two pairs."""
        for pixel in range(self.windows.pixels):
            word = values.emit("load", (base,), (offset + pixel * self.windows.pixel_bytes,))
            for k, kind in enumerate(("sxtb16", "sxtb16_ror8")):
                values.effect("store", (values.emit(kind, (word,)), TO), (self.offset(pair + k, pixel),))

    def bytes(self, values: Values, taps: list[tuple[Operand, int]], pixel: int, pair: int) -> None:
        """One or two bytes of a pixel as a pair; the high half of a single one holds anything, its weight is 0."""
        at = pixel * self.windows.pixel_bytes
        loaded = [values.emit("load_byte", (base,), (offset + at,)) for base, offset in taps]
        word = values.emit("pkhbt", loaded) if len(loaded) == 2 else loaded[0]
        values.effect("store", (word, TO), (self.offset(pair, pixel),))

    def offset(self, pair: int, pixel: int) -> int:
        return 4 * (pair * self.windows.step + pixel)


def reach(windows: Windows) -> int:
    """Bytes from the first one of the first window to the last one of the last, in a row."""
    return (windows.pixels - 1) * windows.pixel_bytes + windows.run


def fits_offsets(windows: Windows) -> bool:
    """True when all offsets have 12 bits."""
    pairs = len(halves(windows.run, windows.runs)) if windows.is_straight else 2 * _LOOP_WORDS * 3
    return reach(windows) <= _LARGEST_OFFSET and 4 * pairs * windows.step <= _LARGEST_OFFSET
