"""SignalWindow: samples times the weights of a window, shifted right and saturated.

Source of the semantics: signal/src/window.cc in tflite-micro.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tinycompile.ir import Array, Attributes, DType, Options
from tinycompile.ops._limits import has_elements
from tinycompile.ops._signal import SignalOperator, has_dimension, integer_option
from tinycompile.ops._template import TemplateCode, TemplateKernel
from tinycompile.ops.base import Operation, TypeRule, register


@dataclass(frozen=True)
class WindowAttributes(Attributes):
    """Options of the operator."""

    shift: int


def has_window_of_a_row(operation: Operation) -> str | None:
    """The window has as many elements as the last dimension of the input."""
    samples, weights = operation.inputs[:2]
    if samples is None or weights is None:
        return "an input is missing"
    if samples.shape and weights.shape == samples.shape[-1:]:
        return None
    return f"{samples.describe()} and {weights.describe()}"


def has_shift(operation: Operation) -> str | None:
    """`shift` is from 0 to 31."""
    return None if 0 <= _shift(operation) <= 31 else f"it is {_shift(operation)}"


@register
class SignalWindow(SignalOperator):
    """SignalWindow of TFLM."""

    custom_code = "SignalWindow"
    types = (TypeRule((DType.INT16, DType.INT16), (DType.INT16,)),)
    min_inputs = 2
    limits = (has_elements, has_dimension, has_window_of_a_row, has_shift)
    kernels = (TemplateKernel(lambda operation: _code(operation)),)

    def parse(self, options: Options) -> WindowAttributes:
        """Read the options."""
        return WindowAttributes(integer_option(options, "shift"))

    def infer(self, operation: Operation) -> tuple[tuple[int, ...], ...]:
        """The shape of the samples."""
        return (operation.input(0).shape,)

    def evaluate(self, operation: Operation, inputs: Sequence[Array | None]) -> tuple[Array, ...]:
        """Products of 32 bits."""
        samples, weights = inputs[0], inputs[1]
        assert samples is not None and weights is not None
        products = (samples.astype(np.int32) * weights) >> _shift(operation)
        return (np.clip(products, -32768, 32767).astype(np.int16),)

    def overwrites(self, operation: Operation) -> tuple[int, ...]:
        """A sample is read before its place is written."""
        return (0,)


def _shift(operation: Operation) -> int:
    assert isinstance(operation.node.attributes, WindowAttributes)
    return operation.node.attributes.shift


def _code(operation: Operation) -> TemplateCode:
    samples = operation.input(0)
    rows = samples.elements // samples.shape[-1]
    return TemplateCode(
        "signal/window.c.j2",
        inputs=(0, 1),
        arguments=(rows, samples.shape[-1], _shift(operation)),
        cycles=8 * samples.elements,
    )
