"""Cases that AVERAGE_POOL_2D and MAX_POOL_2D share: windows that leave the image, strides, tails of the channels."""

from dataclasses import dataclass, replace

from tests.ops.case import Case, one_op
from tests.ops.window import out_extent
from tflite_support.builder import Spec


@dataclass(frozen=True)
class Pool:
    """A pooling; `image` is NHWC, pairs are (rows, columns)."""

    image: tuple[int, int, int, int] = (1, 5, 6, 3)
    window: tuple[int, int] = (2, 2)
    stride: tuple[int, int] = (2, 2)
    padding: str = "VALID"
    activation: str = "NONE"
    dtype: str = "int8"
    scale: float = 0.05
    zero_point: int = -3


_TABLE = {
    "2x2": Pool(),
    "2x2_same": Pool(padding="SAME"),
    "2x2_same_odd": Pool(image=(1, 7, 5, 4), padding="SAME"),
    "3x3_stride_1_same": Pool(window=(3, 3), stride=(1, 1), padding="SAME"),
    "3x3_stride_2_same": Pool(image=(1, 7, 8, 3), window=(3, 3), padding="SAME"),
    "3x3_stride_1_valid": Pool(window=(3, 3), stride=(1, 1)),
    "1x1": Pool(window=(1, 1), stride=(1, 1)),
    "1x1_stride_2": Pool(window=(1, 1), stride=(2, 2)),
    "1x3": Pool(window=(1, 3), stride=(1, 1)),
    "3x1_same": Pool(window=(3, 1), stride=(2, 1), padding="SAME"),
    "stride_2x3": Pool(image=(1, 9, 9, 2), window=(3, 2), stride=(2, 3)),
    "stride_greater_than_window": Pool(image=(1, 9, 9, 2), window=(2, 2), stride=(3, 4)),
    "global": Pool(window=(5, 6), stride=(1, 1)),
    "global_25x5": Pool(image=(1, 25, 5, 8), window=(25, 5), stride=(25, 5)),
    "global_16x16": Pool(image=(1, 16, 16, 3), window=(16, 16), stride=(1, 1)),
    "window_greater_than_the_image": Pool(image=(1, 2, 3, 3), window=(5, 7), stride=(1, 1), padding="SAME"),
    "batch_3": Pool(image=(3, 5, 5, 2), window=(2, 2), stride=(1, 1)),
    "batch_2_same": Pool(image=(2, 5, 5, 2), window=(3, 3), padding="SAME"),
    "one_row": Pool(image=(1, 1, 9, 3), window=(1, 2), stride=(1, 2)),
    "one_pixel": Pool(image=(1, 1, 1, 5), window=(1, 1), stride=(1, 1)),
    "relu": Pool(activation="RELU"),
    "relu6": Pool(activation="RELU6", scale=0.1),
    "relu_n1_to_1": Pool(activation="RELU_N1_TO_1"),
    "relu_zero_point_high": Pool(activation="RELU", zero_point=127),
    "zero_point_low": Pool(zero_point=-128, padding="SAME"),
    "zero_point_high": Pool(zero_point=127, padding="SAME"),
    **{f"channels_{n}": Pool(image=(1, 4, 4, n)) for n in range(1, 18)},
    **{
        f"channels_{n}_3x3_same": Pool(image=(1, 4, 5, n), window=(3, 3), padding="SAME") for n in range(1, 7)
    },
    **{f"columns_{n}": Pool(image=(1, 3, n, 4), window=(2, 1), stride=(1, 1)) for n in range(1, 7)},
    "uint8": Pool(dtype="uint8", zero_point=128),
    "uint8_same_relu": Pool(dtype="uint8", zero_point=100, padding="SAME", activation="RELU"),
    "int16": Pool(dtype="int16", zero_point=0, scale=0.0005),
    "int16_same_relu6": Pool(
        dtype="int16", zero_point=0, scale=0.0005, padding="SAME", activation="RELU6", window=(3, 3)
    ),
    "float32": Pool(dtype="float32", window=(3, 3), padding="SAME"),
    "float32_relu6": Pool(dtype="float32", activation="RELU6"),
}


def pool_cases(kind: str) -> tuple[Case, ...]:
    """The cases of a pooling operator."""
    return tuple(_case(kind, name, pool) for name, pool in _TABLE.items())


def float_pool_cases(kind: str) -> tuple[Case, ...]:
    """The same windows for an operator that takes float32 alone."""
    unlike = {pool for name, pool in _TABLE.items() if name.startswith(("uint8", "int16"))}
    return tuple(
        _case(kind, name, replace(pool, dtype="float32"))
        for name, pool in _TABLE.items()
        if pool not in unlike
    )


def _case(kind: str, name: str, pool: Pool) -> Case:
    images, height, width, channels = pool.image
    rows = out_extent(height, pool.window[0], pool.stride[0], 1, pool.padding)
    columns = out_extent(width, pool.window[1], pool.stride[1], 1, pool.padding)
    scale = None if pool.dtype == "float32" else pool.scale
    zero_point = 0 if scale is None else pool.zero_point
    return one_op(
        name,
        kind,
        [Spec(pool.image, pool.dtype, scale, zero_point)],
        Spec((images, rows, columns, channels), pool.dtype, scale, zero_point),
        padding=pool.padding,
        filter_height=pool.window[0],
        filter_width=pool.window[1],
        stride_h=pool.stride[0],
        stride_w=pool.stride[1],
        fused_activation_function=pool.activation,
    )
