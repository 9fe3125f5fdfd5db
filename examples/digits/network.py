"""A small convolutional network in plain numpy: layers that compute forward, and backward for training.

Images are NHWC. A layer keeps what its `backward` needs from the last `forward`; `parameters` and `gradients` are lists of
the same length, so that an optimizer needs to know nothing else.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]


class Layer:
    """A step of the network without parameters unless it sets some."""

    def __init__(self) -> None:
        self.parameters: list[Array] = []
        self.gradients: list[Array] = []

    def forward(self, x: Array) -> Array:
        """The outputs for a batch."""
        raise AssertionError(type(self))

    def backward(self, grad: Array) -> Array:
        """Gradient of the loss by the inputs, from that by the outputs; stores that by the parameters."""
        raise AssertionError(type(self))


class Window(Layer):
    """A square window that moves over a zero-padded image (padding SAME, as TFLite places it)."""

    def __init__(self, kernel: int, stride: int) -> None:
        super().__init__()
        self.kernel, self.stride = kernel, stride
        self._padded_shape: tuple[int, ...] = ()
        self._pad: tuple[int, int] = (0, 0)

    def patches(self, x: Array) -> Array:
        """The windows: [batch, height, width, kernel, kernel, channels]."""
        size = x.shape[1]
        total = max((-(-size // self.stride) - 1) * self.stride + self.kernel - size, 0)
        self._pad = (total // 2, total - total // 2)
        padded = np.pad(x, [(0, 0), self._pad, self._pad, (0, 0)])
        self._padded_shape = padded.shape
        windows = np.lib.stride_tricks.sliding_window_view(padded, (self.kernel, self.kernel), axis=(1, 2))
        return windows[:, :: self.stride, :: self.stride].transpose(0, 1, 2, 4, 5, 3)

    def scatter(self, grad: Array) -> Array:
        """Gradient by the image from the gradient by its windows."""
        _, height, width = grad.shape[:3]
        image = np.zeros(self._padded_shape, np.float32)
        for i in range(self.kernel):
            for j in range(self.kernel):
                rows = slice(i, i + height * self.stride, self.stride)
                columns = slice(j, j + width * self.stride, self.stride)
                image[:, rows, columns] += grad[:, :, :, i, j]
        (top, bottom), size = self._pad, image.shape[1]
        return image[:, top : size - bottom, top : size - bottom]


class Convolution(Window):
    """CONV_2D with bias and optional ReLU; weights [out, kernel, kernel, in]."""

    def __init__(
        self, rng: np.random.Generator, kernel: int, stride: int, channels: tuple[int, int], relu: bool = True
    ) -> None:
        super().__init__(kernel, stride)
        fan_in = kernel * kernel * channels[0]
        shape = (channels[1], kernel, kernel, channels[0])
        self.weights = _initial(rng, shape, fan_in)
        self.bias = np.zeros(channels[1], np.float32)
        self.relu = relu
        self.parameters = [self.weights, self.bias]

    def forward(self, x: Array) -> Array:
        patches = self.patches(x)
        self._columns = patches.reshape(*patches.shape[:3], -1)
        y = self._columns @ self.weights.reshape(len(self.weights), -1).T + self.bias
        self._mask = y > 0 if self.relu else np.ones_like(y, bool)
        return y * self._mask

    def backward(self, grad: Array) -> Array:
        grad = grad * self._mask
        flat, columns = grad.reshape(-1, grad.shape[-1]), self._columns.reshape(-1, self._columns.shape[-1])
        self.gradients = [(flat.T @ columns).reshape(self.weights.shape), flat.sum(0)]
        by_patch = grad @ self.weights.reshape(len(self.weights), -1)
        return self.scatter(by_patch.reshape(*grad.shape[:3], *self.weights.shape[1:]))


class Depthwise(Window):
    """DEPTHWISE_CONV_2D with bias and ReLU; weights [kernel, kernel, channels]."""

    def __init__(self, rng: np.random.Generator, kernel: int, stride: int, channels: int) -> None:
        super().__init__(kernel, stride)
        self.weights = _initial(rng, (kernel, kernel, channels), kernel * kernel)
        self.bias = np.zeros(channels, np.float32)
        self.parameters = [self.weights, self.bias]

    def forward(self, x: Array) -> Array:
        self._patches = self.patches(x)
        y = np.einsum("bhwijc,ijc->bhwc", self._patches, self.weights) + self.bias
        self._mask = y > 0
        return y * self._mask

    def backward(self, grad: Array) -> Array:
        grad = grad * self._mask
        self.gradients = [np.einsum("bhwijc,bhwc->ijc", self._patches, grad), grad.sum((0, 1, 2))]
        return self.scatter(grad[:, :, :, None, None] * self.weights)


class MaxPool(Layer):
    """MAX_POOL_2D over 2x2 without overlap."""

    def forward(self, x: Array) -> Array:
        blocks = _blocks(x)
        y = blocks.max(axis=(2, 4), keepdims=True)
        self._mask = blocks == y
        return y[:, :, 0, :, 0]

    def backward(self, grad: Array) -> Array:
        return _unblocks(self._mask * grad[:, :, None, :, None])


class AveragePool(Layer):
    """AVERAGE_POOL_2D over 2x2 without overlap."""

    def forward(self, x: Array) -> Array:
        return _blocks(x).mean(axis=(2, 4))

    def backward(self, grad: Array) -> Array:
        batch, height, width, channels = grad.shape
        spread = np.broadcast_to(grad[:, :, None, :, None] / 4, (batch, height, 2, width, 2, channels))
        return _unblocks(spread)


class Residual(Layer):
    """ADD of the input to what the layers inside make of it."""

    def __init__(self, *layers: Layer) -> None:
        super().__init__()
        self.layers = layers

    def forward(self, x: Array) -> Array:
        return x + forward(self.layers, x)

    def backward(self, grad: Array) -> Array:
        return grad + backward(self.layers, grad)


class Flatten(Layer):
    """RESHAPE of images to vectors."""

    def forward(self, x: Array) -> Array:
        self._shape = x.shape
        return x.reshape(len(x), -1)

    def backward(self, grad: Array) -> Array:
        return grad.reshape(self._shape)


class Dense(Layer):
    """FULLY_CONNECTED with bias; weights [out, in]."""

    def __init__(self, rng: np.random.Generator, inputs: int, outputs: int) -> None:
        super().__init__()
        self.weights = _initial(rng, (outputs, inputs), inputs)
        self.bias = np.zeros(outputs, np.float32)
        self.parameters = [self.weights, self.bias]

    def forward(self, x: Array) -> Array:
        self._x = x
        return x @ self.weights.T + self.bias

    def backward(self, grad: Array) -> Array:
        self.gradients = [grad.T @ self._x, grad.sum(0)]
        return grad @ self.weights


def forward(layers: Sequence[Layer], x: Array) -> Array:
    """Outputs of the last layer."""
    for layer in layers:
        x = layer.forward(x)
    return x


def backward(layers: Sequence[Layer], grad: Array) -> Array:
    """Gradient by the input of the first layer; every layer stores that by its parameters."""
    for layer in reversed(layers):
        grad = layer.backward(grad)
    return grad


def flatten(layers: Sequence[Layer]) -> Iterator[Layer]:
    """All layers, those inside a residual too."""
    for layer in layers:
        yield layer
        if isinstance(layer, Residual):
            yield from flatten(layer.layers)


def softmax(logits: Array) -> Array:
    """Probabilities along the last axis."""
    exponentials = np.exp(logits - logits.max(-1, keepdims=True))
    return exponentials / exponentials.sum(-1, keepdims=True)


def _initial(rng: np.random.Generator, shape: tuple[int, ...], fan_in: int) -> Array:
    """He's initialization: keeps the variance through layers with ReLU."""
    return rng.normal(0, np.sqrt(2 / fan_in), shape).astype(np.float32)


def _blocks(x: Array) -> Array:
    batch, height, width, channels = x.shape
    return x.reshape(batch, height // 2, 2, width // 2, 2, channels)


def _unblocks(blocks: NDArray[Any]) -> Array:
    batch, height, _, width, _, channels = blocks.shape
    return blocks.reshape(batch, height * 2, width * 2, channels).astype(np.float32)
