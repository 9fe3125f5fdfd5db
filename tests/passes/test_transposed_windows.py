"""Transposed convolutions of stride 1 become convolutions, and every byte is as before."""

import numpy as np
import pytest

from tests.passes.equality import apply
from tflite_support.builder import Builder, Spec
from tinycompile.frontend import read_model
from tinycompile.ir import Graph
from tinycompile.passes.transposed_windows import TransposedWindows


def _graph(
    taps: tuple[int, int],
    padding: str,
    stride: tuple[int, int] = (1, 1),
    bias: bool = True,
    dtype: str = "int8",
) -> Graph:
    """One transposed convolution of an image of 5x6x3 to four channels."""
    rng, builder = np.random.default_rng(1), Builder()
    more = [(tap - step if padding == "VALID" else 0) for tap, step in zip(taps, stride, strict=True)]
    out = (1, 5 * stride[0] + more[0], 6 * stride[1] + more[1], 4)
    x = builder.input((1, 5, 6, 3), dtype, 0.5, -9 if dtype == "int8" else 0)
    filters = rng.integers(-127, 128, (4, *taps, 3)).astype(np.int8)
    weights = builder.const(filters, scale=rng.uniform(0.005, 0.02, 4).tolist())
    inputs = [builder.const(np.array(out, np.int32)), weights, x]
    if bias:
        wide = np.int32 if dtype == "int8" else np.int64
        inputs.append(builder.const(rng.integers(-500, 500, 4).astype(wide)))
    options = {"padding": padding, "stride_h": stride[0], "stride_w": stride[1]}
    spec = Spec(out, dtype, 0.3, -5 if dtype == "int8" else 0)
    return read_model(builder.finish([x], [builder.op("TRANSPOSE_CONV", inputs, spec, **options)]), "m")


@pytest.mark.parametrize("padding", ["SAME", "VALID"])
@pytest.mark.parametrize("taps", [(1, 1), (2, 2), (3, 3), (4, 3), (1, 5)])
@pytest.mark.parametrize("bias", [True, False])
def test_stride_1_is_a_convolution(taps: tuple[int, int], padding: str, bias: bool) -> None:
    after = apply(TransposedWindows(), _graph(taps, padding, bias=bias))
    assert [node.kind for node in after.nodes] == ["CONV_2D"]
    assert [change.text for change in after.changes] == [
        "a convolution of the reversed filter, as its stride is 1"
    ]


@pytest.mark.parametrize("stride", [(2, 2), (1, 2), (2, 1)])
def test_other_strides_stay(stride: tuple[int, int]) -> None:
    before = _graph((3, 3), "SAME", stride)
    assert apply(TransposedWindows(), before) is before


def test_other_types_stay() -> None:
    """Sums of int16 have other widths in the two operators."""
    before = _graph((3, 3), "SAME", dtype="int16")
    assert apply(TransposedWindows(), before) is before
