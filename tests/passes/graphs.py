"""Parts of small graphs that several tests of passes build."""

import numpy as np

from tflite_support.builder import Builder, Spec
from tinycompile.frontend import read_model
from tinycompile.ir import Graph


def finish(builder: Builder, inputs: list[int], outputs: list[int]) -> Graph:
    """The graph as the frontend reads it."""
    return read_model(builder.finish(inputs, outputs), "m")


def shifted(builder: Builder, kind: str, source: int, spec: Spec, value: int) -> int:
    """An operator of a tensor and a constant, which is a function of one byte."""
    constant = builder.const(np.array([value], np.int8), scale=0.02)
    return builder.op(kind, [source, constant], spec)
