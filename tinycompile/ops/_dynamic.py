"""Hybrid layers: float32 activations are quantized when the model runs, each image by its own range, and weights are int8.

Source of the semantics: `SymmetricQuantizeFloats` and `AsymmetricQuantizeFloats` in
tensorflow/lite/kernels/internal/reference/portable_tensor_utils.cc; `EvalHybrid` and `EvalHybridPerChannel` in conv.cc and
depthwise_conv.cc, `EvalHybridDense` in fully_connected.cc of tensorflow/lite/kernels.
TensorFlow Lite Micro has no hybrid kernels.
"""

from collections.abc import Sequence

import numpy as np

from tinycompile.ir import Array, DType
from tinycompile.ops._fused import clamped
from tinycompile.ops._schemes import Scheme, Sums
from tinycompile.ops.base import Operation, TypeRule

_WEIGHTS = (DType.INT8, DType.INT4)
_KINDS = frozenset({"CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED"})


def _hybrid_types(weights: DType) -> TypeRule:
    return TypeRule((DType.FLOAT32, weights, DType.FLOAT32), (DType.FLOAT32,))


def is_hybrid(operation: Operation) -> bool:
    """True for a layer of float activations and int8 weights, as the file has it."""
    return operation.node.kind in _KINDS and any(
        _hybrid_types(weights).fits(operation) for weights in _WEIGHTS
    )


def quantizes_asymmetrically(operation: Operation) -> bool:
    """True when activations get a zero point: convolutions with several scales do, a matrix when its options say so."""
    if operation.node.kind == "FULLY_CONNECTED":
        return bool(getattr(operation.node.attributes, "asymmetric_inputs", False))
    return operation.node.kind == "DEPTHWISE_CONV_2D" or len(set(channel_scales(operation))) > 1


def quantized_images(operation: Operation) -> int:
    """Parts of the activations that have a range of their own: images, or the vectors that a matrix takes."""
    source, weights = operation.input(0), operation.input(1)
    is_matrix = operation.node.kind == "FULLY_CONNECTED"
    return source.elements // weights.shape[1] if is_matrix else source.shape[0]


def dynamic_quantize(values: Array, images: int, asymmetric: bool) -> tuple[Array, Array, Array]:
    """Quantized values (int8) in the shape of `values`, the factor of each image (float32), its zero point (int32)."""
    parts = values.reshape(images, -1)
    results = [_asymmetric(part) if asymmetric else _symmetric(part) for part in parts]
    quantized = np.stack([q for q, _, _ in results]).reshape(values.shape)
    factors = np.array([factor for _, factor, _ in results], np.float32)
    return quantized, factors, np.array([zero_point for _, _, zero_point in results], np.int32)


def scaled_sums(
    operation: Operation, quantized: Array, factors: Array, zero_points: Array, sums: Sums
) -> Array:
    """The float output of a layer whose activations were quantized: sums times the factors of image and channel, plus bias."""
    images = len(factors)
    parts = quantized.reshape(images, -1).astype(np.float64) - zero_points[:, None]
    products = sums(parts.reshape(quantized.shape), operation.input(1).values.astype(np.float64))
    by_image = products.reshape(images, -1, products.shape[-1]).astype(np.float32)
    scales, each = np.array(channel_scales(operation), np.float32), factors[:, None, None]
    total = by_image * scales * each if scales_sum_first(operation) else by_image * (each * scales)
    bias = operation.optional(2)
    if bias is not None:
        total = total + bias.values.reshape(-1)
    return clamped(operation, total.reshape(products.shape))


def scales_sum_first(operation: Operation) -> bool:
    """True where the reference multiplies a sum by the channel's scale, then by the image's factor; else by their product."""
    return operation.node.kind != "FULLY_CONNECTED" and quantizes_asymmetrically(operation)


class HybridScheme(Scheme):
    """float32 activations and bias, int8 or int4 weights, as the file has them."""

    def __init__(self, weights: DType) -> None:
        self._types = (_hybrid_types(weights),)

    @property
    def types(self) -> tuple[TypeRule, ...]:
        """Activations, weights, bias -> activations."""
        return self._types

    def evaluate(self, operation: Operation, inputs: Sequence[Array], sums: Sums) -> Array:
        """Quantize, sum, scale."""
        images, asymmetric = quantized_images(operation), quantizes_asymmetrically(operation)
        return scaled_sums(operation, *dynamic_quantize(inputs[0], images, asymmetric), sums)


class DynamicScheme(Scheme):
    """A hybrid layer behind a DYNAMIC_QUANTIZE: inputs 3 and 4 are factors and zero points of the images."""

    made_by_passes = True

    @property
    def types(self) -> tuple[TypeRule, ...]:
        """Activations, weights, bias, factors, zero points -> activations."""
        return tuple(
            TypeRule((DType.INT8, weights, DType.FLOAT32, DType.FLOAT32, DType.INT32), (DType.FLOAT32,))
            for weights in _WEIGHTS
        )

    def evaluate(self, operation: Operation, inputs: Sequence[Array], sums: Sums) -> Array:
        """Sum, scale."""
        quantized, factors = inputs[:2]
        zero_points = inputs[2] if len(inputs) > 2 else np.zeros(len(factors), np.int32)
        return scaled_sums(operation, quantized, factors, zero_points, sums)


HYBRID = HybridScheme(DType.INT8)
HYBRID_INT4 = HybridScheme(DType.INT4)
DYNAMIC = DynamicScheme()


def channel_scales(operation: Operation) -> tuple[float, ...]:
    """One scale for all weights, or one for each channel."""
    quantization = operation.input(1).quantization
    assert quantization is not None
    return quantization.scales


def _symmetric(values: Array) -> tuple[Array, np.float32, int]:
    reach = np.float32(np.abs(values).max())
    if reach == 0:
        return np.zeros(values.shape, np.int8), np.float32(1), 0
    scaled = values * (np.float32(127) / reach)
    return np.clip(_rounded(scaled), -127, 127).astype(np.int8), reach / np.float32(127), 0


def _asymmetric(values: Array) -> tuple[Array, np.float32, int]:
    low, high = min(0.0, float(values.min())), max(0.0, float(values.max()))
    if low == high:
        return np.zeros(values.shape, np.int8), np.float32(1), 0
    scale = (high - low) / 255.0
    from_low, from_high = -128.0 - low / scale, 127.0 - high / scale
    nearer = from_low if 128.0 + abs(low / scale) < 127.0 + abs(high / scale) else from_high
    zero_point = int(np.clip(np.sign(nearer) * np.floor(abs(nearer) + 0.5), -128, 127))
    factor = np.float32(scale)
    scaled = np.float32(zero_point) + values * (np.float32(1) / factor)
    return np.clip(_rounded(scaled), -128, 127).astype(np.int8), factor, zero_point


def _rounded(values: Array) -> Array:
    """To the nearest integer, ties away from zero."""
    result: Array = np.trunc(values.astype(np.float64) + np.copysign(0.5, values))
    return result
