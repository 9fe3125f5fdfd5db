"""SignalOverlapAdd: samples from overlapping frames, `frame_step` apart, for each channel.

State: the sums that later frames add to. Source of the semantics: signal/micro/kernels/overlap_add.cc and
signal/src/overlap_add.cc in tflite-micro; int16 saturates.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

import numpy as np

from tinycompile.ir import Array, Attributes, DType, Options
from tinycompile.ops._limits import has_elements
from tinycompile.ops._signal import SignalOperator, integer_option
from tinycompile.ops._template import TemplateCode, TemplateKernel
from tinycompile.ops.base import Operation, TypeRule, register


@dataclass(frozen=True)
class OverlapAddAttributes(Attributes):
    """Options of the operator, in samples."""

    frame_step: int


def has_frames(operation: Operation) -> str | None:
    """The input has at least two dimensions, of which the last two are frames and their samples."""
    source = operation.inputs[0]
    if source is None:
        return "input 0 is missing"
    return None if len(source.shape) >= 2 else f"it is {source.describe()}"


def has_sound_step(operation: Operation) -> str | None:
    """`frame_step` is from 1 to the samples of a frame."""
    source, step = operation.inputs[0], _step(operation)
    if source is None or not source.shape or 1 <= step <= source.shape[-1]:
        return None
    return f"{source.describe()}, frame_step {step}"


@register
class SignalOverlapAdd(SignalOperator):
    """SignalOverlapAdd of TFLM."""

    custom_code = "SignalOverlapAdd"
    types = tuple(TypeRule((dtype,), (dtype,)) for dtype in (DType.INT16, DType.FLOAT32))
    limits = (has_elements, has_frames, has_sound_step)
    kernels = (TemplateKernel(lambda operation: _code(operation)),)

    def parse(self, options: Options) -> OverlapAddAttributes:
        """Read the options."""
        return OverlapAddAttributes(integer_option(options, "frame_step"))

    def infer(self, operation: Operation) -> tuple[tuple[int, ...], ...]:
        """The frames' new samples one after the other."""
        *channels, frames, _ = operation.input(0).shape
        return ((*channels, frames * _step(operation)),)

    def state(self, operation: Operation) -> tuple[Array, ...]:
        """Silence before the first call."""
        *channels, _, size = operation.input(0).shape
        return (np.zeros((prod(channels), size), operation.output.dtype.numpy),)

    def evaluate(self, operation: Operation, inputs: Sequence[Array | None]) -> tuple[Array, ...]:
        """Frame by frame: add, put out what no later frame reaches, move up."""
        frames, old = inputs[0], inputs[1]
        assert frames is not None and old is not None
        sums, step, out = old.copy(), _step(operation), []
        for frame in np.moveaxis(frames.reshape(len(old), -1, frames.shape[-1]), 1, 0):
            sums = _added(sums, frame)
            out.append(sums[:, :step])
            sums = np.concatenate([sums[:, step:], np.zeros((len(sums), step), sums.dtype)], axis=1)
        return np.concatenate(out, axis=1).reshape(operation.output.shape), sums


def _added(a: Array, b: Array) -> Array:
    if a.dtype.kind == "f":
        return np.add(a, b)
    return np.clip(a.astype(np.int32) + b, -32768, 32767).astype(np.int16)


def _step(operation: Operation) -> int:
    assert isinstance(operation.node.attributes, OverlapAddAttributes)
    return operation.node.attributes.frame_step


def _code(operation: Operation) -> TemplateCode:
    *channels, frames, size = operation.input(0).shape
    return TemplateCode(
        "signal/overlap_add.c.j2",
        parameters={"type": operation.output.dtype.c_type},
        arguments=(prod(channels), frames, size, _step(operation)),
        cycles=9 * operation.input(0).elements,
    )
