"""SignalEnergy: squared magnitudes of the pairs from `start_index` to `end_index` (exclusive).

TFLM leaves the other outputs unwritten; here they are 0. Source of the semantics: signal/src/energy.cc in tflite-micro.
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
class EnergyAttributes(Attributes):
    """Options of the operator: the pairs that are computed."""

    start_index: int
    end_index: int


def has_pairs(operation: Operation) -> str | None:
    """The input has two elements for each output."""
    source, output = operation.inputs[0], operation.output
    if source is None or source.elements == 2 * output.elements:
        return None
    return f"{source.describe()} for {output.describe()}"


def has_range_of_pairs(operation: Operation) -> str | None:
    """`start_index` and `end_index` are in order and in the range of the outputs."""
    start, end = _range(operation)
    return None if 0 <= start <= end <= operation.output.elements else f"they are {start} and {end}"


@register
class SignalEnergy(SignalOperator):
    """SignalEnergy of TFLM; outputs outside of the range are 0."""

    custom_code = "SignalEnergy"
    types = (TypeRule((DType.INT16,), (DType.UINT32,)),)
    limits = (has_elements, is_vector, has_pairs, has_range_of_pairs)
    kernels = (TemplateKernel(lambda operation: _code(operation)),)

    def parse(self, options: Options) -> EnergyAttributes:
        """Read the options."""
        return EnergyAttributes(integer_option(options, "start_index"), integer_option(options, "end_index"))

    def infer(self, operation: Operation) -> tuple[tuple[int, ...], ...]:
        """One element for each pair."""
        return ((operation.input(0).elements // 2,),)

    def evaluate(self, operation: Operation, inputs: Sequence[Array | None]) -> tuple[Array, ...]:
        """Sums of two squares fit 32 bits without a sign."""
        assert inputs[0] is not None
        pairs = inputs[0].astype(np.int64).reshape(-1, 2)
        start, end = _range(operation)
        result = np.zeros(len(pairs), np.uint32)
        result[start:end] = (pairs**2).sum(axis=1)[start:end]
        return (result,)


def _range(operation: Operation) -> tuple[int, int]:
    attributes = operation.node.attributes
    assert isinstance(attributes, EnergyAttributes)
    return attributes.start_index, attributes.end_index


def _code(operation: Operation) -> TemplateCode:
    pairs = operation.output.elements
    return TemplateCode("signal/energy.c.j2", arguments=(pairs, *_range(operation)), cycles=6 * pairs)
