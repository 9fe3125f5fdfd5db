"""Random small int8 graphs of mixed operators, sizes and quantizations, as .tflite files with samples.

Every tensor has a quantization of its own unless the operator asks for that of its input, zero points are often at an end of
the range, and scales are chosen such that most outputs use the range and some saturate.
"""

from collections.abc import Callable
from math import prod

import numpy as np

from tests.ops.case import Case, make_samples
from tests.ops.window import out_extent
from tests.support.tflite_builder import Builder, Spec

_MOST_ELEMENTS = 3000
_ACTIVATIONS = ("NONE", "NONE", "RELU", "RELU6", "RELU_N1_TO_1")

Value = tuple[int, Spec]
"""A tensor: its handle in the builder and what it is."""


def random_case(seed: int, operators: int | None = None) -> Case:
    """A graph of so many operators, 3 to 12 by default, with samples; the same numbers give the same case.

    Fewer operators are the first of those that more give.
    """
    return _Network(seed, operators).finish()


class _Network:
    """A graph under construction. A step returns False when its operator does not fit the tensor that it drew."""

    def __init__(self, seed: int, operators: int | None) -> None:
        self.seed = seed
        self.rng = np.random.default_rng(seed)
        self.builder = Builder()
        self.inputs: list[Value] = []
        self.made: list[Value] = []
        self.kinds: list[str] = []
        for _ in range(1 + int(self.rng.random() < 0.2)):
            self._add_input()
        steps: list[tuple[Callable[[], bool], float]] = [
            (self._convolution, 4),
            (self._depthwise, 3),
            (self._fully_connected, 2),
            (self._addition, 3),
            (self._multiplication, 1.5),
            (self._pool, 2),
            (self._pad, 1.5),
            (self._reshape, 1),
            (self._transpose, 0.7),
            (self._concatenate, 1.5),
            (self._mean, 1),
            (self._quantize, 1),
            (self._softmax, 0.5),
            (self._lookup, 1),
        ]
        chances = np.array([weight for _, weight in steps])
        drawn = int(self.rng.integers(3, 13))
        wanted = operators or drawn
        while len(self.made) < wanted:
            steps[int(self.rng.choice(len(steps), p=chances / chances.sum()))][0]()

    def finish(self) -> Case:
        """Outputs are what nobody reads, and at times a tensor that somebody does."""
        read = {i for operator in self.builder._graph.operators for i in operator.inputs}
        outputs = [value for value in self.made if value[0] not in read]
        if self.rng.random() < 0.2:
            outputs.append(self.made[int(self.rng.integers(len(self.made)))])
        handles = list(dict.fromkeys(handle for handle, _ in outputs))
        if self.rng.random() < 0.1:
            handles = [self._dequantize(handle, outputs) for handle in handles]
        model = self.builder.finish([handle for handle, _ in self.inputs], handles)
        samples = make_samples(self.rng, [spec for _, spec in self.inputs])
        return Case(f"{self.seed}: {' '.join(self.kinds)}", model, samples)

    # ---- parts ----

    def _add_input(self) -> None:
        shape = (1, self._draw(1, 12), self._draw(1, 12), self._draw(1, 9))
        if self.rng.random() < 0.1:
            shape = (2, *shape[1:])
        spec = self._spec(shape)
        if self.rng.random() < 0.1:
            real = Spec(shape, "float32")
            handle = self.builder.tensor(real)
            self.inputs.append((handle, real))
            self._emit("QUANTIZE", [handle], Spec(shape, "int8", 0.15, int(self.rng.integers(-20, 20))))
        else:
            self.inputs.append((self.builder.tensor(spec), spec))

    def _draw(self, low: int, high: int) -> int:
        return int(self.rng.integers(low, high + 1))

    def _zero_point(self) -> int:
        return int(self.rng.choice([-128, -128, 127, 0, int(self.rng.integers(-128, 128))]))

    def _spec(self, shape: tuple[int, ...], scale: float | None = None) -> Spec:
        chosen = scale if scale is not None else float(10 ** self.rng.uniform(-2.5, 0.5))
        return Spec(shape, "int8", float(np.float32(chosen)), self._zero_point())

    def _activation(self) -> str:
        return str(self.rng.choice(_ACTIVATIONS))

    def _pick(self) -> Value:
        """A tensor to go on from: mostly one of the last."""
        known = [value for value in [*self.inputs, *self.made] if value[1].dtype == "int8"]
        back = int(self.rng.choice([1, 1, 1, 1, 2, 3, 5]))
        return known[-min(back, len(known))]

    def _emit(self, kind: str, inputs: list[int | None], spec: Spec, **options: object) -> bool:
        if prod(spec.shape) > _MOST_ELEMENTS:
            return False
        self.made.append((self.builder.op(kind, inputs, spec, **options), spec))
        self.kinds.append(kind)
        return True

    def _dequantize(self, handle: int, outputs: list[Value]) -> int:
        spec = next(spec for other, spec in outputs if other == handle)
        return self.builder.op("DEQUANTIZE", [handle], Spec(spec.shape, "float32"))

    # ---- operators with weights ----

    def _weights(
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

    def _window(
        self, shape: tuple[int, ...]
    ) -> tuple[dict[str, object], tuple[int, int], tuple[int, int]] | None:
        """Options, taps and output extents of a random window; None when it does not fit."""
        rng = self.rng
        taps = self._draw(1, 4), self._draw(1, 4)
        if rng.random() < 0.5:
            taps = (3, 3) if rng.random() < 0.6 else (1, 1)
        stride = (1, 1) if rng.random() < 0.6 else (self._draw(1, 3), self._draw(1, 3))
        padding = str(rng.choice(["SAME", "VALID"]))
        dilation = (
            (self._draw(1, 2), self._draw(1, 3)) if rng.random() < 0.15 and stride == (1, 1) else (1, 1)
        )
        extents = tuple(out_extent(shape[1 + i], taps[i], stride[i], dilation[i], padding) for i in range(2))
        if 0 in extents:
            return None
        options: dict[str, object] = {"padding": padding, "stride_h": stride[0], "stride_w": stride[1]}
        if dilation != (1, 1):
            options |= {"dilation_h_factor": dilation[0], "dilation_w_factor": dilation[1]}
        return options, taps, (extents[0], extents[1])

    def _convolution(self) -> bool:
        handle, spec = self._pick()
        window = self._window(spec.shape) if len(spec.shape) == 4 else None
        if window is None:
            return False
        options, taps, extents = window
        channels = self._draw(1, 18)
        shape = (channels, *taps, spec.shape[3])
        weight, bias, scale = self._weights(shape, 0, prod(shape[1:]), spec, self.rng.random() < 0.7)
        output = self._spec((spec.shape[0], *extents, channels), scale)
        options["fused_activation_function"] = self._activation()
        return self._emit("CONV_2D", [handle, weight, *bias], output, **options)

    def _depthwise(self) -> bool:
        handle, spec = self._pick()
        window = self._window(spec.shape) if len(spec.shape) == 4 else None
        if window is None:
            return False
        options, taps, extents = window
        multiplier = int(self.rng.choice([1, 1, 1, 2, 3]))
        channels = multiplier * spec.shape[3]
        shape = (1, *taps, channels)
        weight, bias, scale = self._weights(shape, 3, prod(taps), spec, self.rng.random() < 0.7)
        output = self._spec((spec.shape[0], *extents, channels), scale)
        options |= {"depth_multiplier": multiplier, "fused_activation_function": self._activation()}
        return self._emit("DEPTHWISE_CONV_2D", [handle, weight, *bias], output, **options)

    def _fully_connected(self) -> bool:
        handle, spec = self._pick()
        rows, features = spec.shape[0], prod(spec.shape[1:])
        if features > 400:
            return False
        units = self._draw(1, 20)
        weight, bias, scale = self._weights((units, features), 0, features, spec, per_channel=False)
        options = {"fused_activation_function": self._activation()}
        return self._emit(
            "FULLY_CONNECTED", [handle, weight, *bias], self._spec((rows, units), scale), **options
        )

    # ---- operators of two tensors ----

    def _partner(self, shape: tuple[int, ...], spec: Spec) -> Value:
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
        made = self._spec(values.shape, spec.scale * float(self.rng.uniform(0.3, 3)))  # type: ignore[operator]
        assert isinstance(made.scale, float) and isinstance(made.zero_point, int)
        return self.builder.const(values, scale=made.scale, zero_point=made.zero_point), made

    def _of_two(self, kind: str, scale: Callable[[float, float], float]) -> bool:
        handle, spec = self._pick()
        other, other_spec = self._partner(spec.shape, spec)
        assert isinstance(spec.scale, float) and isinstance(other_spec.scale, float)
        output = self._spec(spec.shape, scale(spec.scale, other_spec.scale) * float(self.rng.uniform(0.4, 2)))
        operands: list[int | None] = [handle, other]
        if self.rng.random() < 0.5:
            operands.reverse()
        return self._emit(kind, operands, output, fused_activation_function=self._activation())

    def _addition(self) -> bool:
        return self._of_two(str(self.rng.choice(["ADD", "ADD", "SUB"])), max)

    def _multiplication(self) -> bool:
        return self._of_two("MUL", lambda first, second: first * second * 60)

    def _concatenate(self) -> bool:
        """Operands that have other quantizations go through QUANTIZE first, as converters do it."""
        handle, spec = self._pick()
        other, other_spec = self._partner(spec.shape, spec)
        if other_spec.shape != spec.shape:
            return False
        if (other_spec.scale, other_spec.zero_point) != (spec.scale, spec.zero_point):
            other = self.builder.op("QUANTIZE", [other], spec)
        axis = self._draw(1, len(spec.shape) - 1)
        count = self._draw(2, 3)
        shape = tuple(extent * (count if i == axis else 1) for i, extent in enumerate(spec.shape))
        operands: list[int | None] = [handle, other, handle][:count]
        output = Spec(shape, "int8", spec.scale, spec.zero_point)
        return self._emit("CONCATENATION", operands, output, axis=axis - len(shape) if count == 2 else axis)

    # ---- operators of one tensor ----

    def _pool(self) -> bool:
        handle, spec = self._pick()
        window = self._window(spec.shape) if len(spec.shape) == 4 else None
        if window is None or "dilation_h_factor" in window[0]:
            return False
        options, taps, extents = window
        options |= {"filter_height": taps[0], "filter_width": taps[1]}
        options["fused_activation_function"] = self._activation()
        output = Spec((spec.shape[0], *extents, spec.shape[3]), "int8", spec.scale, spec.zero_point)
        return self._emit(
            str(self.rng.choice(["AVERAGE_POOL_2D", "MAX_POOL_2D"])), [handle], output, **options
        )

    def _pad(self) -> bool:
        handle, spec = self._pick()
        amounts = self.rng.choice([0, 0, 1, 1, 2], (len(spec.shape), 2)).astype(np.int32)
        amounts[0] = 0
        shape = tuple(int(extent + amount.sum()) for extent, amount in zip(spec.shape, amounts, strict=True))
        output = Spec(shape, "int8", spec.scale, spec.zero_point)
        return self._emit("PAD", [handle, self.builder.const(amounts)], output)

    def _reshape(self) -> bool:
        handle, spec = self._pick()
        shape = spec.shape
        turned = {
            4: [(shape[0], shape[-2], shape[1], shape[-1]), (shape[0], prod(shape[1:]))],
            2: [(shape[0], 1, 1, shape[-1]), (shape[0], shape[-1], 1, 1), (shape[0], 1, shape[-1], 1)],
        }.get(len(shape))
        if turned is None:
            return False
        chosen = turned[int(self.rng.integers(len(turned)))]
        output = Spec(chosen, "int8", spec.scale, spec.zero_point)
        operands: list[int | None] = [handle, self.builder.const(np.array(chosen, np.int32))]
        return self._emit("RESHAPE", operands, output, new_shape=chosen)

    def _transpose(self) -> bool:
        handle, spec = self._pick()
        order = [0, *(1 + self.rng.permutation(len(spec.shape) - 1))]
        output = Spec(tuple(spec.shape[i] for i in order), "int8", spec.scale, spec.zero_point)
        return self._emit("TRANSPOSE", [handle, self.builder.const(np.array(order, np.int32))], output)

    def _mean(self) -> bool:
        handle, spec = self._pick()
        if len(spec.shape) != 4:
            return False
        axes = np.array(
            [[1, 2], [1], [2], [3], [2, 1]][self._draw(0, 4)] if self.rng.random() < 0.4 else [1, 2]
        )
        keep = bool(self.rng.random() < 0.5) or len(axes) == 1
        shape = tuple(
            1 if i in axes else extent for i, extent in enumerate(spec.shape) if keep or i not in axes
        )
        assert isinstance(spec.scale, float)
        output = self._spec(shape, spec.scale * float(self.rng.uniform(0.3, 1.5)))
        if self.rng.random() < 0.4:
            output = Spec(shape, "int8", spec.scale, spec.zero_point)
        operands: list[int | None] = [handle, self.builder.const(axes.astype(np.int32))]
        return self._emit("MEAN", operands, output, keep_dims=keep)

    def _quantize(self) -> bool:
        handle, spec = self._pick()
        assert isinstance(spec.scale, float)
        return self._emit(
            "QUANTIZE", [handle], self._spec(spec.shape, spec.scale * float(self.rng.uniform(0.3, 3)))
        )

    def _softmax(self) -> bool:
        handle, spec = self._pick()
        return self._emit("SOFTMAX", [handle], Spec(spec.shape, "int8", 1 / 256, -128), beta=1.0)

    def _lookup(self) -> bool:
        handle, spec = self._pick()
        kind = str(self.rng.choice(["LOGISTIC", "TANH", "RELU"]))
        output = {
            "LOGISTIC": Spec(spec.shape, "int8", 1 / 256, -128),
            "TANH": Spec(spec.shape, "int8", 1 / 128, 0),
        }.get(kind, Spec(spec.shape, "int8", spec.scale, spec.zero_point))
        return self._emit(kind, [handle], output)


def kinds_of(case: Case) -> list[str]:
    """The operators of a case, as its name lists them."""
    return case.id.split(": ")[1].split()
