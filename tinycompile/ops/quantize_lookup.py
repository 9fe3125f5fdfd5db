"""QUANTIZE_LOOKUP: float32 quantized, then a table of the levels. No operator of the schema; a pass makes it of both."""

from dataclasses import dataclass

from tinycompile.ir import Array, Attributes, DType
from tinycompile.ops._lookup import BYTES, Unary
from tinycompile.ops._quantize_float import DivisionKernel, ProductKernel, Quantized
from tinycompile.ops.base import Operation, TypeRule, register


@dataclass(frozen=True)
class QuantizeLookupAttributes(Attributes):
    """Scale, zero point and limits of the levels, and the results of the levels low..high."""

    scale: float = 1.0
    zero_point: int = 0
    low: int = 0
    high: int = 0
    table: tuple[int, ...] = ()


def _quantized(operation: Operation) -> Quantized:
    attributes = operation.node.attributes
    assert isinstance(attributes, QuantizeLookupAttributes)
    return Quantized(
        attributes.scale,
        attributes.zero_point,
        attributes.low,
        attributes.high,
        operation.output.dtype,
        attributes.table,
    )


@register
class QuantizeLookup(Unary):
    """float32 inputs, bytes as outputs."""

    kind = "QUANTIZE_LOOKUP"
    types = tuple(TypeRule((DType.FLOAT32,), (output,)) for output in BYTES)
    made_by_passes = True
    kernels = (DivisionKernel(_quantized), ProductKernel(_quantized))

    def apply(self, operation: Operation, values: Array) -> Array:
        """Divided, rounded and looked up."""
        return _quantized(operation).apply(values)
