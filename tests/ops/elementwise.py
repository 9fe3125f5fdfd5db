"""Cases that ADD, SUB and MUL share: broadcasting, constant operands, types, scales and zero points at the edges."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from tests.ops.case import Array, Case, Const, Operand, make_samples, one_op, rng_of
from tflite_support.builder import Builder, Spec

Shape = tuple[int, ...]

_IMAGE = (1, 4, 5, 3)


@dataclass(frozen=True)
class Binary:
    """An elementwise operation; `constant` is the operand (0 or 1) that the model holds."""

    shapes: tuple[Shape, Shape] = (_IMAGE, _IMAGE)
    dtype: str = "int8"
    scales: tuple[float, float] = (0.05, 0.03)
    zero_points: tuple[int, int, int] = (-3, 5, 7)
    """Of the operands and of the output."""
    activation: str = "NONE"
    constant: int | None = None
    zoom: float = 1.0
    """The output scale is divided by it."""


_TABLE = {
    "same": Binary(),
    "vector_right": Binary(shapes=(_IMAGE, (3,))),
    "vector_left": Binary(shapes=((3,), _IMAGE)),
    "per_channel_right": Binary(shapes=(_IMAGE, (1, 1, 1, 3))),
    "per_pixel_right": Binary(shapes=(_IMAGE, (1, 4, 5, 1))),
    "per_row_left": Binary(shapes=((1, 4, 1, 1), _IMAGE)),
    "per_column_right": Binary(shapes=(_IMAGE, (5, 1))),
    "scalar_right": Binary(shapes=(_IMAGE, ())),
    "one_element_right": Binary(shapes=(_IMAGE, (1,))),
    "one_element_left": Binary(shapes=((1, 1, 1, 1), _IMAGE)),
    "both_broadcast": Binary(shapes=((1, 4, 1, 3), (1, 1, 5, 1))),
    "both_broadcast_ranks": Binary(shapes=((4, 1, 3), (2, 1, 5, 1))),
    "batch_of_images": Binary(shapes=((3, 2, 2, 2), (3, 2, 2, 2))),
    "batch_broadcast": Binary(shapes=((3, 2, 2, 2), (1, 2, 2, 2))),
    "matrix": Binary(shapes=((7, 9), (7, 9))),
    "matrix_and_row": Binary(shapes=((7, 9), (1, 9))),
    "matrix_and_column": Binary(shapes=((7, 9), (7, 1))),
    "scalars": Binary(shapes=((), ())),
    "constant_right": Binary(constant=1),
    "constant_left": Binary(constant=0),
    "constant_vector_right": Binary(shapes=(_IMAGE, (3,)), constant=1),
    "constant_vector_left": Binary(shapes=((3,), _IMAGE), constant=0),
    "constant_scalar_right": Binary(shapes=(_IMAGE, ()), constant=1),
    "constant_greater": Binary(shapes=((1, 1, 1, 3), _IMAGE), constant=1),
    "relu": Binary(activation="RELU"),
    "relu6": Binary(activation="RELU6", zoom=0.6),
    "relu_n1_to_1": Binary(activation="RELU_N1_TO_1", zoom=0.6),
    "relu_broadcast": Binary(shapes=(_IMAGE, (3,)), activation="RELU"),
    "zero_points_low": Binary(zero_points=(-128, -128, -128)),
    "zero_points_high": Binary(zero_points=(127, 127, 127)),
    "zero_points_low_high_low": Binary(zero_points=(-128, 127, -128)),
    "zero_points_high_low_high": Binary(zero_points=(127, -128, 127)),
    "zero_points_zero": Binary(zero_points=(0, 0, 0)),
    "relu_zero_point_high": Binary(activation="RELU", zero_points=(127, 127, 127)),
    "scales_equal": Binary(scales=(0.05, 0.05)),
    "scales_far_apart": Binary(scales=(1.0, 0.0002)),
    "scales_far_apart_left": Binary(scales=(0.0002, 1.0)),
    "scales_power_of_two": Binary(scales=(0.25, 0.5), zero_points=(0, 0, 0)),
    "saturates": Binary(zoom=7.0),
    "saturates_always": Binary(zoom=300.0),
    "small_output": Binary(zoom=0.01),
    **{f"elements_{n}": Binary(shapes=((n,), (n,))) for n in range(1, 10)},
    **{f"channels_{n}_vector": Binary(shapes=((1, 2, 3, n), (n,))) for n in range(1, 7)},
    "uint8": Binary(dtype="uint8", zero_points=(100, 128, 131)),
    "uint8_broadcast": Binary(dtype="uint8", zero_points=(0, 255, 128), shapes=(_IMAGE, (3,))),
    "uint8_relu6": Binary(dtype="uint8", zero_points=(128, 128, 0), activation="RELU6"),
    "int16": Binary(dtype="int16", zero_points=(0, 0, 0), scales=(0.0005, 0.0003)),
    "int16_broadcast": Binary(
        dtype="int16", zero_points=(0, 0, 0), scales=(0.0005, 0.0003), shapes=(_IMAGE, (3,))
    ),
    "int16_relu": Binary(dtype="int16", zero_points=(0, 0, 0), scales=(0.0005, 0.0003), activation="RELU"),
    "int32": Binary(dtype="int32"),
    "int32_broadcast": Binary(dtype="int32", shapes=(_IMAGE, (3,))),
    "int32_relu6": Binary(dtype="int32", activation="RELU6"),
    "int64": Binary(dtype="int64"),
    "int64_broadcast": Binary(dtype="int64", shapes=(_IMAGE, (4, 1, 3))),
    "float32": Binary(dtype="float32"),
    "float32_broadcast": Binary(dtype="float32", shapes=(_IMAGE, (3,))),
    "float32_relu6": Binary(dtype="float32", activation="RELU6"),
    "float32_constant": Binary(dtype="float32", constant=1),
}

OutputScale = Callable[[float, float], float]
"""Output scale that fits two input scales."""


def binary_cases(kind: str, output_scale: OutputScale, **dropped: str) -> tuple[Case, ...]:
    """The cases of an operator, but those that are dropped: name -> why."""
    assert set(dropped) <= set(_TABLE), set(dropped) - set(_TABLE)
    cases = [
        _case(kind, name, binary, output_scale) for name, binary in _TABLE.items() if name not in dropped
    ]
    return (*cases, _same_operand_twice(kind, output_scale))


def _case(kind: str, name: str, binary: Binary, output_scale: OutputScale) -> Case:
    rng = rng_of(name)
    operands: list[Operand] = []
    for index, shape in enumerate(binary.shapes):
        spec = _spec(binary, shape, binary.scales[index], binary.zero_points[index])
        if binary.constant == index:
            operands.append(Const(_values(rng, spec), spec.scale, binary.zero_points[index]))
        else:
            operands.append(spec)
    shape = np.broadcast_shapes(*binary.shapes)
    y = _spec(binary, shape, output_scale(*binary.scales) / binary.zoom, binary.zero_points[2])
    version = {"int32": 1, "int64": 4 if kind == "ADD" else 1}.get(binary.dtype)
    return one_op(
        name, kind, operands, y, version=version, fused_activation_function=binary.activation, **_pot(kind)
    )


def _pot(kind: str) -> dict[str, bool]:
    """int16 with any scale, not only powers of two."""
    return {} if kind == "MUL" else {"pot_scale_int16": False}


def _spec(binary: Binary, shape: Shape, scale: float, zero_point: int) -> Spec:
    if binary.dtype in ("int32", "int64", "float32"):
        return Spec(shape, binary.dtype)
    return Spec(shape, binary.dtype, float(np.float32(scale)), zero_point)


def _values(rng: np.random.Generator, spec: Spec) -> Array:
    return make_samples(rng, [spec])[0][0]


def _same_operand_twice(kind: str, output_scale: OutputScale) -> Case:
    builder, spec = Builder(), Spec(_IMAGE, "int8", 0.05, -3)
    x = builder.tensor(spec)
    y = builder.op(kind, [x, x], Spec(_IMAGE, "int8", output_scale(0.05, 0.05), 7), **_pot(kind))
    samples = make_samples(rng_of(kind), [spec])
    return Case("same_operand_twice", builder.finish([x], [y]), samples)
