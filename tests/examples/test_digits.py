"""The model that the project owns: its training code is right, and the committed files belong together."""

from pathlib import Path

import numpy as np
import pytest

from examples.digits.network import (
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
)
from tflite_support.oracles import Question, ask

_INPUT_SCALE = 16 / 255


def test_committed_model_classifies_the_committed_samples(digits_model: Path) -> None:
    with np.load(digits_model.with_name("digits_samples.npz")) as samples:
        images, labels = samples["x"], samples["y"]
    assert (images.shape, images.dtype, labels.shape) == ((20, 16, 16, 1), np.float32, (20,))
    assert images.min() >= 0 and 15 < images.max() <= 16
    quantized = np.clip(np.round(images / _INPUT_SCALE) - 128, -128, 127).astype(np.int8)
    answer = ask([Question(digits_model.read_bytes(), [[image[None]] for image in quantized])])[0]
    assert answer.refusal is None
    found = np.array([outputs[0].argmax() for outputs in answer.outputs])
    assert (found == labels).sum() >= 19


def _layers(rng: np.random.Generator) -> list[Layer]:
    return [
        Convolution(rng, 3, 2, (2, 4)),
        Residual(Depthwise(rng, 3, 1, 4), Convolution(rng, 1, 1, (4, 4), relu=False)),
        MaxPool(),
        AveragePool(),
        Flatten(),
        Dense(rng, 4, 3),
    ]


@pytest.mark.parametrize("seed", [1, 2])
def test_gradients_are_differences_of_the_loss(seed: int) -> None:
    """Derivative of a weighted sum of the outputs, by every layer's parameters and by the input."""
    rng = np.random.default_rng(seed)
    layers = _layers(rng)
    x = rng.normal(size=(2, 8, 8, 2))
    for layer in flatten(layers):
        for parameter in layer.parameters:
            parameter += rng.normal(0, 0.1, parameter.shape).astype(np.float32)
    weights = rng.normal(size=(2, 3))
    forward(layers, x)
    by_input = backward(layers, weights)
    pairs = [(x, by_input)]
    for layer in flatten(layers):
        pairs += zip(layer.parameters, layer.gradients, strict=True)
    for values, gradient in pairs:
        place = tuple(int(rng.integers(n)) for n in values.shape)
        kept, step = values[place], 1e-3
        losses = []
        for sign in (1, -1):
            values[place] = kept + sign * step
            losses.append((forward(layers, x) * weights).sum())
        values[place] = kept
        assert (losses[0] - losses[1]) / (2 * step) == pytest.approx(gradient[place], rel=2e-2, abs=2e-3)
