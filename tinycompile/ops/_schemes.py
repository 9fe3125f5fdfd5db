"""Schemes: the combinations of element types with which the linear operators compute.

CONV_2D, DEPTHWISE_CONV_2D and FULLY_CONNECTED are sums of products, `LinearOperator.sums`; what precedes and follows the sums
(zero points, bias, scaling, clamp) is a scheme, the same for all three. Each operator lists its kernels by scheme.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import ClassVar

import numpy as np

from tinycompile.ir import Array, DType
from tinycompile.ops._fused import clamped
from tinycompile.ops._linear import (
    INT8_TYPES,
    INT16_BIAS_32_TYPES,
    INT16_TYPES,
    UINT8_TYPES,
    bias_values,
    requantized,
)
from tinycompile.ops.base import Kernel, Operation, Operator, TypeRule

Sums = Callable[[Array, Array], Array]
"""Sums of products [..., channels] of activations and weights in float64: exact for integers of 8 and 16 bits."""


class Scheme(ABC):
    """How a linear operator computes with some combinations of element types."""

    made_by_passes: ClassVar[bool] = False
    """No types of the schema: a file that has them is refused."""

    @property
    @abstractmethod
    def types(self) -> tuple[TypeRule, ...]:
        """Activations, weights, bias -> activations."""

    @abstractmethod
    def evaluate(self, operation: Operation, inputs: Sequence[Array], sums: Sums) -> Array:
        """The output, from the inputs other than weights and bias, and from the operator's sums."""


class IntegerScheme(Scheme):
    """Integer activations, int8 weights, integer bias."""

    def __init__(self, *types: TypeRule) -> None:
        self._types = types

    @property
    def types(self) -> tuple[TypeRule, ...]:
        """As given."""
        return self._types

    def evaluate(self, operation: Operation, inputs: Sequence[Array], sums: Sums) -> Array:
        """Accumulators are requantized."""
        weights, channels = operation.input(1), operation.output.shape[-1]
        products = sums(
            inputs[0].astype(np.float64) - operation.input(0).zero_point,
            weights.values.astype(np.float64) - weights.zero_point,
        )
        accumulators = products.astype(np.int64) + bias_values(operation, channels)
        return requantized(operation, accumulators)


class FloatScheme(Scheme):
    """float32 throughout."""

    @property
    def types(self) -> tuple[TypeRule, ...]:
        """One type."""
        return (TypeRule((DType.FLOAT32,), (DType.FLOAT32,)),)

    def evaluate(self, operation: Operation, inputs: Sequence[Array], sums: Sums) -> Array:
        """Sums in double, rounded once."""
        bias = operation.optional(2)
        total = sums(inputs[0].astype(np.float64), operation.input(1).values.astype(np.float64))
        return clamped(operation, total if bias is None else total + bias.values.reshape(-1))


INT8 = IntegerScheme(*INT8_TYPES)
UINT8 = IntegerScheme(*UINT8_TYPES)
INT16 = IntegerScheme(*INT16_TYPES)
INT16_BIAS_32 = IntegerScheme(*INT16_BIAS_32_TYPES)
FLOAT = FloatScheme()


KernelsByScheme = Mapping[Scheme, tuple[Kernel, ...]]


class LinearOperator(Operator):
    """Base of operators that are sums of products; `types` and `kernels` follow from `schemes`."""

    schemes: ClassVar[KernelsByScheme]

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        cls.types = tuple(
            rule for scheme in cls.schemes if not scheme.made_by_passes for rule in scheme.types
        )
        cls.kernels = tuple({k.name: k for kernels in cls.schemes.values() for k in kernels}.values())

    def kernels_for(self, operation: Operation) -> tuple[Kernel, ...]:
        """Those of the operation's scheme."""
        return self.schemes[self.scheme_of(operation)]

    def evaluate(self, operation: Operation, inputs: Sequence[Array | None]) -> tuple[Array, ...]:
        """By scheme."""
        computed = [array for index, array in enumerate(inputs) if array is not None and index not in (1, 2)]
        return (self.scheme_of(operation).evaluate(operation, computed, partial(self.sums, operation)),)

    def zero_weights(self, operation: Operation) -> int:
        """Weights that are their zero point."""
        weights = operation.input(1)
        if not weights.is_constant:
            return 0
        zero_point = weights.zero_point if weights.quantization is not None else 0
        return int((weights.values == zero_point).sum())

    @abstractmethod
    def sums(self, operation: Operation, source: Array, weights: Array) -> Array:
        """Sums of products without bias, in the output's shape; what lies outside of an image is 0."""

    def scheme_of(self, operation: Operation) -> Scheme:
        """The first scheme that takes the operation's element types."""
        return next(s for s in self.schemes if any(rule.fits(operation) for rule in s.types))
