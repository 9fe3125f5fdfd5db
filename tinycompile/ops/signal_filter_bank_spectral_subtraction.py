"""SignalFilterBankSpectralSubtraction: takes a smoothed estimate of the noise from each channel.

State: the estimate of each channel, which is the second output too. Source of the semantics:
signal/src/filter_bank_spectral_subtraction.cc in tflite-micro.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tinycompile.ir import Array, Attributes, DType, Options
from tinycompile.ops._limits import has_elements
from tinycompile.ops._signal import SignalOperator, integer_option, is_vector
from tinycompile.ops._template import TemplateCode, TemplateKernel
from tinycompile.ops.base import Operation, TypeRule, register


@dataclass(frozen=True)
class SpectralSubtractionAttributes(Attributes):
    """Options of the operator; the alternate ones are for channels with odd index. Fractions have
    `spectral_subtraction_bits` bits."""

    smoothing: int
    one_minus_smoothing: int
    alternate_smoothing: int
    alternate_one_minus_smoothing: int
    smoothing_bits: int
    min_signal_remaining: int
    clamping: bool
    num_channels: int
    spectral_subtraction_bits: int


def has_all_channels(operation: Operation) -> str | None:
    """The input has `num_channels` elements."""
    source, channels = operation.inputs[0], _attributes(operation).num_channels
    return (
        None
        if source is None or source.elements == channels
        else f"{source.describe()}, num_channels {channels}"
    )


def has_sound_bits(operation: Operation) -> str | None:
    """`smoothing_bits` is from 0 to 31, `spectral_subtraction_bits` from 0 to 63."""
    found = _attributes(operation)
    bits = found.smoothing_bits, found.spectral_subtraction_bits
    return None if 0 <= bits[0] <= 31 and 0 <= bits[1] <= 63 else f"they are {bits[0]} and {bits[1]}"


@register
class SignalFilterBankSpectralSubtraction(SignalOperator):
    """SignalFilterBankSpectralSubtraction of TFLM; the second output is the estimate of the noise."""

    custom_code = "SignalFilterBankSpectralSubtraction"
    types = (TypeRule((DType.UINT32,), (DType.UINT32,)),)
    limits = (has_elements, is_vector, has_all_channels, has_sound_bits)
    kernels = (TemplateKernel(lambda operation: _code(operation)),)

    def parse(self, options: Options) -> SpectralSubtractionAttributes:
        """Read the options."""
        names = SpectralSubtractionAttributes.__dataclass_fields__
        found = {name: integer_option(options, name) for name in names if name != "clamping"}
        return SpectralSubtractionAttributes(clamping=bool(options.get("clamping", False)), **found)

    def infer(self, operation: Operation) -> tuple[tuple[int, ...], ...]:
        """Two of the input's shape."""
        return operation.input(0).shape, operation.input(0).shape

    def state(self, operation: Operation) -> tuple[Array, ...]:
        """No noise before the first call."""
        return (np.zeros(operation.input(0).shape, np.uint32),)

    def evaluate(self, operation: Operation, inputs: Sequence[Array | None]) -> tuple[Array, ...]:
        """In 64 bits, wrapped to 32 where the C says so."""
        assert inputs[0] is not None and inputs[1] is not None
        found = _attributes(operation)
        signal = inputs[0].astype(np.uint64)
        scaled = (signal << np.uint64(found.smoothing_bits)) & _MASK
        odd = np.arange(len(signal)) % 2 == 1
        smoothing = np.where(odd, _word(found.alternate_smoothing), _word(found.smoothing))
        rest = np.where(odd, _word(found.alternate_one_minus_smoothing), _word(found.one_minus_smoothing))
        bits = np.uint64(found.spectral_subtraction_bits)
        with np.errstate(over="ignore"):
            noise = ((scaled * smoothing + inputs[1].astype(np.uint64) * rest) >> bits) & _MASK
            least = ((signal * _word(found.min_signal_remaining)) >> bits) & _MASK
        estimate = np.minimum(noise, scaled)
        kept = (estimate if found.clamping else noise).astype(np.uint32)
        left = (scaled - estimate) >> np.uint64(found.smoothing_bits)
        return np.maximum(left, least).astype(np.uint32), kept, kept


_MASK = np.uint64(0xFFFFFFFF)


def _word(value: int) -> np.uint64:
    """An option as uint32."""
    return np.uint64(value & 0xFFFFFFFF)


def _attributes(operation: Operation) -> SpectralSubtractionAttributes:
    assert isinstance(operation.node.attributes, SpectralSubtractionAttributes)
    return operation.node.attributes


def _code(operation: Operation) -> TemplateCode:
    found = _attributes(operation)
    return TemplateCode(
        "signal/spectral_subtraction.c.j2",
        parameters={
            "smoothing": (found.smoothing & 0xFFFFFFFF, found.alternate_smoothing & 0xFFFFFFFF),
            "rest": (
                found.one_minus_smoothing & 0xFFFFFFFF,
                found.alternate_one_minus_smoothing & 0xFFFFFFFF,
            ),
            "least": found.min_signal_remaining & 0xFFFFFFFF,
            "smoothing_bits": found.smoothing_bits,
            "bits": found.spectral_subtraction_bits,
            "clamping": found.clamping,
        },
        arguments=(found.num_channels,),
        cycles=30 * found.num_channels,
    )
