"""Writes peak_hold.tflite: the levels of eight bands (RELU of the input) and their peaks.

Run from the root of the checkout: python -m examples.custom_operator.make_model
"""

from pathlib import Path

from flatbuffers import flexbuffers

from tflite_support.builder import Builder, Spec

DECAY = 3


def model() -> bytes:
    """The bytes of the model."""
    options = flexbuffers.Builder()
    with options.Map():
        options.Int("decay", DECAY)
    builder = Builder()
    bands = Spec((1, 8), "int8", 0.5, -10)
    start = builder.tensor(bands)
    levels = builder.op("RELU", [start], bands)
    peaks = builder.op("PeakHold", [levels], bands, custom_options=bytes(options.Finish()))
    return builder.finish([start], [peaks, levels], "levels of eight bands and their peaks")


if __name__ == "__main__":
    Path(__file__).with_name("peak_hold.tflite").write_bytes(model())
