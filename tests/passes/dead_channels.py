"""Small int8 networks with channels that hold one value or that nobody reads."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from tflite_support.builder import Builder, Spec
from tinycompile.frontend import read_model
from tinycompile.ir import Graph

_ZERO_POINT = -128  # of outputs behind a RELU: real zero is the least value


@dataclass
class Net:
    """Builds small networks; all images are 6x6, all activations but the input end in a RELU."""

    rng: np.random.Generator
    builder: Builder = field(default_factory=Builder)
    shapes: dict[int, tuple[int, ...]] = field(default_factory=dict)

    def input(self, channels: int) -> int:
        tensor = self.builder.input((1, 6, 6, channels), "int8", 0.5, 4)
        self.shapes[tensor] = (1, 6, 6, channels)
        return tensor

    def convolution(
        self,
        source: int,
        channels: int,
        taps: int = 1,
        zero: Sequence[int] = (),
        bias: dict[int, int] | None = None,
        unread: Sequence[int] = (),
        zero_point: int = _ZERO_POINT,
        activation: str = "RELU",
    ) -> int:
        """CONV_2D with SAME padding. `zero` output channels have zero weights, `unread` input channels have none either."""
        depth = self.shapes[source][-1]
        weights = self.rng.integers(-127, 128, (channels, taps, taps, depth), np.int8)
        weights[list(zero)] = 0
        weights[..., list(unread)] = 0
        return self._linear("CONV_2D", source, weights, 0, channels, bias, zero_point, activation)

    def depthwise(
        self, source: int, multiplier: int = 1, zero: Sequence[int] = (), bias: dict[int, int] | None = None
    ) -> int:
        """DEPTHWISE_CONV_2D 3x3 with SAME padding."""
        channels = self.shapes[source][-1] * multiplier
        weights = self.rng.integers(-127, 128, (1, 3, 3, channels), np.int8)
        weights[..., list(zero)] = 0
        return self._linear("DEPTHWISE_CONV_2D", source, weights, 3, channels, bias, _ZERO_POINT, "RELU")

    def _linear(
        self,
        kind: str,
        source: int,
        weights: np.ndarray,
        axis: int,
        channels: int,
        bias: dict[int, int] | None,
        zero_point: int,
        activation: str,
    ) -> int:
        values = self.rng.integers(-300, 300, channels).astype(np.int32)
        for channel, value in (bias or {}).items():
            values[channel] = value
        scales = tuple(self.rng.uniform(0.001, 0.004, channels).tolist())
        filters = self.builder.const(weights, scale=scales, axis=axis)
        shape = (1, 6, 6, channels)
        spec = Spec(shape, "int8", 0.5, zero_point)
        operands = [source, filters, self.builder.const(values)]
        options = {"padding": "SAME", "stride_w": 1, "stride_h": 1, "fused_activation_function": activation}
        tensor = self.builder.op(kind, operands, spec, **options)
        self.shapes[tensor] = shape
        return tensor

    def add(self, first: int, second: int) -> int:
        spec = Spec(self.shapes[first], "int8", 0.5, _ZERO_POINT)
        tensor = self.builder.op("ADD", [first, second], spec, fused_activation_function="RELU")
        self.shapes[tensor] = self.shapes[first]
        return tensor

    def dense(self, source: int, units: int, depth: int, bias: bool = True) -> int:
        weights = self.builder.const(self.rng.integers(-127, 128, (units, depth), np.int8), scale=0.002)
        values = self.builder.const(self.rng.integers(-300, 300, units).astype(np.int32)) if bias else None
        return self.builder.op("FULLY_CONNECTED", [source, weights, values], Spec((1, units), "int8", 0.7, 3))

    def flat(self, source: int) -> int:
        elements = int(np.prod(self.shapes[source]))
        shape = self.builder.const(np.array([1, elements], np.int32))
        tensor = self.builder.op("RESHAPE", [source, shape], Spec((1, elements), "int8", 0.5, _ZERO_POINT))
        self.shapes[tensor] = (1, elements)
        return tensor

    def graph(self, inputs: Sequence[int], outputs: Sequence[int]) -> Graph:
        return read_model(self.builder.finish(inputs, outputs), "net")


def random_net(seed: int) -> Graph:
    """Two to five layers with many dead channels, a residual connection here and there."""
    rng = np.random.default_rng(seed)
    net = Net(rng)
    x = net.input(int(rng.integers(1, 4)))
    tensors = [net.convolution(x, 5, taps=3, **_dead(rng, 5, net.shapes[x][-1]))]
    for _ in range(rng.integers(1, 5)):
        source = tensors[rng.integers(len(tensors))]
        channels = net.shapes[source][-1]
        choice = rng.integers(4)
        if choice == 0:
            dead = _dead(rng, channels, channels)
            tensors.append(net.depthwise(source, zero=dead["zero"], bias=dead["bias"]))
        elif choice == 1:
            others = [t for t in tensors if net.shapes[t] == net.shapes[source]]
            tensors.append(net.add(source, others[rng.integers(len(others))]))
        else:
            taps = int(rng.choice([1, 3]))
            zero_point, activation = (-20, "NONE") if rng.random() < 0.3 else (_ZERO_POINT, "RELU")
            wide = int(rng.integers(1, 7))
            dead = _dead(rng, wide, channels)
            tensors.append(
                net.convolution(source, wide, taps, zero_point=zero_point, activation=activation, **dead)
            )
    last = tensors[-1]
    y = net.dense(net.flat(last), 3, int(np.prod(net.shapes[last])), bias=bool(rng.integers(2)))
    return net.graph([x], [y])


def _dead(rng: np.random.Generator, channels: int, depth: int) -> dict[str, object]:
    """Random channels without weights, with a bias that saturates, and inputs that are not read."""
    zero = np.flatnonzero(rng.random(channels) < 0.3).tolist()
    pushed = np.flatnonzero(rng.random(channels) < 0.3).tolist()
    bias = {channel: int(rng.choice([0, -(10**6), 10**6, 9000])) for channel in pushed}
    return {"zero": zero, "bias": bias, "unread": np.flatnonzero(rng.random(depth) < 0.2).tolist()}
