"""CUMSUM: running sums along an axis, with or without the element itself, forwards or backwards.

Source of the semantics: tensorflow/lite/kernels/internal/reference/cumsum.h; int8 as TensorFlow Lite Micro has it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

import numpy as np

from tinycompile.ir import Array, Attributes, DType, Options
from tinycompile.ops._axis import axis_problem
from tinycompile.ops._limits import (
    constant_input,
    constant_integers,
    has_elements,
    has_per_tensor_quantization,
)
from tinycompile.ops._sums import SUM_BITS, has_small_steps, scaled_sums, sum_arguments
from tinycompile.ops._template import TemplateCode, TemplateKernel
from tinycompile.ops.access import WHOLE, Access
from tinycompile.ops.base import Operation, Operator, TypeRule, register


@dataclass(frozen=True)
class CumsumAttributes(Attributes):
    """Options of a running sum."""

    exclusive: bool = False
    reverse: bool = False


def has_legal_axis(operation: Operation) -> str | None:
    """The axis is one dimension of the input."""
    source, axis = operation.inputs[0], constant_integers(operation, 1)
    if source is None or axis is None:
        return None
    problem = "no axis" if len(axis) != 1 else axis_problem(axis[0], len(source.shape))
    return f"{problem}: {source.describe()}" if problem else None


@register
class Cumsum(Operator):
    """CUMSUM along a constant axis."""

    kind = "CUMSUM"
    types = tuple(
        TypeRule((dtype, DType.INT32), (dtype,))
        for dtype in (DType.INT8, DType.INT32, DType.INT64, DType.FLOAT32)
    )
    limits = (
        has_elements,
        constant_input(1, "axis"),
        has_legal_axis,
        has_per_tensor_quantization,
        has_small_steps,
    )
    min_inputs = 2
    kernels = (TemplateKernel(lambda operation: _code(operation)),)

    def parse(self, options: Options) -> CumsumAttributes:
        """Read CumsumOptions."""
        return CumsumAttributes(bool(options.get("exclusive", False)), bool(options.get("reverse", False)))

    def infer(self, operation: Operation) -> tuple[tuple[int, ...], ...]:
        """The input's shape."""
        return (operation.input(0).shape,)

    def evaluate(self, operation: Operation, inputs: Sequence[Array | None]) -> tuple[Array, ...]:
        """numpy's running sum; `exclusive` moves it by one element."""
        values, axis, attributes = inputs[0], _axis(operation), _attributes(operation)
        assert values is not None
        quantized = operation.output.dtype is DType.INT8
        terms = values.astype(np.int64) - operation.input(0).zero_point if quantized else values
        lines = np.moveaxis(terms, axis, 0)
        lines = lines[::-1] if attributes.reverse else lines
        sums = np.cumsum(lines, axis=0, dtype=terms.dtype)
        if attributes.exclusive:
            sums = np.concatenate([np.zeros_like(sums[:1]), sums[:-1]])
        sums = sums[::-1] if attributes.reverse else sums
        result = np.ascontiguousarray(np.moveaxis(sums, 0, axis))
        return (scaled_sums(operation, result) if quantized else result,)

    def access(self, operation: Operation, index: int) -> Access:
        """All elements before it on its line."""
        return WHOLE

    def overwrites(self, operation: Operation) -> tuple[int, ...]:
        """An element is read before its place is written."""
        return (0,)


def _attributes(operation: Operation) -> CumsumAttributes:
    assert isinstance(operation.node.attributes, CumsumAttributes)
    return operation.node.attributes


def _axis(operation: Operation) -> int:
    return int(operation.input(1).values.reshape(-1)[0]) % len(operation.input(0).shape)


def _code(operation: Operation) -> TemplateCode:
    shape, axis, attributes = operation.input(0).shape, _axis(operation), _attributes(operation)
    quantized = operation.output.dtype is DType.INT8
    return TemplateCode(
        "cumsum/portable.c.j2",
        {
            "c_type": operation.output.dtype.c_type,
            "quantized": quantized,
            "sum_bits": SUM_BITS,
            "outer": prod(shape[:axis]),
            "extent": shape[axis],
            "inner": prod(shape[axis + 1 :]),
            "exclusive": attributes.exclusive,
            "reverse": attributes.reverse,
        },
        arguments=sum_arguments(operation) if quantized else (),
        runtime=("tc_requantize.h",) if quantized else (),
        cycles=(16 if quantized else 6) * operation.output.elements,
    )
