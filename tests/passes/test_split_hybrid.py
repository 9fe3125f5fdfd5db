"""Hybrid layers: Before / Expected text; the split graph computes the same floats."""

from textwrap import dedent

import numpy as np

from tests.passes.equality import apply
from tflite_support.builder import Builder, Spec
from tinycompile.frontend import read_model
from tinycompile.ir import to_text
from tinycompile.passes.split_hybrid import SplitHybrid

_RNG = np.random.default_rng(7)


def _weights(builder: Builder, shape: tuple[int, ...], scales: list[float]) -> int:
    return builder.const(_RNG.integers(-127, 128, shape, np.int8), scales)


def test_layers_that_quantize_alike_share_the_result() -> None:
    """Two convolutions with several scales share it; a matrix without zero points quantizes for itself."""
    builder = Builder()
    x = builder.input((2, 3, 3, 2), "float32")
    bias = builder.const(_RNG.normal(0, 1, 3).astype(np.float32))
    options = {"padding": "VALID", "stride_w": 1, "stride_h": 1}
    several = [
        builder.op(
            "CONV_2D",
            [x, _weights(builder, (3, 2, 2, 2), [0.1, 0.2, 0.3]), bias],
            Spec((2, 2, 2, 3), "float32"),
            **options,
        )
        for _ in range(2)
    ]
    matrix = builder.op(
        "FULLY_CONNECTED", [x, _weights(builder, (4, 18), [0.1]), None], Spec((2, 4), "float32")
    )
    after = apply(SplitHybrid(), read_model(builder.finish([x], [*several, matrix]), "m"))
    lines = to_text(after).splitlines()
    assert [line.split("{")[0].rstrip() for line in lines] == dedent(
        """\
        graph m
          input %0: float32[2,3,3,2]
          %8: int8[2,3,3,2], %9: float32[2], %10: int32[2] = DYNAMIC_QUANTIZE(%0)
          %3: float32[2,2,2,3] = CONV_2D(%8, const int8[3,2,2,2], const float32[3], %9, %10)
          %5: float32[2,2,2,3] = CONV_2D(%8, const int8[3,2,2,2], const float32[3], %9, %10)
          %11: int8[2,3,3,2], %12: float32[2] = DYNAMIC_QUANTIZE(%0)
          %7: float32[2,4] = FULLY_CONNECTED(%11, const int8[4,18], none, %12)
          output %3
          output %5
          output %7
        """
    ).splitlines()
