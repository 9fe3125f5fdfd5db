"""A whole audio front end as TFLM's models have it, sample by sample against TFLM."""

import numpy as np

from tests.ops.case import Array, Case, rng_of
from tests.ops.matrix import OperatorMatrix
from tests.ops.signal_cases import flexbuffer
from tflite_support.builder import Builder, Spec

FRAME, STEP, FFT, CHANNELS = 480, 160, 512, 20
FIRST, LAST = 4, 244
"""Energies that the filter bank hears; TFLM leaves the others unwritten."""


class _FrontEnd:
    def __init__(self) -> None:
        self.builder = Builder()

    def op(self, name: str, inputs: list[int], *outputs: Spec, **options: int | bool) -> tuple[int, ...]:
        return self.builder.op(f"Signal{name}", inputs, list(outputs), custom_options=flexbuffer(**options))

    def bands(self) -> list[int]:
        """Tables of a filter bank whose bands widen."""
        edges = np.unique(np.geomspace(FIRST, LAST, CHANNELS + 2).astype(int))
        edges = np.concatenate([edges, np.full(CHANNELS + 2 - len(edges), LAST)])
        starts, widths = edges[:-1], np.diff(edges)
        rest = np.concatenate([4096 * (1 - (np.arange(w) + 0.5) / w) for w in widths if w]).astype(np.int16)
        offsets = np.cumsum([0, *widths[:-1]])
        tables = (rest, 4096 - rest, starts, offsets, widths)
        return [self.builder.const(table.astype(np.int16)) for table in tables]

    def energies(self, audio: int) -> tuple[int, int]:
        """Energies of the frames' frequencies, and how far the samples were scaled up."""
        window = self.builder.const(np.rint(4096 * np.hanning(FRAME)).astype(np.int16))
        frames, _ = self.op(
            "Framer", [audio], Spec((1, FRAME), "int16"), Spec((), "bool"),
            frame_size=FRAME, frame_step=STEP, prefill=True,
        )  # fmt: skip
        row = self.builder.op("RESHAPE", [frames], Spec((FRAME,), "int16"), new_shape=[FRAME])
        (shaped,) = self.op("Window", [row, window], Spec((FRAME,), "int16"), shift=12)
        scaled, bits = self.op("FftAutoScale", [shaped], Spec((FRAME,), "int16"), Spec((), "int32"))
        (spectrum,) = self.op("Rfft", [scaled], Spec((FFT + 2,), "int16"), T=7, fft_length=FFT)
        (energies,) = self.op(
            "Energy", [spectrum], Spec((FFT // 2 + 1,), "uint32"), start_index=FIRST, end_index=LAST
        )
        return energies, bits

    def features(self, energies: int, bits: int) -> int:
        """Logarithms of the bands' levels without their noise."""
        words = Spec((CHANNELS,), "uint32")
        (sums,) = self.op(
            "FilterBank", [energies, *self.bands()], Spec((CHANNELS,), "uint64"), num_channels=CHANNELS
        )
        (levels,) = self.op("FilterBankSquareRoot", [sums, bits], words)
        signal, noise = self.op(
            "FilterBankSpectralSubtraction", [levels], words, words,
            alternate_one_minus_smoothing=15400, alternate_smoothing=983, clamping=True, min_signal_remaining=819,
            num_channels=CHANNELS, one_minus_smoothing=15974, smoothing=410, smoothing_bits=10,
            spectral_subtraction_bits=14,
        )  # fmt: skip
        gains = self.builder.const(rng_of("gains").integers(0, 4000, 125).astype(np.int16))
        (louder,) = self.op("PCAN", [signal, noise, gains], words, snr_shift=6)
        (logs,) = self.op(
            "FilterBankLog", [louder], Spec((CHANNELS,), "int16"), input_correction_bits=3, output_scale=1600
        )
        return logs

    def model(self) -> bytes:
        """Features of one step, with two of the past."""
        audio = self.builder.input((STEP,), "int16")
        logs = self.features(*self.energies(audio))
        stack, valid = self.op(
            "Stacker", [logs], Spec((3 * CHANNELS,), "int16"), Spec((), "bool"),
            num_channels=CHANNELS, stacker_left_context=2, stacker_right_context=0, stacker_step=1,
        )  # fmt: skip
        return self.builder.finish([audio], [stack, valid])


def _audio(steps: int) -> list[tuple[Array, ...]]:
    """Silence, noise, a rising tone, clipping."""
    rng, t = rng_of("audio"), np.arange(steps * STEP)
    loudness = np.interp(t, [0, t.size // 5, t.size // 2, t.size], [0, 50, 8000, 60000])
    samples = loudness * np.sin(t * (0.02 + t / t.size)) + rng.normal(0, 3, t.size) * (t > STEP)
    return [(part,) for part in np.clip(samples, -32768, 32767).astype(np.int16).reshape(steps, STEP)]


class TestFrontEnd(OperatorMatrix):
    cases = (Case("front_end", _FrontEnd().model(), tuple(_audio(20)), "tflm"),)
