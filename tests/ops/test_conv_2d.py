"""CONV_2D against the reference: windows, tails of the inner product, zero points, groups, scales at the edges."""

from dataclasses import dataclass

import numpy as np

from tests.ops.case import Case, Const, Operand, biases, int8, one_op, rng_of, spread_scale, weights
from tests.ops.matrix import OperatorMatrix
from tests.ops.window import out_extent


@dataclass(frozen=True)
class Conv:
    """A convolution; `image` is NHWC, pairs are (rows, columns)."""

    image: tuple[int, int, int, int] = (1, 5, 6, 3)
    kernel: tuple[int, int] = (3, 3)
    channels: int = 4
    stride: tuple[int, int] = (1, 1)
    dilation: tuple[int, int] = (1, 1)
    padding: str = "SAME"
    activation: str = "NONE"
    zero_points: tuple[int, int] = (-3, 5)
    groups: int = 1
    per_channel: bool = True
    bias: bool = True
    weights: str = "random"
    zoom: float = 1.0
    """The output scale is divided by it: above 1 the output saturates, far above 1 the multiplier exceeds 1."""


_TABLE = {
    "same": Conv(),
    "valid": Conv(padding="VALID"),
    "1x1": Conv(kernel=(1, 1)),
    "1x1_stride_2": Conv(kernel=(1, 1), stride=(2, 2)),
    "1x1_stride_2x3_batch": Conv(image=(2, 5, 7, 4), kernel=(1, 1), stride=(2, 3)),
    "2x2": Conv(kernel=(2, 2)),
    "1x3": Conv(kernel=(1, 3)),
    "3x1": Conv(kernel=(3, 1)),
    "5x4": Conv(image=(1, 9, 7, 2), kernel=(5, 4)),
    "10x4_one_channel": Conv(image=(1, 49, 10, 1), kernel=(10, 4), stride=(2, 2), channels=8),
    "kernel_of_the_image": Conv(kernel=(5, 6), padding="VALID", channels=7),
    "kernel_greater_than_the_image": Conv(image=(1, 2, 3, 2), kernel=(5, 7)),
    "stride_2_odd": Conv(image=(1, 7, 7, 3), stride=(2, 2)),
    "stride_2_even": Conv(image=(1, 8, 8, 3), stride=(2, 2)),
    "stride_2_valid": Conv(image=(1, 8, 9, 3), stride=(2, 2), padding="VALID"),
    "stride_3x1": Conv(image=(1, 11, 5, 2), stride=(3, 1)),
    "stride_1x2": Conv(image=(1, 5, 8, 2), stride=(1, 2)),
    "stride_greater_than_kernel": Conv(image=(1, 9, 9, 2), kernel=(2, 2), stride=(3, 4)),
    "dilation_2": Conv(image=(1, 8, 9, 3), dilation=(2, 2)),
    "dilation_2x3_valid": Conv(image=(1, 8, 9, 3), dilation=(2, 3), padding="VALID"),
    "dilation_1x4": Conv(image=(1, 4, 12, 2), dilation=(1, 4)),
    "batch_3": Conv(image=(3, 4, 5, 3)),
    "batch_2_stride_2": Conv(image=(2, 5, 5, 2), stride=(2, 2)),
    "one_row": Conv(image=(1, 1, 9, 3)),
    "one_column": Conv(image=(1, 9, 1, 3)),
    "one_pixel": Conv(image=(1, 1, 1, 5)),
    "per_tensor": Conv(per_channel=False),
    "no_bias": Conv(bias=False),
    "no_bias_per_tensor": Conv(bias=False, per_channel=False),
    "relu": Conv(activation="RELU", zoom=0.7),
    "relu6": Conv(activation="RELU6", zoom=0.5),
    "relu_n1_to_1": Conv(activation="RELU_N1_TO_1", zoom=0.5),
    "relu_at_the_lower_end": Conv(activation="RELU", zero_points=(-128, -128)),
    "relu6_at_the_upper_end": Conv(activation="RELU6", zero_points=(127, 127)),
    "zero_points_low_high": Conv(zero_points=(-128, 127)),
    "zero_points_high_low": Conv(zero_points=(127, -128)),
    "zero_points_zero": Conv(zero_points=(0, 0)),
    "weights_extreme": Conv(weights="extreme", image=(1, 4, 4, 37)),
    "weights_minus_128": Conv(weights="lowest", image=(1, 4, 4, 9), zero_points=(-128, 0)),
    "weights_minus_128_1x1": Conv(weights="lowest", kernel=(1, 1), image=(1, 3, 3, 18), zero_points=(127, 0)),
    "weights_sparse": Conv(weights="sparse", channels=9),
    "zoom_20": Conv(zoom=20),
    "multiplier_above_1": Conv(zoom=5000),
    "multiplier_far_above_1": Conv(zoom=300_000),
    "multiplier_tiny": Conv(zoom=1e-4),
    "multiplier_vanishing": Conv(zoom=1e-8),
    "groups_2": Conv(image=(1, 4, 5, 6), groups=2, channels=4),
    "groups_3_stride_2": Conv(image=(1, 6, 5, 9), groups=3, channels=6, stride=(2, 2)),
    "groups_1x1": Conv(image=(1, 3, 4, 8), kernel=(1, 1), groups=4, channels=12),
    "groups_as_depthwise": Conv(image=(1, 4, 5, 5), groups=5, channels=5),
    **{f"1x1_depth_{k}": Conv(image=(1, 2, 3, k), kernel=(1, 1), channels=5) for k in range(1, 71)},
    **{f"3x3_depth_{k}": Conv(image=(1, 3, 4, k)) for k in range(1, 10)},
    **{f"2x3_valid_depth_{k}": Conv(image=(1, 4, 5, k), kernel=(2, 3), padding="VALID") for k in range(1, 8)},
    **{f"channels_{n}": Conv(channels=n, kernel=(1, 1), image=(1, 3, 3, 8)) for n in range(1, 18)},
    **{f"3x3_channels_{n}": Conv(channels=n, image=(1, 4, 4, 4)) for n in range(1, 7)},
    **{f"columns_{n}": Conv(image=(1, 3, n, 4), kernel=(1, 1), channels=6) for n in range(1, 10)},
}


