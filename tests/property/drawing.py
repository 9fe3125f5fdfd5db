"""A random graph under construction: draws of tensors, quantizations, weights, windows and operands."""

from math import prod

import numpy as np

from tests.ops.window import out_extent
from tflite_support.builder import Builder, Spec

_MOST_ELEMENTS = 3000
_ACTIVATIONS = ("NONE", "NONE", "RELU", "RELU6", "RELU_N1_TO_1")

Value = tuple[int, Spec]
"""A tensor: its handle in the builder and what it is."""


class Drawing:
    """The graph so far, and what may be drawn for its next operator."""

    def __init__(self, seed: int) -> None:
        self.rng = np.random.default_rng(seed)
        self.builder = Builder()
        self.inputs: list[Value] = []
        self.made: list[Value] = []
        self.kinds: list[str] = []
        for _ in range(1 + int(self.rng.random() < 0.2)):
            self._add_input()

    def _add_input(self) -> None:
        shape = (1, self.draw(1, 12), self.draw(1, 12), self.draw(1, 9))
        if self.rng.random() < 0.1:
            shape = (2, *shape[1:])
        spec = self.spec(shape)
        if self.rng.random() < 0.1:
            real = Spec(shape, "float32")
            handle = self.builder.tensor(real)
            self.inputs.append((handle, real))
            self.emit("QUANTIZE", [handle], Spec(shape, "int8", 0.15, int(self.rng.integers(-20, 20))))
        else:
            self.inputs.append((self.builder.tensor(spec), spec))

    def draw(self, low: int, high: int) -> int:
        """A number, both ends included."""
        return int(self.rng.integers(low, high + 1))

    def _zero_point(self) -> int:
        return int(self.rng.choice([-128, -128, 127, 0, int(self.rng.integers(-128, 128))]))

    def spec(self, shape: tuple[int, ...], scale: float | None = None) -> Spec:
        """A tensor of int8 with a quantization of its own."""
        chosen = scale if scale is not None else float(10 ** self.rng.uniform(-2.5, 0.5))
        return Spec(shape, "int8", float(np.float32(chosen)), self._zero_point())

    def activation(self) -> str:
        """A fused activation, often none."""
        return str(self.rng.choice(_ACTIVATIONS))

    def pick(self) -> Value:
        """A tensor to go on from: mostly one of the last."""
        known = [value for value in [*self.inputs, *self.made] if value[1].dtype == "int8"]
        back = int(self.rng.choice([1, 1, 1, 1, 2, 3, 5]))
        return known[-min(back, len(known))]

    def emit(self, kind: str, inputs: list[int | None], spec: Spec, **options: object) -> bool:
        """Add an operator; False when its output is too large."""
        if prod(spec.shape) > _MOST_ELEMENTS:
            return False
        self.made.append((self.builder.op(kind, inputs, spec, **options), spec))
        self.kinds.append(kind)
        return True

    def weights(
        self, shape: tuple[int, ...], axis: int, terms: int, source: Spec, per_channel: bool
    ) -> tuple[int, list[int], float]:
        """Handles of weights and of the bias, if there is one, and an output scale under which the sums use the range."""
        channels = shape[axis]
        values = self.rng.integers(-127, 128, shape)
        if self.rng.random() < 0.25:  # dead and sparse channels, which passes remove
            alive = self.rng.random(channels) < 0.5
            values = values * alive.reshape([-1 if i == axis else 1 for i in range(len(shape))])
        scales = self.rng.uniform(0.002, 0.02, channels if per_channel else 1).astype(np.float32)
        weight = self.builder.const(
            values.astype(np.int8), scale=tuple(map(float, scales)), zero_point=(0,) * len(scales), axis=axis
        )
        reach = int(74 * 74 * np.sqrt(terms))
        bias = []
        if (axis == 0 and len(shape) == 4) or self.rng.random() < 0.85:  # the reference wants one in CONV_2D
            bias_scales = tuple(float(np.float32(source.scale) * scale) for scale in scales)
            bias_values = self.rng.integers(-reach, reach + 1, channels).astype(np.int32)
            bias.append(self.builder.const(bias_values, scale=bias_scales, zero_point=(0,) * len(scales)))
        assert isinstance(source.scale, float)
        spread = source.scale * float(scales.mean()) * reach / 50
        return weight, bias, spread * float(self.rng.choice([0.5, 1.0, 1.0, 3.0]))

    def window(
        self, shape: tuple[int, ...]
    ) -> tuple[dict[str, object], tuple[int, int], tuple[int, int]] | None:
        """Options, taps and output extents of a random window; None when it does not fit."""
        rng = self.rng
        taps = self.draw(1, 4), self.draw(1, 4)
        if rng.random() < 0.5:
            taps = (3, 3) if rng.random() < 0.6 else (1, 1)
        stride = (1, 1) if rng.random() < 0.6 else (self.draw(1, 3), self.draw(1, 3))
        padding = str(rng.choice(["SAME", "VALID"]))
        dilation = (self.draw(1, 2), self.draw(1, 3)) if rng.random() < 0.15 and stride == (1, 1) else (1, 1)
        extents = tuple(out_extent(shape[1 + i], taps[i], stride[i], dilation[i], padding) for i in range(2))
        if 0 in extents:
            return None
        options: dict[str, object] = {"padding": padding, "stride_h": stride[0], "stride_w": stride[1]}
        if dilation != (1, 1):
            options |= {"dilation_h_factor": dilation[0], "dilation_w_factor": dilation[1]}
        return options, taps, (extents[0], extents[1])

    def partner(self, shape: tuple[int, ...], spec: Spec) -> Value:
        """Another tensor of this shape, the same one, or a constant that is broadcast."""
        same = [
            value
            for value in [*self.inputs, *self.made]
            if (value[1].shape, value[1].dtype) == (shape, "int8")
        ]
        if self.rng.random() < 0.7:
            return same[int(self.rng.integers(len(same)))]
        small = [shape, (1,) * len(shape), (*(1,) * (len(shape) - 1), shape[-1]), shape[-1:]]
        values = self.rng.integers(-128, 128, small[int(self.rng.integers(len(small)))]).astype(np.int8)
        made = self.spec(values.shape, spec.scale * float(self.rng.uniform(0.3, 3)))  # type: ignore[operator]
        assert isinstance(made.scale, float) and isinstance(made.zero_point, int)
        return self.builder.const(values, scale=made.scale, zero_point=made.zero_point), made
