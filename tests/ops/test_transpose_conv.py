"""TRANSPOSE_CONV against the reference: windows, strides, paddings, output sizes, scales, types."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from tests.ops.case import Case, Const, Operand, biases, one_op, rng_of, spread_scale, weights
from tests.ops.matrix import OperatorMatrix
from tflite_support.builder import Spec


@dataclass(frozen=True)
class Transposed:
    """A transposed convolution; `out` is NHWC, pairs are (rows, columns). The image's extents follow."""

    out: tuple[int, int, int, int] = (1, 6, 8, 4)
    depth: int = 3
    kernel: tuple[int, int] = (3, 3)
    stride: tuple[int, int] = (2, 2)
    padding: str = "SAME"
    activation: str = "NONE"
    zero_points: tuple[int, int] = (-3, 5)
    per_channel: bool = True
    bias: bool = True
    weights: str = "random"
    zoom: float = 1.0
    dtype: str = "int8"
    bias_dtype: str = "int32"


_TABLE = {
    "same": Transposed(),
    "valid": Transposed(out=(1, 7, 9, 4), padding="VALID"),
    "same_odd": Transposed(out=(1, 7, 5, 2)),
    "valid_odd_rest": Transposed(out=(1, 8, 10, 2), padding="VALID"),
    "1x1": Transposed(kernel=(1, 1), stride=(1, 1)),
    "1x1_stride_2": Transposed(kernel=(1, 1)),
    "2x2_stride_2": Transposed(kernel=(2, 2)),
    "4x4_stride_2": Transposed(kernel=(4, 4)),
    "5x3_stride_3x1": Transposed(out=(1, 10, 5, 3), kernel=(5, 3), stride=(3, 1)),
    "2x2_stride_3": Transposed(out=(1, 9, 9, 2), stride=(3, 3), kernel=(2, 2)),
    "stride_1": Transposed(stride=(1, 1)),
    "stride_1_valid": Transposed(stride=(1, 1), padding="VALID"),
    "batch_3": Transposed(out=(3, 4, 6, 2)),
    "one_channel": Transposed(out=(1, 6, 6, 1), depth=1),
    "depth_17": Transposed(out=(1, 4, 4, 3), depth=17),
    "channels_9": Transposed(out=(1, 4, 4, 9)),
    "per_tensor": Transposed(per_channel=False),
    "no_bias": Transposed(bias=False),
    "relu": Transposed(activation="RELU"),
    "relu6": Transposed(activation="RELU6", zoom=0.5),
    "zero_points_low_high": Transposed(zero_points=(-128, 127)),
    "zero_points_high_low": Transposed(zero_points=(127, -128)),
    "weights_minus_128": Transposed(weights="lowest"),
    "zoom_20": Transposed(zoom=20),
    "multiplier_above_1": Transposed(zoom=5000),
    "multiplier_tiny": Transposed(zoom=1e-4),
    "int16_bias_int32": Transposed(dtype="int16", zero_points=(0, 0)),
    **{
        f"int16_{name}": replace(case, dtype="int16", zero_points=(0, 0), bias_dtype="int64")
        for name, case in {
            "same": Transposed(),
            "valid": Transposed(out=(1, 7, 9, 4), padding="VALID"),
            "batch_no_bias": Transposed(out=(2, 4, 6, 2), bias=False),
            "depth_17": Transposed(out=(1, 4, 4, 3), depth=17),
            "relu": Transposed(activation="RELU"),
            "zoom_20": Transposed(zoom=20),
            "multiplier_tiny": Transposed(zoom=1e-4),
        }.items()
    },
    **{
        f"uint8_{name}": replace(case, dtype="uint8", per_channel=False, zero_points=(125, 133))
        for name, case in {
            "same": Transposed(),
            "valid_batch": Transposed(out=(2, 7, 9, 4), padding="VALID"),
            "no_bias": Transposed(bias=False),
            "depth_17": Transposed(out=(1, 4, 4, 3), depth=17),
            "zoom_20": Transposed(zoom=20),
        }.items()
    },
    "uint8_zero_points_low_high": Transposed(dtype="uint8", per_channel=False, zero_points=(0, 255)),
    **{
        f"float32_{name}": replace(case, dtype="float32")
        for name, case in {
            "same": Transposed(),
            "valid": Transposed(out=(1, 7, 9, 4), padding="VALID"),
            "batch_no_bias": Transposed(out=(2, 4, 6, 2), bias=False),
            "relu6": Transposed(activation="RELU6"),
        }.items()
    },
}


def _extent(out: int, kernel: int, stride: int, padding: str) -> int:
    """Rows or columns of the image: those of a convolution from the output to it."""
    return len([start for start in range(0, out, stride) if padding == "SAME" or start + kernel <= out])


def _case(name: str, case: Transposed) -> Case:
    rng = rng_of(name)
    images, height, width, channels = case.out
    image = (
        images,
        _extent(height, case.kernel[0], case.stride[0], case.padding),
        _extent(width, case.kernel[1], case.stride[1], case.padding),
        case.depth,
    )
    filters = weights(rng, (channels, *case.kernel, case.depth), case.weights)
    bias = biases(rng, channels, filters[0].size)
    operands: list[Operand] = [Const(np.array(case.out, np.int32))]
    if case.dtype == "float32":
        operands += [Const((filters / 64).astype(np.float32)), Spec(image, "float32")]
        operands += [Const(bias.astype(np.float32) / 1000)] if case.bias else []
        y = Spec(case.out, "float32")
    else:
        scales = np.float32(0.01 * rng.uniform(0.4, 1.6, channels if case.per_channel else 1))
        out_scale = spread_scale(0.05 * 0.01, filters[0].size) / case.zoom
        point = 119 if case.dtype == "uint8" else 0
        if case.dtype == "uint8":
            filters = rng.integers(0, 256, filters.shape).astype(np.uint8)
        operands += [
            Const(filters, scales.tolist(), point),
            Spec(image, case.dtype, 0.05, case.zero_points[0]),
        ]
        wide = bias.astype(case.bias_dtype) * (256 if case.bias_dtype == "int64" else 1)
        operands += [Const(wide, (np.float32(0.05) * scales).tolist())] if case.bias else []
        y = Spec(case.out, case.dtype, float(np.float32(out_scale)), case.zero_points[1])
    version = 3 if case.bias else 2 if case.dtype == "int8" else 1
    return one_op(
        name,
        "TRANSPOSE_CONV",
        operands,
        y,
        # tflite-runtime's reference kernels know no fused activation here
        oracle="tflite-runtime" if case.activation == "NONE" else "tflite-builtin",
        version=version if case.activation == "NONE" else 4,
        padding=case.padding,
        stride_h=case.stride[0],
        stride_w=case.stride[1],
        **({} if case.activation == "NONE" else {"fused_activation_function": case.activation}),
    )


class TestTransposeConv(OperatorMatrix):
    cases = tuple(_case(name, case) for name, case in _TABLE.items())
    tflm_differs: ClassVar[Mapping[str, str]] = {
        "int16_batch_no_bias": "without a bias, sums have 64 bits",
        "int16_bias_int32": "takes the bias for one of 64 bits",
    }
