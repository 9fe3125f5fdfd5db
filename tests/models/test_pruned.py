"""A whole pruned network: exact, and with fewer instructions, cycles and flash the fewer weights are left."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.sparsity import Weights, pruned_weights
from tflite_support.builder import Builder, Spec
from tinycompile.driver.prove import bench_model

pytestmark = [pytest.mark.slow, pytest.mark.qemu, pytest.mark.needs("llvm-mca")]

Shape = tuple[int, ...]
_INPUT_SCALE, _SCALE = 0.05, 0.06


class _Network:
    """A chain of layers with RELU; convolutions and matrices are pruned to `density` percent, depthwise ones are not."""

    def __init__(self, image: Shape, density: int) -> None:
        self.density, self.builder, self.seed = density, Builder(), 0
        self.input = self.last = self.builder.input(image, "int8", _INPUT_SCALE, 0)
        self.shape, self.scale = image, _INPUT_SCALE

    def _add(self, kind: str, weights: Weights, shape: Shape, axis: int = 0, **options: object) -> None:
        units = weights.shape[axis]
        spread = max(float(np.sqrt((weights.astype(np.float64) ** 2).sum() / units)), 1.0)
        scales = [1.5 / spread * (0.9 + 0.2 * unit / units) for unit in range(units)]
        bias = np.random.default_rng(self.seed).integers(-400, 900, units).astype(np.int32)
        w = self.builder.const(weights, scale=scales, axis=axis)
        b = self.builder.const(bias, scale=[self.scale * scale for scale in scales])
        spec = Spec(shape, "int8", _SCALE, -128)
        self.last = self.builder.op(
            kind, [self.last, w, b], spec, fused_activation_function="RELU", **options
        )
        self.shape, self.scale = shape, _SCALE

    def _weights(self, shape: Shape, density: int | None = None) -> Weights:
        self.seed += 1
        return pruned_weights(shape, self.density if density is None else density, (1, 1), self.seed)

    def convolution(self, channels: int, taps: int, stride: int = 1) -> None:
        """A CONV_2D with padding SAME."""
        weights = self._weights((channels, taps, taps, self.shape[3]))
        rows, columns = (-(-extent // stride) for extent in self.shape[1:3])
        shape = (1, rows, columns, channels)
        self._add("CONV_2D", weights, shape, padding="SAME", stride_w=stride, stride_h=stride)

    def depthwise(self) -> None:
        """A DEPTHWISE_CONV_2D of 3x3."""
        weights = self._weights((1, 3, 3, self.shape[3]), 100)
        self._add(
            "DEPTHWISE_CONV_2D",
            weights,
            self.shape,
            3,
            padding="SAME",
            stride_w=1,
            stride_h=1,
            depth_multiplier=1,
        )

    def matrix(self, units: int) -> None:
        """A FULLY_CONNECTED on all that there is."""
        depth = int(np.prod(self.shape))
        self.last = self.builder.op(
            "RESHAPE",
            [self.last, self.builder.const(np.array([1, depth], np.int32))],
            Spec((1, depth), "int8", _SCALE, -128),
            new_shape=[1, depth],
        )
        self._add("FULLY_CONNECTED", self._weights((units, depth)), (1, units))

    def finish(self) -> bytes:
        """The .tflite file."""
        return self.builder.finish([self.input], [self.last])


def _model(density: int) -> bytes:
    network = _Network((1, 24, 20, 4), density)
    network.convolution(24, 3, stride=2)
    network.depthwise()
    network.convolution(48, 1)
    network.convolution(32, 3, stride=2)
    network.depthwise()
    network.convolution(64, 1)
    network.matrix(24)
    return network.finish()


def _bench(density: int, folder: Path) -> dict[str, Any]:
    path = folder / "pruned.tflite"
    path.write_bytes(_model(density))
    result = bench_model(path, layers=True)
    assert result["exact"]
    assert result["estimated_cycles"] == pytest.approx(result["cycles_m7"], rel=0.1)
    return result


def _sparse(result: dict[str, Any]) -> list[dict[str, Any]]:
    return [layer for layer in result["layers"] if "sparse" in layer["kernel"]]


def test_a_pruned_network_takes_less(tmp_path: Path) -> None:
    """All convolutions and the matrix leave out their zeros at 10 %, and less is less in every respect."""
    dense, some, few = (_bench(density, tmp_path) for density in (100, 25, 10))
    assert not _sparse(dense) and len(_sparse(some)) >= 2
    assert [layer["op"] for layer in _sparse(few)] == ["CONV_2D"] * 4 + ["FULLY_CONNECTED"]
    for key in ("instructions", "cycles_m7", "weights_bytes", "macs_executed"):
        assert few[key] < some[key] < dense[key], key
    assert few["cycles_m7"] < dense["cycles_m7"] / 2
    for layer in _sparse(few):
        left = layer["macs_executed"] / layer["macs"]  # less where channels fell away with all their weights
        assert 0.08 < left < 0.101
