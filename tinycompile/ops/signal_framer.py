"""SignalFramer: frames of `frame_size` samples, one for each `frame_step` new ones, for each channel.

State: the samples that the next frame needs again, and how many of them there are. With `prefill` silence stands before the first
sample, so that every frame is valid. Without it TFLM waits until a multiple of the step fills a frame, and leaves the frames that
are not valid unwritten; here they are 0. Source of the semantics: signal/micro/kernels/framer.cc in tflite-micro.
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
class FramerAttributes(Attributes):
    """Options of the operator, in samples."""

    frame_size: int
    frame_step: int
    prefill: bool

    @property
    def kept(self) -> int:
        """Samples of a channel that are kept: with `prefill` those of the next frame, else up to a multiple of the step."""
        steps = -(-self.frame_size // self.frame_step)
        return self.frame_size - self.frame_step if self.prefill else (steps - 1) * self.frame_step


def has_sound_sizes(operation: Operation) -> str | None:
    """`frame_step` is from 1 to `frame_size`, which is at most 65536."""
    found = _attributes(operation)
    if 1 <= found.frame_step <= found.frame_size <= 65536:
        return None
    return f"frame_step {found.frame_step}, frame_size {found.frame_size}"


def has_whole_steps(operation: Operation) -> str | None:
    """The last dimension is a multiple of `frame_step`."""
    source, step = operation.inputs[0], _attributes(operation).frame_step
    if source is None or not source.shape or step < 1 or source.shape[-1] % step == 0:
        return None
    return f"{source.describe()}, frame_step {step}"


@register
class SignalFramer(SignalOperator):
    """SignalFramer of TFLM; the second output tells whether all frames are valid, those that are not are 0."""

    custom_code = "SignalFramer"
    types = (TypeRule((DType.INT16,), (DType.INT16, DType.BOOL)),)
    limits = (has_elements, has_dimension, has_sound_sizes, has_whole_steps)
    kernels = (TemplateKernel(lambda operation: _code(operation)),)

    def parse(self, options: Options) -> FramerAttributes:
        """Read the options."""
        size, step = (integer_option(options, name) for name in ("frame_size", "frame_step"))
        return FramerAttributes(size, step, bool(options.get("prefill", False)))

    def infer(self, operation: Operation) -> tuple[tuple[int, ...], ...]:
        """The frames of each channel, and a scalar."""
        found, (*channels, samples) = _attributes(operation), operation.input(0).shape
        return (*channels, samples // found.frame_step, found.frame_size), ()

    def state(self, operation: Operation) -> tuple[Array, ...]:
        """Nothing before the first call, or silence."""
        found = _attributes(operation)
        if not found.kept:
            return ()
        line = np.zeros((_channels(operation), found.kept), np.int16)
        return (line,) if found.prefill else (line, np.zeros((), np.int32))

    def evaluate(self, operation: Operation, inputs: Sequence[Array | None]) -> tuple[Array, ...]:
        """Slide along the old samples and the new ones."""
        samples, *old = (np.empty(0) if array is None else array for array in inputs)
        found, channels = _attributes(operation), _channels(operation)
        line = old[0] if old else np.zeros((channels, 0), np.int16)
        have = int(old[1]) if len(old) > 1 else found.kept
        line = np.concatenate([line, samples.reshape(channels, -1)], axis=1)
        starts = np.arange(samples.shape[-1] // found.frame_step) * found.frame_step
        frames = np.stack([line[:, start : start + found.frame_size] for start in starts], axis=1)
        is_valid = have + starts >= found.kept
        frames[:, ~is_valid] = 0
        kept = line[:, line.shape[1] - found.kept :]
        new = (kept, np.array(min(have + samples.shape[-1], found.kept), np.int32))[: len(old)]
        return frames.reshape(operation.output.shape), np.array(is_valid.all()), *new


def _attributes(operation: Operation) -> FramerAttributes:
    assert isinstance(operation.node.attributes, FramerAttributes)
    return operation.node.attributes


def _channels(operation: Operation) -> int:
    source = operation.input(0)
    return source.elements // source.shape[-1]


def _code(operation: Operation) -> TemplateCode:
    found, samples = _attributes(operation), operation.input(0).shape[-1]
    return TemplateCode(
        "signal/framer.c.j2",
        parameters={
            "keeps": found.kept > 0,
            "counts": found.kept > 0 and not found.prefill,
            "size": found.frame_size,
            "step": found.frame_step,
            "kept": found.kept,
            "samples": samples,
            "channels": _channels(operation),
        },
        cycles=_channels(operation) * samples // found.frame_step * (found.frame_size + found.kept),
    )
