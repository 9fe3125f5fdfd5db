"""The values of the intermediate representation: tensors and operators, immutable and fully typed."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


class DType(Enum):
    """Element type of a tensor. The value is the name that reports and error messages use."""

    INT4 = "int4"
    INT8 = "int8"
    UINT8 = "uint8"
    INT16 = "int16"
    UINT16 = "uint16"
    INT32 = "int32"
    UINT32 = "uint32"
    INT64 = "int64"
    UINT64 = "uint64"
    FLOAT32 = "float32"
    BOOL = "bool"
    RESOURCE = "resource"

    @property
    def numpy(self) -> np.dtype[Any]:
        """The numpy type that holds one element (int4 is unpacked to int8, a resource is its handle)."""
        held = {DType.INT4: "int8", DType.RESOURCE: "int32"}
        return np.dtype(held.get(self, self.value))

    @property
    def element_bytes(self) -> int:
        """Bytes of one element in the arena."""
        return self.numpy.itemsize

    @property
    def c_type(self) -> str:
        """The C99 type of one element."""
        names = {DType.FLOAT32: "float", DType.BOOL: "bool", DType.INT4: "int8_t", DType.RESOURCE: "int32_t"}
        return names.get(self, f"{self.value}_t")

    @property
    def is_integer(self) -> bool:
        """True for the types that hold quantized or plain integers."""
        return self not in (DType.FLOAT32, DType.BOOL, DType.RESOURCE)

    @property
    def limits(self) -> tuple[int, int]:
        """Least and greatest value of an integer type."""
        assert self.is_integer, self
        if self is DType.INT4:
            return -8, 7
        info = np.iinfo(self.numpy)
        return int(info.min), int(info.max)


@dataclass(frozen=True)
class Quantization:
    """Affine quantization, real = scale * (quantized - zero_point); one pair, or one pair for each index of `axis`.

    `scales` are the float32 values of the file, widened to double as the TFLite kernels do.
    """

    scales: tuple[float, ...]
    zero_points: tuple[int, ...]
    axis: int | None = None

    @property
    def scale(self) -> float:
        """The scale of a per-tensor quantization."""
        assert len(self.scales) == 1, "per-channel quantization has no single scale"
        return self.scales[0]

    @property
    def zero_point(self) -> int:
        """The zero point of a per-tensor quantization."""
        assert len(set(self.zero_points)) == 1, "per-channel zero points differ"
        return self.zero_points[0]

    @property
    def per_channel(self) -> bool:
        """True when there is more than one scale."""
        return len(self.scales) > 1


@dataclass(frozen=True)
class Part:
    """Some channels of a tensor of the file: its index there, and the indices on its last axis that are left."""

    source: int
    channels: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Tensor:
    """A tensor: an activation, or a constant when `data` is set. Layout is TFLite's, row-major (NHWC for images).

    `source` is the tensor's index in the .tflite file when it still holds that tensor's values, else None. `part` is set
    instead when a pass removed channels: the tensor holds the values of those that are left.
    """

    id: int
    name: str
    shape: tuple[int, ...]
    dtype: DType
    quantization: Quantization | None = None
    data: Array | None = None
    source: int | None = None
    part: Part | None = None

    @property
    def elements(self) -> int:
        """Number of elements; 1 for a scalar."""
        return prod(self.shape)

    @property
    def bytes(self) -> int:
        """Bytes that the tensor takes in the arena."""
        return self.elements * self.dtype.element_bytes

    @property
    def is_constant(self) -> bool:
        """True when the values are known at compile time."""
        return self.data is not None

    @property
    def values(self) -> Array:
        """The values of a constant."""
        assert self.data is not None, f"tensor {self.name!r} is not a constant"
        return self.data

    @property
    def scale(self) -> float:
        """Per-tensor scale; the operator's limits have checked that there is one."""
        assert self.quantization is not None, f"tensor {self.name!r} is not quantized"
        return self.quantization.scale

    @property
    def zero_point(self) -> int:
        """Per-tensor zero point; 0 for a tensor without quantization."""
        return self.quantization.zero_point if self.quantization else 0

    def describe(self) -> str:
        """For messages and comments, such as `int8[1,49,10,1]`."""
        return f"{self.dtype.value}[{','.join(map(str, self.shape))}]"


@dataclass(frozen=True)
class Attributes:
    """Base of the typed options of an operator; each file in `tinycompile.ops` has its own."""


@dataclass(frozen=True)
class Node:
    """One operator of the graph.

    `inputs` may hold None for an optional input that is absent. `source` lists the indices of the .tflite operators that this
    node stands for: one after import, several after fusion; messages, reports and comments in C name them.
    """

    id: int
    kind: str
    name: str
    inputs: tuple[int | None, ...]
    outputs: tuple[int, ...]
    attributes: Attributes = field(default_factory=Attributes)
    source: tuple[int, ...] = ()

    @property
    def place(self) -> str:
        """Where a message says that something is: `#7 CONV_2D "model/conv_3"`."""
        where = ",".join(f"#{index}" for index in self.source) or "(made by a pass)"
        return f'{where} {self.kind} "{self.name}"'


@dataclass(frozen=True, eq=False)
class Variable:
    """A resource variable: what a streaming model keeps between calls, in dataflow form.

    `read` is the tensor that holds the value with which an invoke begins, `assigned` the one that holds the value it leaves; both
    have the shape and type of `initial`. Values in between are ordinary tensors, so the order of reads and writes is in the
    operands of the nodes, and no rewrite can get it wrong.
    """

    name: str
    read: int
    assigned: int
    initial: Array


@dataclass(frozen=True)
class Change:
    """What a pass did at one place and why that is exact; reports print it."""

    step: str
    place: str
    text: str
    channels_removed: int = 0
    macs_removed: int = 0
    weight_bytes_removed: int = 0


Options = Mapping[str, Any]
"""Options of a .tflite operator by snake_case name, as the frontend read them."""
