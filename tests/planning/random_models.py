"""Random small image networks as .tflite files: chains, residual adds, shortcuts, pooling, decoders, views, several outputs."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tflite_support.builder import Builder, Spec

Shape = tuple[int, ...]

MOST_PIXELS = 200
"""Images of more than these are not enlarged."""


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

    def enlarge(self) -> None:
        """A transposed convolution, a resize or a regrouping of channels; large images become no larger."""
        source, shape = self.pick()
        if shape[1] * shape[2] > MOST_PIXELS:
            return
        draw = self.rng.random()
        if draw < 0.5:
            self.transpose_convolve(source, shape, int(self.rng.integers(1, 10)))
        elif draw < 0.8 or shape[3] % 4:
            self.resize(source, shape)
        else:
            self.depth_to_space(source, shape)

    def transpose_convolve(self, source: int, shape: Shape, channels: int) -> None:
        """Any padding; with SAME the output may have fewer rows and columns than stride times the image's."""
        stride, padding = int(self.rng.choice([1, 2, 2, 2, 3])), str(self.rng.choice(["SAME", "VALID"]))
        taps = int(self.rng.choice([max(stride, t) for t in (2, 3, 3, 4, 5)]))
        most = stride if padding == "SAME" else taps
        fewer = int(self.rng.integers(0, stride)) if padding == "SAME" else 0
        rows, columns = ((extent - 1) * stride + most - fewer for extent in shape[1:3])
        out = (1, rows, columns, channels)
        filters = self.rng.integers(-127, 128, (channels, taps, taps, shape[3])).astype(np.int8)
        inputs = [
            self.builder.const(np.array(out, np.int32)),
            self.builder.const(filters, scale=tuple(self.rng.uniform(0.002, 0.01, channels))),
            source,
        ]
        self.emit("TRANSPOSE_CONV", inputs, out, padding=padding, stride_h=stride, stride_w=stride)

    def resize(self, source: int, shape: Shape) -> None:
        """To a few times as many rows and columns, or so."""
        kind = str(self.rng.choice(["RESIZE_NEAREST_NEIGHBOR", "RESIZE_BILINEAR"]))
        factor, more = int(self.rng.choice([2, 2, 2, 3])), int(self.rng.choice([0, 0, 0, 1]))
        size = (shape[1] * factor + more, shape[2] * factor)
        aligned = str(self.rng.choice(["plain", "align_corners", "half_pixel_centers"]))
        out = (1, *size, shape[3])
        made = self.builder.op(
            kind,
            [source, self.builder.const(np.array(size, np.int32))],
            Spec(out, *self.quantization(source)),
            **({aligned: True} if aligned != "plain" else {}),
        )
        self.tensors.append((made, out))

    def depth_to_space(self, source: int, shape: Shape) -> None:
        """Blocks of 2x2."""
        out = (1, 2 * shape[1], 2 * shape[2], shape[3] // 4)
        spec = Spec(out, *self.quantization(source))
        self.tensors.append((self.builder.op("DEPTH_TO_SPACE", [source], spec, block_size=2), out))

    def concatenate(self) -> None:
        """Channels of the last tensor beside those of one with the same rows, columns and quantization, itself perhaps."""
        source, shape = self.tensors[-1]
        others = [
            (handle, other)
            for handle, other in self.tensors
            if other[:3] == shape[:3] and self.quantization(handle) == self.quantization(source)
        ]
        handle, other = others[int(self.rng.integers(len(others)))]
        out = (*shape[:3], shape[3] + other[3])
        spec = Spec(out, *self.quantization(source))
        self.tensors.append((self.builder.op("CONCATENATION", [source, handle], spec, axis=3), out))

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
        elif draw < 0.91:
            net.pool(everything=rng.random() < 0.3)
        elif draw < 0.94:
            net.view()
        elif draw < 0.96:
            net.concatenate()
        else:
            net.enlarge()
    made = [handle for handle, _ in net.tensors[len(inputs) :]]
    outputs = list(dict.fromkeys([made[-1], *(made if rng.random() < 0.1 else []), int(rng.choice(made))]))
    return net.builder.finish(inputs, outputs[: 1 + int(rng.random() < 0.3) + 2 * int(rng.random() < 0.1)])


def random_residual_model(seed: int) -> bytes:
    """A residual block between a first layer and one with stride 2, with channels enough for Winograd's kernels."""
    net = _Net(np.random.default_rng(seed))
    rows, columns = int(net.rng.integers(17, 26)), int(net.rng.integers(8, 20))
    channels = int(net.rng.choice([24, 32]))
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


def random_decoder_model(seed: int) -> bytes:
    """An encoder of two levels and a decoder, with the finer level's channels beside the enlarged ones."""
    net = _Net(np.random.default_rng(seed))
    rng = net.rng
    shape = (1, int(2 * rng.integers(6, 11)), int(2 * rng.integers(5, 12)), int(rng.integers(1, 4)))
    image = net.builder.input(shape, scale=0.5, zero_point=int(rng.integers(-9, 9)))
    net.tensors.append((image, shape))
    net.convolve(image, shape, ("SAME", 3, 1, 1, shape[1:3]), int(rng.choice([8, 12])))
    fine = net.tensors[-1]
    net.convolve(*fine, ("SAME", 3, 2, 1, (shape[1] // 2, shape[2] // 2)), 16)
    coarse, coarse_shape = net.tensors[-1]
    net.convolve(coarse, coarse_shape, ("SAME", 3, 1, 1, coarse_shape[1:3]), 8)
    taps, zero_point = int(rng.choice([2, 3, 4])), net.quantization(fine[0])[2]
    source, coarse_shape = net.tensors[-1]
    filters = rng.integers(-127, 128, (8, taps, taps, 8)).astype(np.int8)
    out = (*shape[:3], 8)
    weights = net.builder.const(filters, scale=tuple(rng.uniform(0.002, 0.01, 8)))
    made = net.builder.op(
        "TRANSPOSE_CONV",
        [net.builder.const(np.array(out, np.int32)), weights, source],
        Spec(out, "int8", 0.5, zero_point),
        padding="SAME",
        stride_h=2,
        stride_w=2,
    )
    both = (*shape[:3], 8 + fine[1][3])
    joined = net.builder.op("CONCATENATION", [made, fine[0]], Spec(both, "int8", 0.5, zero_point), axis=3)
    net.convolve(joined, both, ("SAME", 3, 1, 1, both[1:3]), 4)
    source, last = net.tensors[-1]
    (net.resize if rng.random() < 0.7 else net.depth_to_space)(source, last)
    source, last = net.tensors[-1]
    net.convolve(source, last, ("SAME", 3, 1, 1, last[1:3]), 2)
    return net.builder.finish([image], [net.tensors[-1][0]])
