"""SignalFilterBank: energies of overlapping triangular bands; each energy counts for two neighbours, by weight and by rest.

Source of the semantics: signal/micro/kernels/filter_bank.cc and signal/src/filter_bank.cc in tflite-micro.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tinycompile.ir import Array, Attributes, DType, Options
from tinycompile.ops._limits import constant_input, constant_integers, has_elements
from tinycompile.ops._signal import SignalOperator, integer_option, is_vector
from tinycompile.ops._template import TemplateCode, TemplateKernel
from tinycompile.ops.base import Operation, TypeRule, register

TABLES = ("weights", "unweights", "frequency starts", "weight starts", "widths")
"""Inputs 1 to 5."""


@dataclass(frozen=True)
class FilterBankAttributes(Attributes):
    """Options of the operator."""

    num_channels: int


def has_bands_in_range(operation: Operation) -> str | None:
    """There are `num_channels` + 1 bands, at most 32767, whose energies and weights all exist."""
    weights, unweights, frequencies, offsets, widths = (
        constant_integers(operation, index) or [] for index in range(1, 6)
    )
    bands, source = _channels(operation) + 1, operation.inputs[0]
    if source is None or not 2 <= bands <= 32767:
        return f"there are {bands}"
    if min(len(frequencies), len(offsets), len(widths)) < bands:
        return f"{bands} bands, tables of {len(frequencies)}, {len(offsets)} and {len(widths)}"
    known = min(len(weights), len(unweights))
    for band, (frequency, offset, width) in enumerate(zip(frequencies, offsets, widths, strict=False)):
        if band < bands and width > 0 and not _reaches(frequency, offset, width, source.elements, known):
            return f"band {band} starts at energy {frequency} and weight {offset}, and is {width} wide"
    return None


def _reaches(frequency: int, offset: int, width: int, energies: int, weights: int) -> bool:
    return min(frequency, offset) >= 0 and frequency + width <= energies and offset + width <= weights


@register
class SignalFilterBank(SignalOperator):
    """SignalFilterBank of TFLM."""

    custom_code = "SignalFilterBank"
    types = (TypeRule((DType.UINT32, DType.INT16), (DType.UINT64,)),)
    min_inputs = 6
    limits = (
        has_elements,
        is_vector,
        *(constant_input(index, role) for index, role in enumerate(TABLES, 1)),
        has_bands_in_range,
    )
    kernels = (TemplateKernel(lambda operation: _code(operation)),)

    def parse(self, options: Options) -> FilterBankAttributes:
        """Read the options."""
        return FilterBankAttributes(integer_option(options, "num_channels"))

    def infer(self, operation: Operation) -> tuple[tuple[int, ...], ...]:
        """A sum for each channel."""
        return ((_channels(operation),),)

    def evaluate(self, operation: Operation, inputs: Sequence[Array | None]) -> tuple[Array, ...]:
        """Band by band; what a band does not take goes to the next channel. The first band only has a rest."""
        energies, weights, unweights, frequencies, offsets, widths = (
            np.empty(0) if array is None else array for array in inputs
        )
        sums, rest = [], np.uint64(0)
        with np.errstate(over="ignore"):  # 64 bits wrap, and a negative weight is one that wraps
            for band in range(_channels(operation) + 1):
                width = max(int(widths[band]), 0)
                heard = energies[int(frequencies[band]) :][:width].astype(np.uint64)
                taken, left = (
                    (table[int(offsets[band]) :][:width].astype(np.int64).astype(np.uint64) * heard).sum(
                        dtype=np.uint64
                    )
                    for table in (weights, unweights)
                )
                sums.append(rest + taken)
                rest = left
        return (np.array(sums[1:], np.uint64),)


def _channels(operation: Operation) -> int:
    assert isinstance(operation.node.attributes, FilterBankAttributes)
    return operation.node.attributes.num_channels


def _code(operation: Operation) -> TemplateCode:
    widths = constant_integers(operation, 5) or []
    return TemplateCode(
        "signal/filter_bank.c.j2",
        inputs=tuple(range(6)),
        arguments=(_channels(operation),),
        cycles=16 * sum(max(width, 0) for width in widths) + 20 * len(widths),
    )
