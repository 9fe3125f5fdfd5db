"""DEPTHWISE_CONV_2D against the reference: windows, channel multipliers, tails of the channels, zero points."""

from dataclasses import dataclass

import numpy as np

from tests.ops.case import Case, Const, Operand, biases, int8, one_op, rng_of, spread_scale, weights
from tests.ops.matrix import OperatorMatrix
from tests.ops.window import out_extent


@dataclass(frozen=True)
class Depthwise:
    """A depthwise convolution; `image` is NHWC, pairs are (rows, columns)."""

    image: tuple[int, int, int, int] = (1, 5, 6, 4)
    kernel: tuple[int, int] = (3, 3)
    multiplier: int = 1
    stride: tuple[int, int] = (1, 1)
    dilation: tuple[int, int] = (1, 1)
    padding: str = "SAME"
    activation: str = "NONE"
    zero_points: tuple[int, int] = (-3, 5)
    per_channel: bool = True
    bias: bool = True
    weights: str = "random"
    zoom: float = 1.0
    """The output scale is divided by it: above 1 the output saturates, far above 1 the multiplier exceeds 1."""


_TABLE = {
    "same": Depthwise(),
    "valid": Depthwise(padding="VALID"),
    "1x1": Depthwise(kernel=(1, 1)),
    "1x3": Depthwise(kernel=(1, 3)),
    "3x1": Depthwise(kernel=(3, 1)),
    "2x2": Depthwise(kernel=(2, 2)),
    "5x5": Depthwise(image=(1, 7, 9, 3), kernel=(5, 5)),
    "7x4": Depthwise(image=(1, 9, 9, 5), kernel=(7, 4)),
    "kernel_of_the_image": Depthwise(kernel=(5, 6), padding="VALID"),
    "kernel_greater_than_the_image": Depthwise(image=(1, 2, 3, 5), kernel=(5, 7)),
    "49x1": Depthwise(image=(1, 49, 1, 3), kernel=(9, 1), stride=(2, 1)),
    "stride_2_odd": Depthwise(image=(1, 7, 7, 8), stride=(2, 2)),
    "stride_2_even": Depthwise(image=(1, 8, 8, 8), stride=(2, 2)),
    "stride_2_valid": Depthwise(image=(1, 8, 9, 3), stride=(2, 2), padding="VALID"),
    "stride_1x2": Depthwise(image=(1, 5, 8, 4), stride=(1, 2)),
    "stride_3x1": Depthwise(image=(1, 11, 5, 4), stride=(3, 1)),
    "stride_greater_than_kernel": Depthwise(image=(1, 9, 9, 2), kernel=(2, 2), stride=(3, 4)),
    "dilation_2": Depthwise(image=(1, 8, 9, 4), dilation=(2, 2)),
    "dilation_2x3_valid": Depthwise(image=(1, 8, 9, 5), dilation=(2, 3), padding="VALID"),
    "dilation_4x1": Depthwise(image=(1, 12, 4, 3), dilation=(4, 1)),
    "multiplier_2": Depthwise(multiplier=2),
    "multiplier_3_stride_2": Depthwise(image=(1, 7, 6, 3), multiplier=3, stride=(2, 2)),
    "multiplier_8_one_channel": Depthwise(image=(1, 9, 8, 1), multiplier=8, kernel=(4, 3)),
    "multiplier_5_dilation": Depthwise(image=(1, 6, 6, 2), multiplier=5, dilation=(2, 1)),
    "batch_3": Depthwise(image=(3, 4, 5, 3)),
    "batch_2_multiplier_2": Depthwise(image=(2, 4, 5, 3), multiplier=2),
    "row_beyond_an_offset_of_12_bits": Depthwise(image=(1, 3, 7, 960), activation="RELU6", zoom=0.5),
    "row_beyond_an_offset_of_12_bits_valid": Depthwise(image=(1, 3, 5, 1300), stride=(1, 2), padding="VALID"),
    "one_row": Depthwise(image=(1, 1, 9, 4)),
    "one_column": Depthwise(image=(1, 9, 1, 4)),
    "one_pixel": Depthwise(image=(1, 1, 1, 5)),
    "per_tensor": Depthwise(per_channel=False),
    "no_bias": Depthwise(bias=False),
    "relu": Depthwise(activation="RELU", zoom=0.7),
    "relu6": Depthwise(activation="RELU6", zoom=0.5),
    "relu_n1_to_1": Depthwise(activation="RELU_N1_TO_1", zoom=0.5),
    "relu_at_the_lower_end": Depthwise(activation="RELU", zero_points=(-128, -128)),
    "relu6_at_the_upper_end": Depthwise(activation="RELU6", zero_points=(127, 127)),
    "zero_points_low_high": Depthwise(zero_points=(-128, 127)),
    "zero_points_high_low": Depthwise(zero_points=(127, -128)),
    "zero_points_zero": Depthwise(zero_points=(0, 0)),
    "weights_extreme": Depthwise(weights="extreme", image=(1, 5, 5, 9)),
    "weights_minus_128": Depthwise(weights="lowest", zero_points=(-128, 0)),
    "weights_minus_128_multiplier_2": Depthwise(weights="lowest", zero_points=(127, 0), multiplier=2),
    "weights_sparse": Depthwise(weights="sparse", image=(1, 5, 6, 9)),
    "zoom_20": Depthwise(zoom=20),
    "multiplier_above_1": Depthwise(zoom=5000),
    "multiplier_far_above_1": Depthwise(zoom=300_000),
    "multiplier_tiny": Depthwise(zoom=1e-4),
    "multiplier_vanishing": Depthwise(zoom=1e-8),
    **{f"channels_{n}": Depthwise(image=(1, 3, 4, n)) for n in range(1, 21)},
    **{f"channels_{n}_stride_2": Depthwise(image=(1, 5, 5, n), stride=(2, 2)) for n in range(1, 10)},
    **{f"channels_{n}_multiplier_2": Depthwise(image=(1, 3, 4, n), multiplier=2) for n in range(1, 7)},
    **{f"columns_{n}": Depthwise(image=(1, 4, n, 5)) for n in range(1, 10)},
    **{f"taps_{k}": Depthwise(image=(1, 6, 3, 4), kernel=(k, 1), padding="VALID") for k in range(1, 7)},
}


