"""GELU: x times the normal distribution function, exact or by its approximation with tanh."""

from dataclasses import dataclass
from math import erf, sqrt

import numpy as np

from tinycompile.ir import Array, Attributes, DType, Options
from tinycompile.ops._activations import activation_kernels, same_types, through_float
from tinycompile.ops._limits import has_elements, has_per_tensor_quantization
from tinycompile.ops._lookup import Unary
from tinycompile.ops.base import Operation, register


@dataclass(frozen=True)
class GeluAttributes(Attributes):
    """Options of a GELU."""

    approximate: bool = False


@register
class Gelu(Unary):
    """GELU."""

    kind = "GELU"
    types = same_types(DType.INT8, DType.UINT8, DType.FLOAT32)
    limits = (has_elements, has_per_tensor_quantization)
    kernels = activation_kernels(
        lambda operation: {"kind": "GELU_TANH" if _approximate(operation) else "GELU"}, 80
    )

    def parse(self, options: Options) -> GeluAttributes:
        """Read GeluOptions."""
        return GeluAttributes(bool(options.get("approximate", False)))

    def apply(self, operation: Operation, values: Array) -> Array:
        """Through float32 for quantized types."""
        function = _by_tanh if _approximate(operation) else _by_erf
        return function(values) if values.dtype == np.float32 else through_float(operation, values, function)


def _approximate(operation: Operation) -> bool:
    assert isinstance(operation.node.attributes, GeluAttributes)
    return operation.node.attributes.approximate


def _by_tanh(values: Array) -> Array:
    x = values.astype(np.float64)
    result: Array = 0.5 * x * (1.0 + np.tanh(sqrt(2.0 / np.pi) * (x + 0.044715 * x**3)))
    return result.astype(np.float32)


def _by_erf(values: Array) -> Array:
    x = values.astype(np.float64)
    return np.array([0.5 * v * (1.0 + erf(v / sqrt(2.0))) for v in x.reshape(-1)], np.float32).reshape(
        x.shape
    )
