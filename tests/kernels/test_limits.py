"""Limits say what is wrong and never fail themselves, whatever a file holds."""

from dataclasses import replace
from math import prod

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.kernels.operations import convolution, depthwise, fully_connected
from tinycompile.ir import Quantization, Tensor
from tinycompile.ops import Operation, operators
from tinycompile.ops._convolution import ConvolutionAttributes
from tinycompile.ops._window import PaddingMode, Pads, WindowOptions
from tinycompile.quant import Activation

SOUND = (convolution((1, 5, 5, 4), 6, (3, 3)), depthwise((1, 5, 5, 4)), fully_connected(2, 6, 3))

_extents = st.integers(0, 7) | st.sampled_from([2**20, 2**31 - 1])
_scale = st.sampled_from([0.0, -1.0, 1e-38, 1e-20, 0.1, 1.0, 1e30, float("inf"), float("nan")])


@st.composite
def tensors(draw: st.DrawFn, sound: Tensor) -> Tensor | None:
    """A tensor in which anything may be wrong but its type."""
    if draw(st.booleans()):
        return sound
    if draw(st.integers(0, 9)) == 0:
        return None
    shape = tuple(draw(st.lists(_extents, max_size=5)))
    scales = tuple(draw(st.lists(_scale, min_size=1, max_size=7)))
    zero_points = tuple(draw(st.lists(st.integers(-200, 200), min_size=1, max_size=2)))
    quantization = draw(st.sampled_from([None, Quantization(scales, zero_points), sound.quantization]))
    small = prod(max(extent, 1) for extent in shape) < 10_000
    data = np.zeros(shape, sound.dtype.numpy) if small and draw(st.booleans()) else None
    return replace(sound, shape=shape, quantization=quantization, data=data)


@st.composite
def operations(draw: st.DrawFn) -> Operation:
    """A sound operation with some of its parts replaced."""
    sound = draw(st.sampled_from(SOUND))
    attributes = sound.node.attributes
    if isinstance(attributes, ConvolutionAttributes):
        numbers = [draw(st.integers(-1, 3) | st.just(2**31 - 1)) for _ in range(4)]
        pads = draw(st.none() | st.just(Pads(1, 0, 0, 2)))
        window = WindowOptions(draw(st.sampled_from(PaddingMode)), *numbers, pads=pads)
        attributes = ConvolutionAttributes(window, draw(st.sampled_from(Activation)))
    inputs = tuple(draw(tensors(tensor)) for tensor in sound.inputs if tensor is not None)
    output = draw(tensors(sound.output)) or sound.output
    return Operation(replace(sound.node, attributes=attributes), inputs, (output,))


@settings(max_examples=400, deadline=None)
@given(operations())
def test_limits_never_fail(operation: Operation) -> None:
    operator = operators()[operation.node.kind]
    problems = [problem for limit in operator.limits if (problem := limit(operation)) is not None]
    if not problems:
        assert all(min(shape, default=1) > 0 for shape in operator.infer(operation))


@pytest.mark.parametrize("sound", SOUND, ids=lambda operation: operation.node.kind)
def test_sound_operations_pass(sound: Operation) -> None:
    assert not [limit(sound) for limit in operators()[sound.node.kind].limits if limit(sound)]


@pytest.mark.parametrize("sound", SOUND, ids=lambda operation: operation.node.kind)
def test_every_limit_has_its_sentence(sound: Operation) -> None:
    for limit in operators()[sound.node.kind].limits:
        assert (limit.__doc__ or "").strip().endswith("."), limit
