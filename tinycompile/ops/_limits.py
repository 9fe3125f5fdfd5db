"""Limits that operators of different families share; the docstring of a limit is the sentence that users read."""

import numpy as np

from tinycompile.ir import DType, Tensor
from tinycompile.ops.base import Limit, Operation

QUANTIZED = (DType.INT8, DType.UINT8, DType.INT16)
"""Element types that stand for reals through a scale and a zero point."""

LEAST_SCALE = 1e-30
"""Reciprocals and products of smaller scales leave float32, in which TFLite computes them."""


def has_elements(operation: Operation) -> str | None:
    """No tensor is empty."""
    for role, tensor in _operands(operation):
        if tensor.elements < 1:
            return f"{role} is {tensor.describe()}"
    return None


def has_per_tensor_quantization(operation: Operation) -> str | None:
    """int8, uint8 and int16 tensors have one scale of at least 1e-30 and one zero point that the type holds (int16: 0)."""
    for role, tensor in _operands(operation):
        problem = quantization_problem(tensor)
        if problem:
            return f"{role} has {problem}"
    return None


def has_same_quantization(operation: Operation) -> str | None:
    """int8, uint8 and int16 inputs have the scale and the zero point of the output."""
    if has_per_tensor_quantization(operation):
        return None
    output = operation.output
    for index, tensor in enumerate(operation.inputs):
        if tensor is None or tensor.dtype not in QUANTIZED or output.dtype not in QUANTIZED:
            continue
        if (tensor.scale, tensor.zero_point) != (output.scale, output.zero_point):
            found = f"scale {tensor.scale:g}, zero point {tensor.zero_point}"
            return f"input {index} has {found}, the output {output.scale:g}, {output.zero_point}"
    return None


def quantization_problem(tensor: Tensor) -> str | None:
    """What keeps a tensor from being quantized per tensor; None for types that are not quantized."""
    if tensor.dtype not in QUANTIZED:
        return None
    found = tensor.quantization
    if found is None or not found.scales:
        return "no quantization"
    if len(found.scales) != 1 or len(set(found.zero_points)) != 1:
        return f"{len(found.scales)} scales and {len(set(found.zero_points))} zero points"
    if not (found.scale >= LEAST_SCALE and np.isfinite(found.scale)):
        return f"scale {found.scale}"
    low, high = tensor.dtype.limits if tensor.dtype is not DType.INT16 else (0, 0)
    return None if low <= found.zero_point <= high else f"zero point {found.zero_point}"


def constant_input(index: int, role: str) -> Limit:
    """The limit that an input is present and constant."""

    def limit(operation: Operation) -> str | None:
        tensor = operation.optional(index)
        if tensor is None:
            return f"input {index} is missing"
        return None if tensor.is_constant else f"{tensor.name!r} is computed by the model"

    limit.__doc__ = f"{role[0].upper()}{role[1:]} (input {index}) is a constant."
    limit.__name__ = f"has_constant_{role.replace(' ', '_')}"
    return limit


def rank_limit(*ranks: int) -> Limit:
    """The limit that the first input has one of these ranks."""

    def limit(operation: Operation) -> str | None:
        tensor = operation.inputs[0]
        if tensor is None:
            return "input 0 is missing"
        return None if len(tensor.shape) in ranks else f"input is {tensor.describe()}"

    limit.__doc__ = f"The input has {' or '.join(map(str, ranks))} dimensions."
    limit.__name__ = "has_rank"
    return limit


def last_dimension_limit(most_elements: int) -> Limit:
    """The limit that the first input has a last dimension of at most so many elements."""

    def limit(operation: Operation) -> str | None:
        tensor = operation.inputs[0]
        if tensor is None:
            return "the input is missing"
        short = tensor.shape and tensor.shape[-1] <= most_elements
        return None if short else f"the input is {tensor.describe()}"

    limit.__doc__ = (
        f"The input has at least one dimension, and the last one has at most {most_elements} elements."
    )
    limit.__name__ = "has_last_dimension"
    return limit


def constant_integers(operation: Operation, index: int) -> list[int] | None:
    """Values of a constant integer input; None when it is missing, computed or of another type."""
    tensor = operation.optional(index)
    if tensor is None or not tensor.is_constant or not tensor.dtype.is_integer:
        return None
    return [int(value) for value in tensor.values.reshape(-1)]


def _operands(operation: Operation) -> list[tuple[str, Tensor]]:
    inputs = [(f"input {i}", tensor) for i, tensor in enumerate(operation.inputs) if tensor is not None]
    return inputs + [(f"output {i}", tensor) for i, tensor in enumerate(operation.outputs)]
