"""Estimates of pooling, elementwise operators and resizes in assembly: each layer for itself, as none is large in a model."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tflite_support.builder import Builder, Spec
from tinycompile.driver.prove import bench_model

pytestmark = [pytest.mark.slow, pytest.mark.qemu, pytest.mark.needs("llvm-mca")]

_NEAR = 0.10
_SCALE, _ZERO_POINT = 0.03, -3
_IMAGE = (1, 12, 14, 22)


class _Layers:
    """A model whose operators all read inputs of the model, and the kernels that they should get."""

    def __init__(self) -> None:
        self._builder = Builder()
        self._inputs: dict[tuple[object, ...], int] = {}
        self.kernels: dict[int, str] = {}

    def input(self, *shape: int, which: int = 0) -> int:
        if (shape, which) not in self._inputs:
            self._inputs[shape, which] = self._builder.input(shape, "int8", _SCALE, _ZERO_POINT)
        return self._inputs[shape, which]

    def pool(self, kind: str, taps: int, stride: int, activation: str = "NONE") -> None:
        """SAME; the output has the input's quantization."""
        rows, columns = (-(-extent // stride) for extent in _IMAGE[1:3])
        output = Spec((1, rows, columns, _IMAGE[3]), "int8", _SCALE, _ZERO_POINT)
        options = {"filter_height": taps, "filter_width": taps, "stride_h": stride, "stride_w": stride}
        options |= {"padding": "SAME", "fused_activation_function": activation}
        self._append(kind, [self.input(*_IMAGE)], output, "rows_asm", options)

    def element(self, kind: str, other: tuple[int, ...], activation: str) -> None:
        """Of the image and an operand of another shape, or the same."""
        output = Spec(_IMAGE, "int8", 0.05, -20)
        operands = [self.input(*_IMAGE), self.input(*other, which=1)]
        kernel = "lanes_asm" if other == _IMAGE else "channels_asm"
        self._append(kind, operands, output, kernel, {"fused_activation_function": activation})

    def resize(self, factor: int, half_pixels: bool) -> None:
        size = (_IMAGE[1] * factor, _IMAGE[2] * factor)
        wanted = self._builder.const(np.array(size, np.int32))
        output = Spec((1, *size, _IMAGE[3]), "int8", _SCALE, _ZERO_POINT)
        options = {"half_pixel_centers": half_pixels}
        self._append("RESIZE_BILINEAR", [self.input(*_IMAGE), wanted], output, "bilinear_asm", options)

    def _append(
        self, kind: str, operands: list[int], output: Spec, kernel: str, options: dict[str, Any]
    ) -> None:
        self.kernels[self._builder.op(kind, operands, output, **options)] = kernel

    def finish(self) -> bytes:
        return self._builder.finish(list(self._inputs.values()), list(self.kernels))


def test_of_each_layer(tmp_path: Path) -> None:
    """Windows that share columns and others, bounds and none, operands of every shape."""
    layers = _Layers()
    for kind in ("AVERAGE_POOL_2D", "MAX_POOL_2D"):
        for taps, stride in ((2, 2), (3, 1), (3, 2)):
            layers.pool(kind, taps, stride)
        layers.pool(kind, 3, 2, "RELU")
    for kind in ("ADD", "MUL"):
        for other in (_IMAGE, (1, 1, 1, _IMAGE[3]), (1, 1, 1, 1)):
            for activation in ("NONE", "RELU"):
                layers.element(kind, other, activation)
    layers.resize(2, half_pixels=False)
    layers.resize(2, half_pixels=True)
    model = tmp_path / "layers.tflite"
    model.write_bytes(layers.finish())
    measured = {layer["name"]: layer for layer in bench_model(model, layers=True)["layers"]}
    found = {handle: measured[f"t{handle}"] for handle in layers.kernels}
    assert {handle: layer["kernel"] for handle, layer in found.items()} == layers.kernels
    off = {
        (layer["op"], layer["kernel"]): (layer["estimated_cycles"], layer["cycles_m7"])
        for layer in found.values()
        if abs(layer["estimated_cycles"] - layer["cycles_m7"]) > _NEAR * layer["cycles_m7"]
    }
    assert not off, off
