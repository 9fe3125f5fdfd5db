"""Random small image networks as .tflite files: chains, residual adds, shortcuts, pooling, views, several inputs and outputs."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tflite_support.builder import Builder, Spec

Shape = tuple[int, ...]


@dataclass
class _Net:
    """A network under construction; `tensors` lists the handles of its images with their shapes."""

    rng: np.random.Generator
    builder: Builder = field(default_factory=Builder)
    tensors: list[tuple[int, Shape]] = field(default_factory=list)

    def pick(self) -> tuple[int, Shape]:
        """A tensor to go on from: mostly the last one."""
        back = int(self.rng.choice([1, 1, 1, 1, 2, 3]))
        return self.tensors[-min(back, len(self.tensors))]

    def emit(self, kind: str, inputs: list[int | None], shape: Shape, **options: Any) -> None:
        spec = Spec(shape, "int8", 0.5, int(self.rng.integers(-9, 9)))
        self.tensors.append((self.builder.op(kind, inputs, spec, **options), shape))

    def window(self, shape: Shape) -> tuple[str, int, int, int, Shape]:
        """Padding, taps, stride, dilation, and rows and columns of the output, for a window that fits."""
        while True:
            taps, stride, dilation = (
                int(self.rng.choice(c)) for c in ([1, 1, 2, 3, 3, 4], [1, 1, 2, 3], [1, 1, 2])
            )
            padding = str(self.rng.choice(["SAME", "SAME", "VALID"]))
            reach = (taps - 1) * dilation + 1
            loss = reach - 1 if padding == "VALID" else 0
            extents = tuple((extent - loss + stride - 1) // stride for extent in shape[1:3])
            if min(extents) > 0 and (stride == 1 or dilation == 1):
                return padding, taps, stride, dilation, extents

    def convolution(self, depthwise: bool) -> None:
        source, shape = self.pick()
        window = self.window(shape)
        self.convolve(source, shape, window, int(self.rng.integers(2, 17)) if not depthwise else None)

    def convolve(
        self, source: int, shape: Shape, window: tuple[str, int, int, int, Shape], channels: int | None
    ) -> None:
        """A convolution with a window as `window` makes it; without a number of channels a depthwise one."""
        padding, taps, stride, dilation, extents = window
        depthwise, channels = channels is None, channels or shape[3]
        weights_shape = (1, taps, taps, channels) if depthwise else (channels, taps, taps, shape[3])
        weights = self.rng.integers(-127, 128, weights_shape).astype(np.int8)
        scales = tuple(self.rng.uniform(0.002, 0.01, channels))
        weight = self.builder.const(
            weights, scale=scales, zero_point=(0,) * channels, axis=3 if depthwise else 0
        )
        bias = self.builder.const(self.rng.integers(-500, 500, channels).astype(np.int32), scale=1.0)
        self.emit(
            "DEPTHWISE_CONV_2D" if depthwise else "CONV_2D",
            [source, weight, bias],
            (1, *extents, channels),
            padding=padding,
            stride_h=stride,
            stride_w=stride,
            dilation_h_factor=dilation,
            dilation_w_factor=dilation,
            **({"depth_multiplier": 1} if depthwise else {}),
            fused_activation_function=str(self.rng.choice(["NONE", "RELU"])),
        )

    def add(self) -> None:
        source, shape = self.pick()
        others = [handle for handle, other in self.tensors if other == shape]
        self.emit("ADD", [source, int(self.rng.choice(others))], shape)

    def pool(self, everything: bool) -> None:
        source, shape = self.pick()
        taps = shape[1:3] if everything else (min(2, shape[1]), min(2, shape[2]))
        extents = tuple(-(-extent // 2) for extent in shape[1:3])
        self.tensors.append(
            (
                self.builder.op(
                    "AVERAGE_POOL_2D" if everything else "MAX_POOL_2D",
                    [source],
                    Spec(
                        (1, 1, 1, shape[3]) if everything else (1, *extents, shape[3]),
                        *self.quantization(source),
                    ),
                    padding="VALID" if everything else "SAME",
                    stride_h=1 if everything else 2,
                    stride_w=1 if everything else 2,
                    filter_height=taps[0],
                    filter_width=taps[1],
                ),
                (1, 1, 1, shape[3]) if everything else (1, *extents, shape[3]),
            )
        )

    def quantization(self, handle: int) -> tuple[str, float, int]:
        """Pooling and views keep the quantization of their input."""
        zero_point = self.builder._graph.tensors[handle][0].zero_point
        assert isinstance(zero_point, int)
        return "int8", 0.5, zero_point

    def view(self) -> None:
        """Rows become columns: the bytes are cut into other rows."""
        source, shape = self.pick()
        turned = (1, shape[2], shape[1], shape[3])
        self.tensors.append(
            (
                self.builder.op(
                    "RESHAPE",
                    [source, self.builder.const(np.array(turned, np.int32))],
                    Spec(turned, *self.quantization(source)),
                    new_shape=turned,
                ),
                turned,
            )
        )


def random_model(seed: int) -> bytes:
    """The bytes of a random network; the same seed gives the same file."""
    net = _Net(np.random.default_rng(seed))
    rng = net.rng
    for _ in range(1 + int(rng.random() < 0.2)):
        shape = (1, int(rng.integers(6, 25)), int(rng.integers(2, 7)), int(rng.integers(1, 5)))
        net.tensors.append((net.builder.input(shape, scale=0.5, zero_point=int(rng.integers(-9, 9))), shape))
    inputs = [handle for handle, _ in net.tensors]
    for _ in range(int(rng.integers(3, 13))):
        draw = rng.random()
        if draw < 0.45:
            net.convolution(depthwise=False)
        elif draw < 0.65:
            net.convolution(depthwise=True)
        elif draw < 0.83:
            net.add()
        elif draw < 0.95:
            net.pool(everything=rng.random() < 0.3)
        else:
            net.view()
    made = [handle for handle, _ in net.tensors[len(inputs) :]]
    outputs = list(dict.fromkeys([made[-1], *(made if rng.random() < 0.1 else []), int(rng.choice(made))]))
    return net.builder.finish(inputs, outputs[: 1 + int(rng.random() < 0.3) + 2 * int(rng.random() < 0.1)])


def random_residual_model(seed: int) -> bytes:
    """A residual block between a first layer and one with stride 2, wide enough for the kernels of 3x3 windows."""
    net = _Net(np.random.default_rng(seed))
    rows, columns = int(net.rng.integers(17, 26)), int(net.rng.integers(8, 20))
    channels = int(net.rng.choice([8, 16]))
    shape = (1, rows, columns, 3)
    image = net.builder.input(shape, scale=0.5, zero_point=int(net.rng.integers(-9, 9)))
    net.tensors.append((image, shape))
    for _ in range(3):
        source, shape = net.tensors[-1]
        net.convolve(source, shape, ("SAME", 3, 1, 1, (rows, columns)), channels)
    net.emit("ADD", [net.tensors[-1][0], net.tensors[-3][0]], (1, rows, columns, channels))
    source, shape = net.tensors[-1]
    net.convolve(source, shape, ("SAME", 3, 2, 1, (-(-rows // 2), -(-columns // 2))), channels // 2)
    return net.builder.finish([image], [net.tensors[-1][0]])


def random_separable_model(seed: int) -> bytes:
    """Depthwise convolutions between 1x1 ones, with windows, strides and numbers of channels of all kinds."""
    net = _Net(np.random.default_rng(seed))
    rng = net.rng
    shape = (1, int(rng.integers(9, 20)), int(rng.integers(24, 50)), int(rng.integers(2, 9)))
    image = net.builder.input(shape, scale=0.5, zero_point=int(rng.integers(-9, 9)))
    net.tensors.append((image, shape))
    for _ in range(3):
        source, shape = net.tensors[-1]
        net.convolve(source, shape, ("SAME", 1, 1, 1, shape[1:3]), int(rng.integers(5, 40)))
        source, shape = net.tensors[-1]
        taps, stride = int(rng.choice([2, 3, 3, 5])), int(rng.choice([1, 1, 2]))
        extents = tuple(-(-extent // stride) for extent in shape[1:3])
        net.convolve(source, shape, ("SAME", taps, stride, 1, extents), None)
    source, shape = net.tensors[-1]
    net.convolve(source, shape, ("SAME", 1, 1, 1, shape[1:3]), 6)
    return net.builder.finish([image], [net.tensors[-1][0]])
