"""A generated directory as its report.json tells it: ports, memory, layers."""

import json
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinycompile.errors import Problem, ToolError

Array = NDArray[Any]


@dataclass(frozen=True)
class TensorInfo:
    """Type and shape of an input, an output or a layer's result."""

    dtype: str
    shape: tuple[int, ...]
    name: str = ""
    tensor: int | None = None
    """Index in the .tflite file, None when the tensor was made by a pass."""
    channels: tuple[int, ...] | None = None
    """Indices on the last axis of the file's tensor that are left, None: all."""
    scale: float | None = None
    zero_point: int | None = None
    planar: bool = False
    """Its rows lie channel by channel, as int16."""

    @property
    def data_bytes(self) -> int:
        """Bytes of all elements."""
        return prod(self.shape) * np.dtype(self.dtype).itemsize

    def from_planar(self, data: bytes) -> Array:
        """The image out of planar rows: int16, in each row channel by channel, an even number of columns."""
        images, rows, columns, channels = self.shape
        planar = np.frombuffer(data, dtype=np.int16).reshape(images * rows, channels, -1)[:, :, :columns]
        return planar.transpose(0, 2, 1).astype(self.dtype).reshape(self.shape)

    def from_bytes(self, data: bytes) -> Array:
        """The tensor out of its bytes."""
        return np.frombuffer(data, dtype=self.dtype).reshape(self.shape)


@dataclass(frozen=True)
class LayerInfo:
    """A layer of the generated code."""

    index: int
    op: str
    name: str
    outputs: tuple[TensorInfo, ...]


@dataclass(frozen=True)
class Generated:
    """What the tools need to know of a generated directory."""

    directory: Path
    name: str
    inputs: tuple[TensorInfo, ...]
    outputs: tuple[TensorInfo, ...]
    layers: tuple[LayerInfo, ...]
    input_mode: str = "arena"


def read_generated(directory: Path) -> Generated:
    """Read report.json of a generated directory. Raises ToolError when there is none or it lacks something."""
    path = directory / "report.json"
    try:
        report = json.loads(path.read_text(encoding="utf-8"))
        return Generated(
            directory=directory.resolve(),
            name=report["name"],
            inputs=tuple(_tensor(port) for port in report["inputs"]),
            outputs=tuple(_tensor(port) for port in report["outputs"]),
            layers=tuple(_layer(layer) for layer in report["layers"]),
            input_mode=report["options"].get("input", "arena"),
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        found = f"it is not the report of a build ({type(error).__name__}: {error})"
        raise ToolError(Problem(str(path), found, action="build the model again")) from error


def _tensor(entry: dict[str, Any]) -> TensorInfo:
    return TensorInfo(
        dtype=entry["dtype"],
        shape=tuple(entry["shape"]),
        name=entry.get("name", ""),
        tensor=entry.get("tensor"),
        channels=tuple(entry["channels"]) if entry.get("channels") is not None else None,
        scale=entry.get("scale"),
        zero_point=entry.get("zero_point"),
        planar=entry.get("rows") == "planar",
    )


def _layer(entry: dict[str, Any]) -> LayerInfo:
    return LayerInfo(
        entry["index"], entry["op"], entry["name"], tuple(_tensor(output) for output in entry["outputs"])
    )