def _case(name: str, conv: Depthwise) -> Case:
    rng = rng_of(name)
    images, height, width, depth = conv.image
    channels = depth * conv.multiplier
    filters = weights(rng, (1, *conv.kernel, channels), conv.weights)
    terms = conv.kernel[0] * conv.kernel[1]
    x_scale, w_scale = 0.05, 0.01
    scales = np.float32(w_scale * rng.uniform(0.4, 1.6, channels if conv.per_channel else 1))
    bias_scales = np.float32(x_scale) * scales
    rows = out_extent(height, conv.kernel[0], conv.stride[0], conv.dilation[0], conv.padding)
    columns = out_extent(width, conv.kernel[1], conv.stride[1], conv.dilation[1], conv.padding)
    operands: list[Operand] = [
        int8(conv.image, x_scale, conv.zero_points[0]),
        Const(filters, scales.tolist(), axis=3),
    ]
    if conv.bias:
        operands.append(Const(biases(rng, channels, terms), bias_scales.tolist()))
    return one_op(
        name,
        "DEPTHWISE_CONV_2D",
        operands,
        int8(
            (images, rows, columns, channels),
            spread_scale(x_scale * w_scale, terms) / conv.zoom,
            conv.zero_points[1],
        ),
        padding=conv.padding,
        stride_h=conv.stride[0],
        stride_w=conv.stride[1],
        dilation_h_factor=conv.dilation[0],
        dilation_w_factor=conv.dilation[1],
        depth_multiplier=conv.multiplier,
        fused_activation_function=conv.activation,
    )


class TestDepthwiseConv2D(OperatorMatrix):
    cases = tuple(_case(name, conv) for name, conv in _TABLE.items())
