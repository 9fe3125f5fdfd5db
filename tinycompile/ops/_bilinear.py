"""Places and weights of a bilinear resize, which all of its kernels read.

Source of the semantics: tensorflow/lite/kernels/internal/reference/resize_bilinear.h (`ComputeInterpolationValues`).
"""

from dataclasses import dataclass

import numpy as np

from tinycompile.ir import Array, DType
from tinycompile.ops._resize import attributes_of
from tinycompile.ops.base import Operation
from tinycompile.program import Constant

REAL = (DType.UINT8, DType.FLOAT32)
"""Types whose distances are float32; those of the others are fixed-point numbers."""


@dataclass(frozen=True, eq=False)
class Axis:
    """For each output index: the input indices before and after, and the distance to the first (integers: times 1024)."""

    before: Array
    after: Array
    distance: Array


def axis_of(operation: Operation, axis: int) -> Axis:
    """Places and distances along one axis."""
    extent, wanted = operation.input(0).shape[axis], operation.output.shape[axis]
    attributes = attributes_of(operation)
    aligned = attributes.align_corners and wanted > 1
    numerator, denominator = (extent - 1, wanted - 1) if aligned else (extent, wanted)
    index = np.arange(wanted, dtype=np.int64)
    if operation.output.dtype in REAL:
        scale = np.float32(numerator) / np.float32(denominator)
        half = np.float32(0.5 if attributes.half_pixel_centers else 0.0)
        scaled = (index.astype(np.float32) + half) * scale - half
        before = np.maximum(np.floor(scaled), 0).astype(np.int32)
        after = np.minimum(np.ceil(scaled), extent - 1).astype(np.int32)
        return Axis(before, after, (scaled - before.astype(np.float32)).astype(np.float32))
    step = (1024 * numerator + denominator // 2) // denominator
    place = index * step + (step // 2 - 512 if attributes.half_pixel_centers else 0)
    before = np.maximum(_quotient(place), 0)
    after = np.minimum(_quotient(place + 1023), extent - 1)
    return Axis(before.astype(np.int32), after.astype(np.int32), (place - 1024 * before).astype(np.int32))


def _quotient(place: Array) -> Array:
    """Divided by 1024 towards zero."""
    result: Array = np.sign(place) * (np.abs(place) >> 10)
    return result


def index_table(name: str, before: Array, after: Array) -> Constant:
    """For each output index the input indices before and after, as int32 pairs."""
    return Constant(name, np.stack([before, after], axis=1), "before and after", is_weight=False)
