"""SignalStacker: feature frames side by side, some of the past and some of the future, one stack for each `stacker_step` frames.

State: the frames that the next stack needs again, and how many of them there are (-1 before the first call: the first frame
stands for its whole past). TFLM leaves a stack that is not valid unwritten; here it is 0. Source of the semantics:
signal/micro/kernels/stacker.cc in tflite-micro.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tinycompile.ir import Array, Attributes, DType, Options
from tinycompile.ops._limits import has_elements
from tinycompile.ops._signal import SignalOperator, integer_option
from tinycompile.ops._template import TemplateCode, TemplateKernel
from tinycompile.ops.base import Operation, TypeRule, register


@dataclass(frozen=True)
class StackerAttributes(Attributes):
    """Options of the operator, in frames."""

    num_channels: int
    stacker_left_context: int
    stacker_right_context: int
    stacker_step: int

    @property
    def frames(self) -> int:
        """Frames of a stack."""
        return self.stacker_left_context + 1 + self.stacker_right_context


def has_frame(operation: Operation) -> str | None:
    """The input is a vector of `num_channels` elements."""
    source, channels = operation.inputs[0], _attributes(operation).num_channels
    if source is None or source.shape == (channels,):
        return None
    return f"{source.describe()}, num_channels {channels}"


def has_sound_context(operation: Operation) -> str | None:
    """The contexts are from 0 to 1024 frames, `stacker_step` from 1 to the frames of a stack."""
    found = _attributes(operation)
    contexts = found.stacker_left_context, found.stacker_right_context
    if min(contexts) >= 0 and max(contexts) <= 1024 and 1 <= found.stacker_step <= found.frames:
        return None
    return f"contexts {contexts[0]} and {contexts[1]}, stacker_step {found.stacker_step}"


@register
class SignalStacker(SignalOperator):
    """SignalStacker of TFLM; the second output tells whether the stack is valid, one that is not is 0."""

    custom_code = "SignalStacker"
    types = (TypeRule((DType.INT16,), (DType.INT16, DType.BOOL)),)
    limits = (has_elements, has_frame, has_sound_context)
    kernels = (TemplateKernel(lambda operation: _code(operation)),)

    def parse(self, options: Options) -> StackerAttributes:
        """Read the options."""
        names = StackerAttributes.__dataclass_fields__
        return StackerAttributes(**{name: integer_option(options, name) for name in names})

    def infer(self, operation: Operation) -> tuple[tuple[int, ...], ...]:
        """A stack, and a scalar."""
        found = _attributes(operation)
        return (found.frames * found.num_channels,), ()

    def state(self, operation: Operation) -> tuple[Array, ...]:
        """No frames, and the first one is yet to come."""
        found = _attributes(operation)
        if found.frames == 1:
            return ()
        return np.zeros((found.frames - 1, found.num_channels), np.int16), np.array(-1, np.int32)

    def evaluate(self, operation: Operation, inputs: Sequence[Array | None]) -> tuple[Array, ...]:
        """Append the frame; when the stack is full it goes out, and its first frames go."""
        frame, *old = (np.empty(0) if array is None else array for array in inputs)
        found = _attributes(operation)
        if not old:
            return frame, np.array(True)
        have = int(old[1])
        past = old[0][:have] if have >= 0 else np.tile(frame, (found.stacker_left_context, 1))
        stack = np.concatenate([past, frame[None]])
        is_valid = len(stack) == found.frames
        output = stack.reshape(-1) if is_valid else np.zeros(operation.output.shape, np.int16)
        rest = stack[found.stacker_step :] if is_valid else stack
        line = np.zeros((found.frames - 1, found.num_channels), np.int16)
        line[: len(rest)] = rest
        return output, np.array(is_valid), line, np.array(len(rest), np.int32)


def _attributes(operation: Operation) -> StackerAttributes:
    assert isinstance(operation.node.attributes, StackerAttributes)
    return operation.node.attributes


def _code(operation: Operation) -> TemplateCode:
    found = _attributes(operation)
    return TemplateCode(
        "signal/stacker.c.j2",
        parameters={
            "keeps": found.frames > 1,
            "channels": found.num_channels,
            "left": found.stacker_left_context,
            "frames": found.frames,
            "step": found.stacker_step,
        },
        cycles=2 * operation.output.elements,
    )
