"""Builds streaming models: operators around variables, each of which has an initial value."""

from collections.abc import Mapping

import numpy as np

from tflite_support.builder import Builder, Spec

QUANTIZATION = (0.5, -3)
QUANTIZATIONS = {"int8": QUANTIZATION, "int16": (0.5, 0), "float32": (None, 0)}


class Streaming:
    """Builds a model with variables. Their initial values are assigned in a subgraph that CALL_ONCE runs."""

    def __init__(self, initial: Mapping[str, np.ndarray]) -> None:
        self.builder = Builder()
        init = self.builder.subgraph("initialise")
        for name, values in initial.items():
            handle = init.op("VAR_HANDLE", [], Spec((), "resource"), shared_name=name)
            init.op("ASSIGN_VARIABLE", [handle, init.const(values, *QUANTIZATIONS[values.dtype.name])], [])
        index = init.close([], [])
        self.builder.op("CALL_ONCE", [], [], init_subgraph_index=index)
        self.shapes = {name: values.shape for name, values in initial.items()}
        self.dtypes = {name: values.dtype.name for name, values in initial.items()}
        self.inputs: list[int] = []

    def input(self, *shape: int, dtype: str = "int8") -> int:
        """An input of the model."""
        self.inputs.append(self.builder.input(shape, dtype, *QUANTIZATIONS[dtype]))
        return self.inputs[-1]

    def read(self, name: str) -> int:
        """The value of a variable here; every use has a handle of its own."""
        spec = Spec(self.shapes[name], self.dtypes[name], *QUANTIZATIONS[self.dtypes[name]])
        return self.builder.op("READ_VARIABLE", [self._handle(name)], spec)

    def assign(self, name: str, value: int) -> None:
        """Assign a tensor to a variable."""
        self.builder.op("ASSIGN_VARIABLE", [self._handle(name), value], [])

    def _handle(self, name: str) -> int:
        return self.builder.op("VAR_HANDLE", [], Spec((), "resource"), shared_name=name)

    def add(self, a: int, b: int, *shape: int) -> int:
        """Quantized addition."""
        return self.builder.op("ADD", [a, b], Spec(shape, "int8", *QUANTIZATION))

    def concat(self, parts: list[int], axis: int, *shape: int, dtype: str = "int8") -> int:
        """Tensors one after the other."""
        return self.builder.op("CONCATENATION", parts, Spec(shape, dtype, *QUANTIZATIONS[dtype]), axis=axis)

    def rows(self, source: int, first: int, end: int, *shape: int, dtype: str = "int8") -> int:
        """Rows `first` to `end` (exclusive) of an NHWC tensor."""
        corners = ([0, first, 0, 0], [shape[0], end, *shape[2:]], [1, 1, 1, 1])
        constants = [self.builder.const(np.array(corner, np.int32)) for corner in corners]
        return self.builder.op(
            "STRIDED_SLICE", [source, *constants], Spec(shape, dtype, *QUANTIZATIONS[dtype])
        )

    def split(self, source: int, axis: int, *specs: Spec) -> tuple[int, ...]:
        """Parts of a tensor."""
        extents = self.builder.const(np.array([spec.shape[axis] for spec in specs], np.int32))
        along = self.builder.const(np.array(axis, np.int32))
        return self.builder.op("SPLIT_V", [source, extents, along], list(specs), num_splits=len(specs))

    def conv(
        self, source: int, kernel: tuple[int, int], channels: tuple[int, int], *shape: int, **options: object
    ) -> int:
        """CONV_2D with random weights, 1 bit of gain left."""
        rng = np.random.default_rng(7)
        inputs, outputs = channels
        weights = rng.integers(-127, 128, (outputs, *kernel, inputs), np.int8)
        scales = (rng.uniform(0.5, 1, outputs) / (40 * np.sqrt(weights[0].size))).astype(np.float32).tolist()
        filters = self.builder.const(weights, scale=scales)
        bias = self.builder.const(
            rng.integers(-999, 999, outputs, np.int32), scale=[QUANTIZATION[0] * s for s in scales]
        )
        given = {"padding": "VALID", "stride_w": 1, "stride_h": 1, **options}
        return self.builder.op(
            "CONV_2D", [source, filters, bias], Spec(shape, "int8", *QUANTIZATION), **given
        )

    def depthwise(self, source: int, rows: int, channels: int, *shape: int) -> int:
        """DEPTHWISE_CONV_2D over rows."""
        rng = np.random.default_rng(8)
        weights = rng.integers(-127, 128, (1, rows, 1, channels), np.int8)
        scales = (rng.uniform(0.5, 1, channels) / (40 * np.sqrt(rows))).astype(np.float32).tolist()
        filters = self.builder.const(weights, scale=scales, axis=3)
        bias = self.builder.const(
            rng.integers(-999, 999, channels, np.int32), scale=[QUANTIZATION[0] * s for s in scales]
        )
        options = {"padding": "VALID", "stride_w": 1, "stride_h": 1, "depth_multiplier": 1}
        return self.builder.op(
            "DEPTHWISE_CONV_2D", [source, filters, bias], Spec(shape, "int8", *QUANTIZATION), **options
        )

    def finish(self, *outputs: int) -> bytes:
        """The bytes of the model."""
        return self.builder.finish(self.inputs, outputs)


def ramp(*shape: int, dtype: str = "int8") -> np.ndarray:
    """Initial values that differ from element to element."""
    return (np.arange(np.prod(shape)) * 37 % 101 - 50).astype(dtype).reshape(shape)
