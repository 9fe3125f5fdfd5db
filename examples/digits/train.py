"""Makes `digits_int8.tflite` and `digits_samples.npz`: python -m examples.digits.train, from the project's root.

Needs scikit-learn (for its handwritten digits) and tflite-runtime (which measures the accuracy of the int8 model).
"""

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits

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
    backward,
    flatten,
    forward,
    softmax,
)
from examples.digits.quantize import accuracy, quantize
from tflite_support.oracles import Question, ask

_SEED = 7
_EPOCHS = 40
_BATCH = 32
_TEST_IMAGES = 360
_SAMPLES = 20
_SIDE = 16
_SHIFT = 2
_GREATEST_PIXEL = 16.0
_INPUT_SCALE = float(np.float32(_GREATEST_PIXEL / 255))


def build_network(rng: np.random.Generator) -> list[Layer]:
    """Convolution, a depthwise separable block, a residual one, one with stride 2, pooling, classifier."""
    return [
        Convolution(rng, 3, 1, (1, 12)),
        MaxPool(),
        Depthwise(rng, 3, 1, 12),
        Convolution(rng, 1, 1, (12, 24)),
        Residual(Depthwise(rng, 3, 1, 24), Convolution(rng, 1, 1, (24, 24), relu=False)),
        Depthwise(rng, 3, 2, 24),
        Convolution(rng, 1, 1, (24, 32)),
        AveragePool(),
        Flatten(),
        Dense(rng, 128, 10),
    ]


def load_images() -> tuple[Array, np.ndarray]:
    """All digits as float32 [count, 16, 16, 1] with pixels 0..16, and their labels."""
    digits = load_digits()
    matrix = _enlarge_matrix(digits.images.shape[1], _SIDE)
    images = np.einsum("yi,nij,xj->nyx", matrix, digits.images, matrix)
    return images[..., None].astype(np.float32), digits.target


def _enlarge_matrix(old: int, new: int) -> np.ndarray:
    """Bilinear interpolation along one axis, half-pixel centres: [new, old]."""
    centres = (np.arange(new) + 0.5) * old / new - 0.5
    return np.stack([np.interp(centres, np.arange(old), unit) for unit in np.eye(old)], axis=1)


def train(layers: Sequence[Layer], images: Array, labels: np.ndarray, rng: np.random.Generator) -> None:
    """Adam on the cross entropy, with a step that falls to zero; images are shifted a little each time."""
    weighted = [layer for layer in flatten(layers) if layer.parameters]
    first = [[np.zeros_like(p) for p in layer.parameters] for layer in weighted]
    second = [[np.zeros_like(p) for p in layer.parameters] for layer in weighted]
    steps = _EPOCHS * -(-len(images) // _BATCH)
    for step, (x, y) in enumerate(_batches(images, labels, rng), 1):
        grad = softmax(forward(layers, x))
        grad[np.arange(len(y)), y] -= 1
        backward(layers, grad / len(y))
        rate = 0.003 * 0.5 * (1 + np.cos(np.pi * step / steps))
        for layer, m, v in zip(weighted, first, second, strict=True):
            for i, (parameter, g) in enumerate(zip(layer.parameters, layer.gradients, strict=True)):
                m[i] = 0.9 * m[i] + 0.1 * g
                v[i] = 0.999 * v[i] + 0.001 * g * g
                mean, spread = m[i] / (1 - 0.9**step), v[i] / (1 - 0.999**step)
                parameter -= rate * mean / (np.sqrt(spread) + 1e-8)


def _batches(
    images: Array, labels: np.ndarray, rng: np.random.Generator
) -> Iterator[tuple[Array, np.ndarray]]:
    for _ in range(_EPOCHS):
        order = rng.permutation(len(images))
        for start in range(0, len(order), _BATCH):
            chosen = order[start : start + _BATCH]
            yield np.stack([_shifted(image, rng) for image in images[chosen]]), labels[chosen]


def _shifted(image: Array, rng: np.random.Generator) -> Array:
    """The image moved by up to two pixels each way; zeros come in at the border."""
    top, left = rng.integers(0, 2 * _SHIFT + 1, 2)
    padded = np.pad(image, [(_SHIFT, _SHIFT), (_SHIFT, _SHIFT), (0, 0)])
    return padded[top : top + _SIDE, left : left + _SIDE]


def measure_int8(model: bytes, images: Array, labels: np.ndarray) -> float:
    """Accuracy of the .tflite model as tflite-runtime's reference kernels compute it."""
    quantized = np.clip(np.round(images / _INPUT_SCALE) - 128, -128, 127).astype(np.int8)
    answer = ask([Question(model, [[image[None]] for image in quantized])])[0]
    assert answer.refusal is None, answer.refusal
    found = np.array([outputs[0].argmax() for outputs in answer.outputs])
    return float((found == labels).mean())


def main() -> None:
    """Train, quantize, measure, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "-o", "--output", type=Path, default=Path(__file__).parent, help="folder for the two files"
    )
    folder = parser.parse_args().output

    rng = np.random.default_rng(_SEED)
    images, labels = load_images()
    order = rng.permutation(len(images))
    held_out, rest = order[:_TEST_IMAGES], order[_TEST_IMAGES:]
    layers = build_network(rng)
    train(layers, images[rest] / _GREATEST_PIXEL, labels[rest], rng)
    # the model takes pixels as they are: the division moves into the first layer
    layers[0].parameters[0] /= _GREATEST_PIXEL

    model = quantize(layers, images[rest], _INPUT_SCALE)
    print(f"float accuracy {accuracy(layers, images[held_out], labels[held_out]):.1%}")
    print(f"int8 accuracy  {measure_int8(model, images[held_out], labels[held_out]):.1%}")
    print(f"{len(held_out)} held-out images, {len(model):,} bytes")
    (folder / "digits_int8.tflite").write_bytes(model)
    samples = held_out[:_SAMPLES]
    np.savez_compressed(folder / "digits_samples.npz", x=images[samples], y=labels[samples].astype(np.int64))


if __name__ == "__main__":
    main()
