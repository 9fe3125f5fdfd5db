"""Random small networks of one type other than int8: chains of convolutions, pools, sums and borders, with branches.

Elements of two and four bytes meet the planner here: rings of rows, outputs over inputs, fused regions.
"""

from collections.abc import Callable
from math import prod

import numpy as np

from tests.ops.case import Array, Case, make_samples
from tests.ops.linear import Layer, conv, dense, depthwise
from tflite_support.builder import Builder, Spec

TYPES = ("float32", "hybrid", "int16", "uint8", "int4")
"""int4 has int8 activations, hybrid float32 ones."""

Value = tuple[int, Spec]

_ACTIVATIONS = ("NONE", "NONE", "RELU", "RELU6")
_MOST_ELEMENTS = 3000


def random_network(dtype: str, seed: int) -> Case:
    """3 to 8 operators with samples; the same type and seed give the same case."""
    return _Network(dtype, seed).finish()


class _Network:
    def __init__(self, dtype: str, seed: int) -> None:
        self.dtype, self.seed = dtype, seed
        self.rng = np.random.default_rng([seed, TYPES.index(dtype)])
        self.builder = Builder()
        shape = (int(self.rng.choice([1, 1, 1, 2])), self._draw(3, 12), self._draw(2, 12), self._draw(1, 9))
        spec = self._spec(shape)
        self.input: Value = self.builder.tensor(spec), spec
        self.made: list[Value] = [self.input]
        self.kinds: list[str] = []
        steps: list[Callable[[], None]] = [
            self._layer, self._layer, self._layer, self._pool, self._add, self._pad, self._concatenate,
        ]  # fmt: skip
        wanted = self._draw(3, 8)
        while len(self.kinds) < wanted:
            steps[int(self.rng.integers(len(steps)))]()

    def finish(self) -> Case:
        """A matrix takes the last tensor; outputs are what nobody reads."""
        handle, spec = self.made[-1]
        depth = prod(spec.shape[1:])
        self._emit_layer(handle, spec, dense(depth, self._draw(1, 9), x=spec.shape, y=(spec.shape[0], 1)))
        read = {i for operator in self.builder._graph.operators for i in operator.inputs}
        outputs = [handle for handle, _ in self.made if handle not in read]
        model = self.builder.finish([self.input[0]], outputs)
        name = f"{self.dtype} {self.seed}: {' '.join(self.kinds)}"
        return Case(name, model, make_samples(self.rng, [self.input[1]]))

    # ---- parts ----

    def _draw(self, low: int, high: int) -> int:
        return int(self.rng.integers(low, high + 1))

    def _pick(self) -> Value:
        return self.made[-min(int(self.rng.choice([1, 1, 1, 2, 3])), len(self.made))]

    def _spec(self, shape: tuple[int, ...], scale: float = 0.05) -> Spec:
        """An activation; int16 has finer steps and zero point 0."""
        if self.dtype in ("float32", "hybrid"):
            return Spec(shape, "float32")
        if self.dtype == "int16":
            return Spec(shape, "int16", float(np.float32(scale / 256)), 0)
        low, stored = (0, "uint8") if self.dtype == "uint8" else (-128, "int8")
        zero_point = low + int(self.rng.choice([0, 0, 255, 128, 37]))
        return Spec(shape, stored, float(np.float32(scale)), zero_point)

    def _emit(self, kind: str, inputs: list[int | None], spec: Spec, **options: object) -> None:
        if 0 < prod(spec.shape) <= _MOST_ELEMENTS:
            self.made.append((self.builder.op(kind, inputs, spec, **options), spec))
            self.kinds.append(kind)

    # ---- operators ----

    def _layer(self) -> None:
        handle, spec = self._pick()
        window: dict[str, object] = {
            "kernel": (self._draw(1, 3), self._draw(1, 4)),
            "stride": (self._draw(1, 2), self._draw(1, 2)) if self.rng.random() < 0.4 else (1, 1),
            "padding": str(self.rng.choice(["SAME", "SAME", "VALID"])),
            "activation": str(self.rng.choice(_ACTIVATIONS)),
            # the reference takes hybrid depthwise weights with a scale for each channel alone
            "per_channel": self.dtype == "hybrid" or (self.dtype != "uint8" and self.rng.random() < 0.6),
        }
        if self.rng.random() < 0.3:
            window["kernel"] = (1, 1)
        image = (spec.shape[0], spec.shape[1], spec.shape[2], spec.shape[3])
        if self.rng.random() < 0.4 and (self.dtype != "hybrid" or image[3] > 1):
            layer = depthwise(image, int(self.rng.choice([1, 1, 2])), **window)  # type: ignore[arg-type]
        else:
            layer = conv(image, self._draw(1, 18), **window)  # type: ignore[arg-type]
        if min(layer.y) > 0:
            self._emit_layer(handle, spec, layer)

    def _emit_layer(self, handle: int, spec: Spec, layer: Layer) -> None:
        channels = layer.weights[0] if layer.kind == "FULLY_CONNECTED" else layer.channels
        terms = prod(layer.weights) // channels
        weights, bias, scale = self._operands(layer, channels, terms, spec)
        y = (*layer.y[:-1], channels)
        self._emit(layer.kind, [handle, weights, bias], self._spec(y, scale), **layer.options)

    def _operands(self, layer: Layer, channels: int, terms: int, spec: Spec) -> tuple[int, int, float]:
        """Weights, bias, and an output scale (of 8 bits) under which sums use the range."""
        builder, rng = self.builder, self.rng
        if self.dtype == "float32":
            values = rng.normal(0, 1 / np.sqrt(terms), layer.weights).astype(np.float32)
            return builder.const(values), builder.const(rng.normal(0, 1, channels).astype(np.float32)), 0.0
        greatest = 7 if self.dtype == "int4" else 127
        low, high, stored, zero_point = -greatest, greatest, "int8", 0
        if self.dtype == "uint8":
            low, high, stored, zero_point = 0, 255, "uint8", self._draw(100, 150)
        values = rng.integers(low, high + 1, layer.weights).astype(stored)
        count = channels if layer.per_channel else 1
        scales = (rng.uniform(0.5, 1.5, count) / (greatest * np.sqrt(terms))).astype(np.float32)
        weights = builder.const(
            values, scales.tolist(), zero_point, layer.channel_axis, "int4" if self.dtype == "int4" else None
        )
        if self.dtype == "hybrid":
            return weights, builder.const(rng.normal(0, 1, channels).astype(np.float32)), 0.0
        assert isinstance(spec.scale, float)
        bias_scales = np.float32(spec.scale) * scales
        wanted = rng.normal(0, 1, channels) / bias_scales
        bias: Array = wanted.astype(np.int64 if self.dtype == "int16" else np.int32)
        return weights, builder.const(bias, bias_scales.tolist()), float(rng.choice([0.02, 0.05, 0.1]))

    def _pool(self) -> None:
        handle, spec = self._pick()
        taps = (self._draw(1, 3), self._draw(1, 3))
        if taps[0] > spec.shape[1] or taps[1] > spec.shape[2]:
            return
        strides = (self._draw(1, 2), self._draw(1, 2))
        extents = [len(range(0, spec.shape[1 + i] - taps[i] + 1, strides[i])) for i in (0, 1)]
        self._emit(
            str(self.rng.choice(["AVERAGE_POOL_2D", "MAX_POOL_2D"])),
            [handle],
            Spec((spec.shape[0], *extents, spec.shape[3]), spec.dtype, spec.scale, spec.zero_point),
            padding="VALID",
            filter_height=taps[0],
            filter_width=taps[1],
            stride_h=strides[0],
            stride_w=strides[1],
        )

    def _add(self) -> None:
        handle, spec = self._pick()
        same = [value for value in self.made if value[1].shape == spec.shape]
        other = same[int(self.rng.integers(len(same)))][0]
        activation = str(self.rng.choice(_ACTIVATIONS))
        output = self._spec(spec.shape, float(self.rng.choice([0.05, 0.1])))
        self._emit("ADD", [handle, other], output, fused_activation_function=activation)

    def _pad(self) -> None:
        handle, spec = self._pick()
        amounts = np.zeros((4, 2), np.int32)
        amounts[1:3] = self.rng.integers(0, 3, (2, 2))
        shape = tuple(int(e + a.sum()) for e, a in zip(spec.shape, amounts, strict=True))
        output = Spec(shape, spec.dtype, spec.scale, spec.zero_point)
        self._emit("PAD", [handle, self.builder.const(amounts)], output)

    def _concatenate(self) -> None:
        handle, spec = self._pick()
        axis = self._draw(1, 3)
        shape = tuple(extent * (2 if i == axis else 1) for i, extent in enumerate(spec.shape))
        output = Spec(shape, spec.dtype, spec.scale, spec.zero_point)
        self._emit("CONCATENATION", [handle, handle], output, axis=axis)
