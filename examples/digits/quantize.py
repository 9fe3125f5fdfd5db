"""Post-training quantization of the network to int8, written as a .tflite model.

Activations: one scale and zero point for each tensor, from the least and greatest value that the calibration images
cause. Weights: symmetric, one scale for each output channel. Biases: int32 with scale input x weights, as TFLite asks.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from examples.digits.network import (
    Array,
    AveragePool,
    Convolution,
    Dense,
    Depthwise,
    Flatten,
    Layer,
    MaxPool,
    Residual,
    Window,
    forward,
    softmax,
)
from tflite_support.builder import Builder, Spec

_LEAST, _GREATEST, _STEPS = -128, 127, 255
_WEIGHT_GREATEST = 127


@dataclass(frozen=True)
class _Activation:
    """A tensor of the .tflite model with the float values that the calibration images give it."""

    handle: int
    spec: Spec
    values: Array

    @property
    def scale(self) -> float:
        assert isinstance(self.spec.scale, float)
        return self.spec.scale


def quantize(layers: Sequence[Layer], images: Array, input_scale: float) -> bytes:
    """The int8 model of the network followed by SOFTMAX; `images` calibrate the ranges.

    `input_scale` is the step of the input; its zero point is -128, so the input starts at 0.
    """
    builder = Builder()
    spec = Spec((1, *images.shape[1:]), "int8", input_scale, _LEAST, name="image")
    start = _Activation(builder.tensor(spec), spec, images)
    logits = _chain(builder, layers, start, "digits")
    # SOFTMAX always has this quantization
    target = Spec(logits.spec.shape, "int8", 1 / 256, _LEAST, name="probabilities")
    output = builder.op("SOFTMAX", [logits.handle], target, beta=1.0)
    return builder.finish([start.handle], [output], "handwritten digits 0 to 9, 16x16, int8")


def accuracy(layers: Sequence[Layer], images: Array, labels: np.ndarray) -> float:
    """Share of the images that the float network classifies as labelled."""
    return float((softmax(forward(layers, images)).argmax(-1) == labels).mean())


def _chain(builder: Builder, layers: Sequence[Layer], x: _Activation, name: str) -> _Activation:
    for index, layer in enumerate(layers):
        x = _add_layer(builder, layer, x, f"{name}/{type(layer).__name__.lower()}_{index}")
    return x


def _add_layer(builder: Builder, layer: Layer, x: _Activation, name: str) -> _Activation:
    if isinstance(layer, Residual):
        inner = _chain(builder, layer.layers, x, name)
        values = x.values + inner.values
        spec = _calibrated(values, name)
        handle = builder.op("ADD", [x.handle, inner.handle], spec, fused_activation_function="NONE")
        return _Activation(handle, spec, values)
    values = layer.forward(x.values)
    if isinstance(layer, (MaxPool, AveragePool, Flatten)):
        return _add_same_scale(builder, layer, x, values, name)
    spec = _calibrated(values, name)
    handle = _add_weighted(builder, layer, x, spec)
    return _Activation(handle, spec, values)


def _add_same_scale(
    builder: Builder, layer: MaxPool | AveragePool | Flatten, x: _Activation, values: Array, name: str
) -> _Activation:
    """Layers that TFLite lets keep the quantization of their input."""
    spec = Spec((1, *values.shape[1:]), "int8", x.scale, x.spec.zero_point, name=name)
    if isinstance(layer, Flatten):
        shape = builder.const(np.array(spec.shape, np.int32), name=f"{name}/shape")
        handle = builder.op("RESHAPE", [x.handle, shape], spec, new_shape=spec.shape)
    else:
        kind = "MAX_POOL_2D" if isinstance(layer, MaxPool) else "AVERAGE_POOL_2D"
        window = {"filter_width": 2, "filter_height": 2, "stride_w": 2, "stride_h": 2}
        handle = builder.op(kind, [x.handle], spec, padding="VALID", **window)
    return _Activation(handle, spec, values)


def _add_weighted(builder: Builder, layer: Layer, x: _Activation, spec: Spec) -> int:
    assert isinstance(layer, (Convolution, Depthwise, Dense))
    # the channel that the scales belong to: last of a depthwise kernel, first of the others
    weights = layer.weights[None] if isinstance(layer, Depthwise) else layer.weights
    axis = 3 if isinstance(layer, Depthwise) else 0
    others = tuple(i for i in range(weights.ndim) if i != axis)
    per_channel = not isinstance(layer, Dense)  # older readers take one scale for FULLY_CONNECTED
    peaks = np.abs(weights).max(axis=others if per_channel else None)
    scales = np.float32(np.atleast_1d(np.maximum(peaks, 1e-6)) / _WEIGHT_GREATEST)
    along_axis = scales.reshape([-1 if per_channel and i == axis else 1 for i in range(weights.ndim)])
    quantized = np.clip(np.round(weights / along_axis), -_WEIGHT_GREATEST, _WEIGHT_GREATEST).astype(np.int8)
    bias_scales = np.float32(x.scale) * scales
    bias = np.round(layer.bias / bias_scales).astype(np.int32)

    w = builder.const(quantized, scales.tolist(), axis=axis, name=f"{spec.name}/weights")
    b = builder.const(bias, bias_scales.tolist(), name=f"{spec.name}/bias")
    if isinstance(layer, Dense):
        return builder.op("FULLY_CONNECTED", [x.handle, w, b], spec, fused_activation_function="NONE")
    return _add_convolution(builder, layer, [x.handle, w, b], spec)


def _add_convolution(builder: Builder, layer: Window, inputs: Sequence[int], spec: Spec) -> int:
    strides = {"stride_w": layer.stride, "stride_h": layer.stride}
    if isinstance(layer, Depthwise):
        return builder.op(
            "DEPTHWISE_CONV_2D",
            inputs,
            spec,
            padding="SAME",
            depth_multiplier=1,
            fused_activation_function="RELU",
            **strides,
        )
    assert isinstance(layer, Convolution)
    activation = "RELU" if layer.relu else "NONE"
    return builder.op(
        "CONV_2D", inputs, spec, padding="SAME", fused_activation_function=activation, **strides
    )


def _calibrated(values: Array, name: str) -> Spec:
    """Range of the values, widened to contain zero, so that padding is exact."""
    least, greatest = min(float(values.min()), 0.0), max(float(values.max()), 0.0)
    scale = float(np.float32(max(greatest - least, 1e-6) / _STEPS))
    zero_point = int(np.clip(round(_LEAST - least / scale), _LEAST, _GREATEST))
    return Spec((1, *values.shape[1:]), "int8", scale, zero_point, name=name)
