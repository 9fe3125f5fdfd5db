"""Layers that are sums of products (CONV_2D, DEPTHWISE_CONV_2D, FULLY_CONNECTED), to be filled with tensors of any type."""

from dataclasses import dataclass

import numpy as np

from tests.ops.window import out_extent

Shape = tuple[int, ...]


@dataclass(frozen=True)
class Layer:
    """Shapes and options of a layer; pairs are (rows, columns)."""

    kind: str
    x: Shape
    weights: Shape
    y: Shape
    options: dict[str, object]
    bias: bool = True
    per_channel: bool = True
    zero_points: tuple[int, int] = (-3, 5)
    zoom: float = 1.0

    @property
    def channels(self) -> int:
        return self.y[-1]

    @property
    def channel_axis(self) -> int:
        return 3 if self.kind == "DEPTHWISE_CONV_2D" else 0

    @property
    def terms(self) -> int:
        """Products in each sum."""
        return int(np.prod(self.weights)) // self.channels


def conv(
    image: tuple[int, int, int, int] = (1, 5, 6, 3),
    channels: int = 4,
    kernel: tuple[int, int] = (3, 3),
    *,
    stride: tuple[int, int] = (1, 1),
    dilation: tuple[int, int] = (1, 1),
    padding: str = "SAME",
    activation: str = "NONE",
    groups: int = 1,
    bias: bool = True,
    per_channel: bool = True,
    zero_points: tuple[int, int] = (-3, 5),
    zoom: float = 1.0,
) -> Layer:
    """A convolution with `channels` output channels."""
    weights = (channels, *kernel, image[3] // groups)
    options = _window_options(stride, dilation, padding, activation)
    y = _window_shape(image, kernel, stride, dilation, padding, channels)
    return Layer("CONV_2D", image, weights, y, options, bias, per_channel, zero_points, zoom)


def depthwise(
    image: tuple[int, int, int, int] = (1, 5, 6, 5),
    multiplier: int = 1,
    kernel: tuple[int, int] = (3, 3),
    *,
    stride: tuple[int, int] = (1, 1),
    dilation: tuple[int, int] = (1, 1),
    padding: str = "SAME",
    activation: str = "NONE",
    bias: bool = True,
    per_channel: bool = True,
    zero_points: tuple[int, int] = (-3, 5),
    zoom: float = 1.0,
) -> Layer:
    """A depthwise convolution."""
    channels = image[3] * multiplier
    options = _window_options(stride, dilation, padding, activation) | {"depth_multiplier": multiplier}
    y = _window_shape(image, kernel, stride, dilation, padding, channels)
    weights = (1, *kernel, channels)
    return Layer("DEPTHWISE_CONV_2D", image, weights, y, options, bias, per_channel, zero_points, zoom)


def dense(
    depth: int = 20,
    units: int = 6,
    *,
    x: Shape | None = None,
    y: Shape | None = None,
    activation: str = "NONE",
    keep_num_dims: bool = False,
    bias: bool = True,
    zero_points: tuple[int, int] = (-3, 5),
    per_channel: bool = False,
    zoom: float = 1.0,
) -> Layer:
    """A fully connected layer; the last dimension(s) of `x` make up `depth`."""
    options: dict[str, object] = {"fused_activation_function": activation, "keep_num_dims": keep_num_dims}
    return Layer(
        "FULLY_CONNECTED",
        x or (1, depth),
        (units, depth),
        y or (1, units),
        options,
        bias,
        per_channel,
        zero_points,
        zoom,
    )


def _window_options(
    stride: tuple[int, int], dilation: tuple[int, int], padding: str, activation: str
) -> dict[str, object]:
    return {
        "padding": padding,
        "stride_h": stride[0],
        "stride_w": stride[1],
        "dilation_h_factor": dilation[0],
        "dilation_w_factor": dilation[1],
        "fused_activation_function": activation,
    }


def _window_shape(
    image: Shape,
    kernel: tuple[int, int],
    stride: tuple[int, int],
    dilation: tuple[int, int],
    padding: str,
    channels: int,
) -> Shape:
    extents = (
        out_extent(image[axis + 1], kernel[axis], stride[axis], dilation[axis], padding) for axis in (0, 1)
    )
    return (image[0], *extents, channels)


LAYERS = {
    "conv_same": conv(),
    "conv_valid": conv(padding="VALID"),
    "conv_1x1": conv(kernel=(1, 1)),
    "conv_1x1_stride_2x3_batch": conv((2, 5, 7, 4), kernel=(1, 1), stride=(2, 3)),
    **{f"conv_1x1_pixels_{n}": conv((1, 1, n, 5), 9, (1, 1)) for n in (1, 2, 3, 4)},
    "conv_1x1_odd_depth": conv((1, 4, 3, 37), 11, (1, 1)),
    "conv_5x4": conv((1, 9, 7, 2), kernel=(5, 4)),
    "conv_one_channel": conv((1, 19, 10, 1), 8, (10, 4), stride=(2, 2)),
    "conv_kernel_greater_than_the_image": conv((1, 2, 3, 2), kernel=(5, 7)),
    "conv_stride_2": conv((1, 7, 8, 3), stride=(2, 2)),
    "conv_stride_greater_than_kernel": conv((1, 9, 9, 2), kernel=(2, 2), stride=(3, 4)),
    "conv_dilation_2x3": conv((1, 8, 9, 3), dilation=(2, 3)),
    "conv_dilation_valid": conv((1, 8, 9, 3), dilation=(2, 1), padding="VALID"),
    "conv_batch_3": conv((3, 4, 5, 3)),
    "conv_one_pixel": conv((1, 1, 1, 5)),
    "conv_per_tensor": conv(per_channel=False),
    "conv_relu": conv(activation="RELU", zoom=0.7),
    "conv_relu6": conv(activation="RELU6", zoom=0.5),
    "conv_relu_n1_to_1": conv(activation="RELU_N1_TO_1", zoom=0.5),
    "conv_zero_points_low_high": conv(zero_points=(-128, 127)),
    "conv_zero_points_high_low": conv(zero_points=(127, -128), padding="VALID"),
    "conv_zero_points_zero": conv(zero_points=(0, 0)),
    "conv_saturating": conv(zoom=20),
    "conv_vanishing": conv(zoom=1e-4),
    **{f"conv_channels_{n}": conv((1, 3, 4, 5), n) for n in (1, 2, 7, 8, 9, 16, 17, 31)},
    **{f"conv_1x1_channels_{n}": conv((1, 3, 3, 8), n, (1, 1)) for n in (1, 2, 3, 8, 9)},
    "depthwise_same": depthwise(),
    "depthwise_valid": depthwise(padding="VALID"),
    "depthwise_5x5": depthwise((1, 7, 9, 3), kernel=(5, 5)),
    "depthwise_stride_2": depthwise((1, 7, 8, 8), stride=(2, 2)),
    "depthwise_dilation": depthwise((1, 8, 9, 4), dilation=(2, 3)),
    "depthwise_multiplier_3": depthwise((1, 6, 5, 3), 3, stride=(2, 2)),
    "depthwise_one_channel": depthwise((1, 9, 8, 1), 8, (4, 3)),
    "depthwise_batch_2": depthwise((2, 4, 5, 3)),
    "depthwise_per_tensor": depthwise(per_channel=False),
    "depthwise_relu6": depthwise(activation="RELU6", zoom=0.5),
    "depthwise_zero_points_low_high": depthwise(zero_points=(-128, 127)),
    "depthwise_zero_points_high_low": depthwise(zero_points=(127, -128)),
    "depthwise_saturating": depthwise(zoom=20),
    **{f"depthwise_channels_{n}": depthwise((1, 3, 4, n)) for n in (1, 2, 7, 8, 9, 16, 33)},
    "dense": dense(),
    "dense_batch_3": dense(11, 5, x=(3, 11), y=(3, 5)),
    "dense_batch_4": dense(7, 9, x=(4, 7), y=(4, 9)),
    "dense_image": dense(24, x=(1, 2, 3, 4)),
    "dense_keeps_dimensions": dense(5, x=(2, 3, 5), y=(2, 3, 6), keep_num_dims=True),
    "dense_no_bias": dense(bias=False, x=(2, 20), y=(2, 6)),
    "dense_relu": dense(activation="RELU", zoom=0.7),
    "dense_relu6": dense(activation="RELU6", zoom=0.5),
    "dense_zero_points_low_high": dense(zero_points=(-128, 127)),
    "dense_zero_points_high_low": dense(zero_points=(127, -128)),
    "dense_long": dense(530, 3),
    "dense_saturating": dense(zoom=20),
    **{f"dense_depth_{k}": dense(k, 3) for k in (1, 2, 3, 4, 5, 7, 8, 33)},
    **{f"dense_units_{n}": dense(9, n) for n in (1, 2, 7, 8, 9, 17)},
}
"""Layers that every type is tried on; converters write a bias for every convolution, and tflite-runtime asks for one."""

GROUPED = {
    "conv_groups_2": conv((1, 4, 5, 6), 4, groups=2),
    "conv_groups_3_stride_2": conv((1, 6, 5, 9), 33, groups=3, stride=(2, 2)),
    "conv_groups_1x1": conv((1, 3, 4, 8), 12, (1, 1), groups=4),
}