def _case(name: str, conv: Conv) -> Case:
    rng = rng_of(name)
    images, height, width, depth = conv.image
    shape = (conv.channels, *conv.kernel, depth // conv.groups)
    filters = weights(rng, shape, conv.weights)
    terms = filters[0].size
    x_scale, w_scale = 0.05, 0.01
    count = conv.channels if conv.per_channel else 1
    scales = np.float32(w_scale * rng.uniform(0.4, 1.6, count))
    x = int8(conv.image, x_scale, conv.zero_points[0])
    bias_scales = np.float32(x_scale) * scales
    bias = biases(rng, conv.channels, terms)
    y_shape = (
        images,
        out_extent(height, conv.kernel[0], conv.stride[0], conv.dilation[0], conv.padding),
        out_extent(width, conv.kernel[1], conv.stride[1], conv.dilation[1], conv.padding),
        conv.channels,
    )
    y = int8(y_shape, spread_scale(x_scale * w_scale, terms) / conv.zoom, conv.zero_points[1])
    operands: list[Operand] = [x, Const(filters, scales.tolist())]
    if conv.bias:
        operands.append(Const(bias, bias_scales.tolist()))
    return one_op(
        name,
        "CONV_2D",
        operands,
        y,
        # tflite-runtime's int8 CONV_2D insists on a bias
        oracle="tflite-runtime" if conv.bias else "tflm",
        padding=conv.padding,
        stride_h=conv.stride[0],
        stride_w=conv.stride[1],
        dilation_h_factor=conv.dilation[0],
        dilation_w_factor=conv.dilation[1],
        fused_activation_function=conv.activation,
    )


class TestConv2D(OperatorMatrix):
    cases = tuple(_case(name, conv) for name, conv in _TABLE.items())
