"""MEAN against the reference: axes, kept dimensions, other scales, counts that divide and do not."""

from dataclasses import dataclass

import numpy as np

from tests.ops.case import Case, Const, one_op
from tests.ops.matrix import OperatorMatrix
from tflite_support.builder import Spec


@dataclass(frozen=True)
class Mean:
    """A mean of `x` over `axes`; `same` keeps scale and zero point."""

    x: tuple[int, ...] = (1, 5, 6, 3)
    axes: tuple[int, ...] = (1, 2)
    keep: bool = True
    dtype: str = "int8"
    same: bool = True
    scales: tuple[float, float] = (0.05, 0.02)
    zero_points: tuple[int, int] = (-3, 5)


_TABLE = {
    "height_width": Mean(),
    "height_width_dropped": Mean(keep=False),
    "height_width_other_scale": Mean(same=False),
    "height_width_dropped_other_scale": Mean(keep=False, same=False),
    "width_height": Mean(axes=(2, 1)),
    "height": Mean(axes=(1,)),
    "width": Mean(axes=(2,), keep=False),
    "channels": Mean(axes=(3,)),
    "channels_negative": Mean(axes=(-1,), keep=False),
    "negative_axes": Mean(axes=(-3, -2)),
    "axis_twice": Mean(axes=(1, -3)),
    "batch": Mean(x=(3, 2, 2, 2), axes=(0,)),
    "batch_kept_apart": Mean(x=(3, 4, 5, 2)),
    "batch_kept_apart_other_scale": Mean(x=(3, 4, 5, 2), same=False),
    "height_channels": Mean(axes=(1, 3)),
    "all": Mean(axes=(0, 1, 2, 3)),
    "all_dropped": Mean(axes=(0, 1, 2, 3), keep=False),
    "matrix_rows": Mean(x=(7, 9), axes=(0,), keep=False),
    "matrix_columns": Mean(x=(7, 9), axes=(1,), same=False),
    "vector": Mean(x=(11,), axes=(0,)),
    "three_dimensions": Mean(x=(2, 5, 4), axes=(1,), same=False),
    "one_element": Mean(x=(1, 1, 1, 4)),
    "one_element_other_scale": Mean(x=(1, 1, 1, 4), same=False),
    "zero_points_low_high": Mean(same=False, zero_points=(-128, 127)),
    "zero_points_high_low": Mean(same=False, zero_points=(127, -128)),
    "zero_point_low": Mean(zero_points=(-128, 0)),
    "zero_point_high": Mean(zero_points=(127, 0)),
    "saturates": Mean(same=False, scales=(0.05, 0.0005)),
    "small_output": Mean(same=False, scales=(0.001, 1.0)),
    "many": Mean(x=(1, 32, 33, 2)),
    "many_other_scale": Mean(x=(1, 32, 33, 2), same=False),
    **{f"channels_{n}": Mean(x=(1, 3, 3, n)) for n in range(1, 10)},
    **{f"count_{n}": Mean(x=(1, n, 1, 3), axes=(1,), keep=False) for n in range(1, 18)},
    **{f"count_{n}_other_scale": Mean(x=(1, n, 1, 3), axes=(1,), same=False) for n in range(1, 8)},
    "uint8": Mean(dtype="uint8", zero_points=(128, 3)),
    "uint8_other_scale": Mean(dtype="uint8", zero_points=(100, 3), same=False),
    "int16": Mean(dtype="int16", zero_points=(0, 0)),
    "int16_other_scale": Mean(dtype="int16", zero_points=(0, 0), same=False),
    "int32": Mean(dtype="int32"),
    "int64": Mean(dtype="int64", axes=(1,)),
    "float32": Mean(dtype="float32"),
    "float32_channels": Mean(dtype="float32", axes=(3,), keep=False),
}


def _case(name: str, mean: Mean) -> Case:
    axes = {axis % len(mean.x) for axis in mean.axes}
    shape = tuple(1 if axis in axes else extent for axis, extent in enumerate(mean.x))
    if not mean.keep:
        shape = tuple(extent for axis, extent in enumerate(mean.x) if axis not in axes)
    x = Spec(mean.x, mean.dtype, mean.scales[0], mean.zero_points[0])
    y = Spec(shape, mean.dtype, mean.scales[1], mean.zero_points[1])
    if mean.same:
        y = Spec(shape, mean.dtype, x.scale, x.zero_point)
    if mean.dtype in ("int32", "int64", "float32"):
        x, y = Spec(mean.x, mean.dtype), Spec(shape, mean.dtype)
    axis_operand = Const(np.array(mean.axes, np.int32))
    return one_op(name, "MEAN", [x, axis_operand], y, keep_dims=mean.keep)


class TestMean(OperatorMatrix):
    cases = tuple(_case(name, mean) for name, mean in _TABLE.items())
