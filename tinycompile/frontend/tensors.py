"""Turns a tensor record of the file into a Tensor: element type, shape, quantization, and the values of constants."""

from collections.abc import Sequence
from math import isfinite

import numpy as np

from tinycompile.frontend.reader import FileQuantization, FileTensor
from tinycompile.frontend.schema import DTYPES
from tinycompile.ir import Array, DType, Quantization, Tensor

MAX_TENSOR_BYTES = 1 << 31
Findings = list[tuple[str, ...]]
"""What is wrong with a tensor: (found, supported, action), as in Problem."""


def import_tensor(
    record: FileTensor, index: int, buffers: Sequence[Array], is_computed: bool, weight_axis: int | None
) -> Tensor | Findings:
    """The tensor with this index in its subgraph, or what is wrong with it.

    `is_computed` tells that it is a graph input or an operator's result; `weight_axis` is the output channel axis when it is
    the weights of an operator that fixes this axis.
    """
    findings = _check_record(record, len(buffers))
    if findings:
        return findings
    dtype = DTYPES[record.type_name]
    quantization = _quantization(record.quantization, record.shape, dtype, weight_axis)
    if isinstance(quantization, str):
        findings.append((quantization,))
    tensor = Tensor(index, record.name, record.shape, dtype, source=index)
    data = _constant(tensor, record, buffers[record.buffer], is_computed)
    if isinstance(data, str):
        findings.append((data,))
    if isinstance(quantization, str) or isinstance(data, str):
        return findings
    return Tensor(index, record.name, record.shape, dtype, quantization, data, source=index)


def _check_record(record: FileTensor, buffers: int) -> Findings:
    findings: Findings = []
    if record.type_name not in DTYPES:
        known = ", ".join(dtype.value for dtype in DType)
        findings.append((f"element type {record.type_name} is not supported", f"supported: {known}"))
    if record.buffer >= buffers:
        findings.append((f"names buffer {record.buffer}, the file has {buffers}",))
    if any(extent < 0 for extent in record.shape):
        shown = ",".join(map(str, record.shape))
        findings.append(
            (
                f"dynamic shape [{shown}]",
                "every extent must be known",
                "convert the model with a fixed input shape",
            )
        )
    elif record.type_name in DTYPES:
        tensor_bytes = Tensor(0, "", record.shape, DTYPES[record.type_name]).bytes
        if tensor_bytes > MAX_TENSOR_BYTES:
            findings.append(
                (f"the shape takes {tensor_bytes} bytes", f"at most {MAX_TENSOR_BYTES} are supported")
            )
    if record.is_sparse:
        findings.append(
            ("sparse encoding", "only dense tensors are supported", "convert the model without sparsity")
        )
    return findings


def _quantization(
    record: FileQuantization | None, shape: tuple[int, ...], dtype: DType, weight_axis: int | None
) -> Quantization | str | None:
    """The quantization, None when there is none, or what is wrong with it. All scales 0 is how old converters say none."""
    if record is None or not dtype.is_integer or not any(record.scales):
        return None
    if not all(isfinite(scale) and scale >= 0 for scale in record.scales):
        return "a scale is negative or not a number"
    zero_points = record.zero_points or (0,)
    if len(zero_points) == 1:
        zero_points *= len(record.scales)
    if len(zero_points) != len(record.scales):
        return f"{len(record.scales)} scales, but {len(zero_points)} zero points"
    low, high = dtype.limits
    if not all(low <= zero_point <= high for zero_point in zero_points):
        return f"a zero point lies outside of {low} to {high}"
    if len(record.scales) == 1:
        return Quantization(record.scales, zero_points)
    axis = _axis(len(record.scales), shape, record.axis, weight_axis)
    if axis is None:
        return f"{len(record.scales)} scales fit no axis of the shape [{','.join(map(str, shape))}]"
    return Quantization(record.scales, zero_points, axis)


def _axis(count: int, shape: tuple[int, ...], declared: int, weight_axis: int | None) -> int | None:
    """The axis of per-channel scales: the one that the operator fixes, the declared one, or the only one that fits."""
    for axis in (weight_axis, declared):
        if axis is not None and 0 <= axis < len(shape) and shape[axis] == count:
            return axis
    fitting = [axis for axis, extent in enumerate(shape) if extent == count]
    return fitting[0] if len(fitting) == 1 else None


def _constant(tensor: Tensor, record: FileTensor, raw: Array, is_computed: bool) -> Array | str | None:
    """The values of a constant, None for an activation, or what is wrong."""
    if is_computed:
        return "is computed and has constant data too" if raw.size else None
    if record.is_variable:
        return "is a variable, and the operator that takes it does not update it"
    if not raw.size and tensor.elements:
        return "is read, but nothing writes it and it has no constant data"
    expected = (tensor.elements + 1) // 2 if tensor.dtype is DType.INT4 else tensor.bytes
    if raw.size != expected:
        return f"{tensor.describe()} takes {expected} bytes, its buffer has {raw.size}"
    values = _unpack_int4(raw, tensor.elements) if tensor.dtype is DType.INT4 else _decode(raw, tensor.dtype)
    values = values.reshape(tensor.shape)
    values.setflags(write=False)
    return values


def _decode(raw: Array, dtype: DType) -> Array:
    """Copy little-endian bytes into an array of the machine's byte order."""
    stored = np.dtype(np.uint8) if dtype is DType.BOOL else dtype.numpy.newbyteorder("<")
    return np.frombuffer(raw.tobytes(), stored).astype(dtype.numpy)


def _unpack_int4(raw: Array, elements: int) -> Array:
    """Two elements a byte, the first in the low half, sign-extended."""
    pairs = np.stack([raw & 15, raw >> 4], axis=-1).reshape(-1)[:elements].astype(np.int8)
    return np.where(pairs > 7, pairs - 16, pairs).astype(np.int8)
