"""Random small int8 graphs of mixed operators, sizes and quantizations, as .tflite files with samples.

Every tensor has a quantization of its own unless the operator asks for that of its input, zero points are often at an end of
the range, and scales are chosen such that most outputs use the range and some saturate.
"""

from collections.abc import Callable
from math import prod

import numpy as np

from tests.ops.case import Case, make_samples
from tests.property.drawing import Drawing, Value
from tflite_support.builder import Spec


def random_case(seed: int, operators: int | None = None) -> Case:
    """A graph of so many operators, 3 to 12 by default, with samples; the same numbers give the same case.

    Fewer operators are the first of those that more give.
    """
    return _Network(seed, operators).finish()


class _Network(Drawing):
    """Steps that add operators. A step returns False when its operator does not fit the tensor that it drew."""

    def __init__(self, seed: int, operators: int | None) -> None:
        super().__init__(seed)
        self.seed = seed
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

    def _dequantize(self, handle: int, outputs: list[Value]) -> int:
        spec = next(spec for other, spec in outputs if other == handle)
        return self.builder.op("DEQUANTIZE", [handle], Spec(spec.shape, "float32"))

    # ---- operators with weights ----

    def _convolution(self) -> bool:
        handle, spec = self.pick()
        window = self.window(spec.shape) if len(spec.shape) == 4 else None
        if window is None:
            return False
        options, taps, extents = window
        channels = self.draw(1, 18)
        shape = (channels, *taps, spec.shape[3])
        weight, bias, scale = self.weights(shape, 0, prod(shape[1:]), spec, self.rng.random() < 0.7)
        output = self.spec((spec.shape[0], *extents, channels), scale)
        options["fused_activation_function"] = self.activation()
        return self.emit("CONV_2D", [handle, weight, *bias], output, **options)

    def _depthwise(self) -> bool:
        handle, spec = self.pick()
        window = self.window(spec.shape) if len(spec.shape) == 4 else None
        if window is None:
            return False
        options, taps, extents = window
        multiplier = int(self.rng.choice([1, 1, 1, 2, 3]))
        channels = multiplier * spec.shape[3]
        shape = (1, *taps, channels)
        weight, bias, scale = self.weights(shape, 3, prod(taps), spec, self.rng.random() < 0.7)
        output = self.spec((spec.shape[0], *extents, channels), scale)
        options |= {"depth_multiplier": multiplier, "fused_activation_function": self.activation()}
        return self.emit("DEPTHWISE_CONV_2D", [handle, weight, *bias], output, **options)

    def _fully_connected(self) -> bool:
        handle, spec = self.pick()
        rows, features = spec.shape[0], prod(spec.shape[1:])
        if features > 400:
            return False
        units = self.draw(1, 20)
        weight, bias, scale = self.weights((units, features), 0, features, spec, per_channel=False)
        options = {"fused_activation_function": self.activation()}
        return self.emit(
            "FULLY_CONNECTED", [handle, weight, *bias], self.spec((rows, units), scale), **options
        )

    # ---- operators of two tensors ----

    def _of_two(self, kind: str, scale: Callable[[float, float], float]) -> bool:
        handle, spec = self.pick()
        other, other_spec = self.partner(spec.shape, spec)
        assert isinstance(spec.scale, float) and isinstance(other_spec.scale, float)
        output = self.spec(spec.shape, scale(spec.scale, other_spec.scale) * float(self.rng.uniform(0.4, 2)))
        operands: list[int | None] = [handle, other]
        if self.rng.random() < 0.5:
            operands.reverse()
        return self.emit(kind, operands, output, fused_activation_function=self.activation())

    def _addition(self) -> bool:
        return self._of_two(str(self.rng.choice(["ADD", "ADD", "SUB"])), max)

    def _multiplication(self) -> bool:
        return self._of_two("MUL", lambda first, second: first * second * 60)

    def _concatenate(self) -> bool:
        """Operands that have other quantizations go through QUANTIZE first, as converters do it."""
        handle, spec = self.pick()
        other, other_spec = self.partner(spec.shape, spec)
        if other_spec.shape != spec.shape:
            return False
        if (other_spec.scale, other_spec.zero_point) != (spec.scale, spec.zero_point):
            other = self.builder.op("QUANTIZE", [other], spec)
        axis = self.draw(1, len(spec.shape) - 1)
        count = self.draw(2, 3)
        shape = tuple(extent * (count if i == axis else 1) for i, extent in enumerate(spec.shape))
        operands: list[int | None] = [handle, other, handle][:count]
        output = Spec(shape, "int8", spec.scale, spec.zero_point)
        return self.emit("CONCATENATION", operands, output, axis=axis - len(shape) if count == 2 else axis)

    # ---- operators of one tensor ----

    def _pool(self) -> bool:
        handle, spec = self.pick()
        window = self.window(spec.shape) if len(spec.shape) == 4 else None
        if window is None or "dilation_h_factor" in window[0]:
            return False
        options, taps, extents = window
        options |= {"filter_height": taps[0], "filter_width": taps[1]}
        options["fused_activation_function"] = self.activation()
        output = Spec((spec.shape[0], *extents, spec.shape[3]), "int8", spec.scale, spec.zero_point)
        return self.emit(
            str(self.rng.choice(["AVERAGE_POOL_2D", "MAX_POOL_2D"])), [handle], output, **options
        )

    def _pad(self) -> bool:
        handle, spec = self.pick()
        amounts = self.rng.choice([0, 0, 1, 1, 2], (len(spec.shape), 2)).astype(np.int32)
        amounts[0] = 0
        shape = tuple(int(extent + amount.sum()) for extent, amount in zip(spec.shape, amounts, strict=True))
        output = Spec(shape, "int8", spec.scale, spec.zero_point)
        return self.emit("PAD", [handle, self.builder.const(amounts)], output)

    def _reshape(self) -> bool:
        handle, spec = self.pick()
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
        return self.emit("RESHAPE", operands, output, new_shape=chosen)

    def _transpose(self) -> bool:
        handle, spec = self.pick()
        order = [0, *(1 + self.rng.permutation(len(spec.shape) - 1))]
        output = Spec(tuple(spec.shape[i] for i in order), "int8", spec.scale, spec.zero_point)
        return self.emit("TRANSPOSE", [handle, self.builder.const(np.array(order, np.int32))], output)

    def _mean(self) -> bool:
        handle, spec = self.pick()
        if len(spec.shape) != 4:
            return False
        axes = np.array(
            [[1, 2], [1], [2], [3], [2, 1]][self.draw(0, 4)] if self.rng.random() < 0.4 else [1, 2]
        )
        keep = bool(self.rng.random() < 0.5) or len(axes) == 1
        shape = tuple(
            1 if i in axes else extent for i, extent in enumerate(spec.shape) if keep or i not in axes
        )
        assert isinstance(spec.scale, float)
        output = self.spec(shape, spec.scale * float(self.rng.uniform(0.3, 1.5)))
        if self.rng.random() < 0.4:
            output = Spec(shape, "int8", spec.scale, spec.zero_point)
        operands: list[int | None] = [handle, self.builder.const(axes.astype(np.int32))]
        return self.emit("MEAN", operands, output, keep_dims=keep)

    def _quantize(self) -> bool:
        handle, spec = self.pick()
        assert isinstance(spec.scale, float)
        return self.emit(
            "QUANTIZE", [handle], self.spec(spec.shape, spec.scale * float(self.rng.uniform(0.3, 3)))
        )

    def _softmax(self) -> bool:
        handle, spec = self.pick()
        return self.emit("SOFTMAX", [handle], Spec(spec.shape, "int8", 1 / 256, -128), beta=1.0)

    def _lookup(self) -> bool:
        handle, spec = self.pick()
        kind = str(self.rng.choice(["LOGISTIC", "TANH", "RELU"]))
        output = {
            "LOGISTIC": Spec(spec.shape, "int8", 1 / 256, -128),
            "TANH": Spec(spec.shape, "int8", 1 / 128, 0),
        }.get(kind, Spec(spec.shape, "int8", spec.scale, spec.zero_point))
        return self.emit(kind, [handle], output)


def kinds_of(case: Case) -> list[str]:
    """The operators of a case, as its name lists them."""
    return case.id.split(": ")[1].split()
