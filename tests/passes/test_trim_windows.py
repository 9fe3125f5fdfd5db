"""Zeros at the border of a convolution's window: what goes, what stays, and that every byte is as before."""

import numpy as np
import pytest

from tests.passes.equality import apply
from tflite_support.builder import Builder, Spec
from tinycompile.frontend import read_model
from tinycompile.ir import Graph
from tinycompile.ops import convolution_window, operation
from tinycompile.passes.trim_windows import TrimWindows


def _graph(
    used: slice | tuple[slice, slice],
    taps: tuple[int, int] = (3, 3),
    kind: str = "CONV_2D",
    image: tuple[int, int] = (7, 9),
    **options: object,
) -> Graph:
    """One convolution whose weights are zero outside of the rows and columns `used`; `options` beside padding SAME, stride 1."""
    rng, builder = np.random.default_rng(1), Builder()
    rows, columns = used if isinstance(used, tuple) else (used, slice(None))
    depthwise = kind == "DEPTHWISE_CONV_2D"
    values = np.zeros((1, *taps, 3) if depthwise else (4, *taps, 3), np.int8)
    part = values[:, rows, columns]
    values[:, rows, columns] = rng.integers(1, 100, part.shape) * rng.choice([-1, 1], part.shape)
    given = {
        "padding": "SAME",
        "stride_w": 1,
        "stride_h": 1,
        **({"depth_multiplier": 1} if depthwise else {}),
        **options,
    }
    x = builder.input((1, *image, 3), "int8", 0.5, -9)
    w = builder.const(values, scale=0.01)
    bias = builder.const(rng.integers(-500, 500, values.shape[3 if depthwise else 0], np.int32))
    extents = [
        -(
            -(extent - (0 if given["padding"] == "SAME" else (tap - 1) * int(given.get(dilation, 1))))
            // int(given[stride])
        )
        for extent, tap, stride, dilation in zip(
            image, taps, ("stride_h", "stride_w"), ("dilation_h_factor", "dilation_w_factor"), strict=True
        )
    ]
    spec = Spec((1, *extents, 3 if depthwise else 4), "int8", 0.3, -5)
    return read_model(builder.finish([x], [builder.op(kind, [x, w, bias], spec, **given)]), "m")


def _window(graph: Graph) -> tuple[int, int, int, int]:
    """Rows, columns, and padding above and to the left."""
    window = convolution_window(operation(graph, graph.nodes[0]))
    return window.rows.taps, window.columns.taps, window.rows.pad_before, window.columns.pad_before


MIDDLE = slice(1, 2)


@pytest.mark.parametrize("kind", ["CONV_2D", "DEPTHWISE_CONV_2D"])
@pytest.mark.parametrize(
    ("used", "left"),
    [
        ((MIDDLE, MIDDLE), (1, 1, 0, 0)),
        ((slice(0, 2), slice(1, 3)), (2, 2, 1, 0)),
        ((slice(2, 3), slice(None)), (2, 3, 0, 1)),  # one row of padding can be spared, not two
        ((slice(0, 1), slice(2, 3)), (2, 2, 1, 0)),  # nor two below
    ],
)
def test_zeros_at_the_border_go(
    kind: str, used: tuple[slice, slice], left: tuple[int, int, int, int]
) -> None:
    after = apply(TrimWindows(), _graph(used, kind=kind))
    assert _window(after) == left
    assert [change.place for change in after.changes] == [after.nodes[0].place]


def test_a_centre_alone_is_a_pointwise_convolution() -> None:
    after = apply(TrimWindows(), _graph((MIDDLE, MIDDLE)))
    assert convolution_window(operation(after, after.nodes[0])).is_pointwise


@pytest.mark.parametrize(
    ("used", "options"),
    [
        (slice(None), {}),
        (slice(1, 3), {"padding": "VALID"}),
        (slice(0, 2), {"padding": "VALID"}),
        (slice(0, 0), {}),
    ],
    ids=["no zeros", "no padding above", "no padding below", "all zeros"],
)
def test_the_window_stays(used: slice, options: dict[str, object]) -> None:
    before = _graph(used, **options)
    assert apply(TrimWindows(), before) is before


@pytest.mark.parametrize(("stride", "dilation"), [(1, 1), (2, 1), (3, 1), (1, 2)])
@pytest.mark.parametrize("padding", ["SAME", "VALID"])
@pytest.mark.parametrize("image", [(9, 11), (10, 8)])
def test_any_zeros_with_any_window(stride: int, dilation: int, padding: str, image: tuple[int, int]) -> None:
    """All ranges of rows and columns of a 5x3 window: `apply` compares all outputs."""
    options = {
        "padding": padding, "stride_w": stride, "stride_h": stride, "dilation_w_factor": dilation, "dilation_h_factor": dilation,
    }  # fmt: skip
    smaller = 0
    for first in range(5):
        for end in range(first + 1, 6):
            columns = slice(first % 3, 1 + max(first % 3, end % 3))
            before = _graph((slice(first, end), columns), (5, 3), image=image, **options)
            after = apply(TrimWindows(), before)
            assert after.tensors[after.outputs[0]].shape == before.tensors[before.outputs[0]].shape
            smaller += after is not before
    assert smaller > 3 or padding == "VALID"
