"""The FlatBuffers side of `tflite_builder`: what a model consists of, and how it becomes bytes."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import flatbuffers
import numpy as np
import tflite

_ALIGNMENT_BYTES = 16  # of constant data, as TFLite's kernels expect
_SCHEMA_VERSION = 3
_LAST_SMALL_OPCODE = 127  # greater codes do not fit the field that old readers know

# Options that are enumerations, by field: their values may be given by name.
_ENUMS = {
    "combiner": tflite.CombinerType,
    "fused_activation_function": tflite.ActivationFunctionType,
    "in_data_type": tflite.TensorType,
    "kernel_type": tflite.LSTMKernelType,
    "mode": tflite.MirrorPadMode,
    "out_data_type": tflite.TensorType,
    "output_type": tflite.TensorType,
    "padding": tflite.Padding,
    "quantized_bias_type": tflite.TensorType,
    "weights_format": tflite.FullyConnectedOptionsWeightsFormat,
}


@dataclass(frozen=True)
class Spec:
    """Shape, type and quantization of a tensor; `scale` None means that it is not quantized.

    Several scales make it per-channel along `axis`; one zero point then stands for all.
    """

    shape: tuple[int, ...]
    dtype: str = "int8"
    scale: float | Sequence[float] | None = None
    zero_point: int | Sequence[int] = 0
    axis: int = 0
    name: str = ""
    is_variable: bool = False


@dataclass(frozen=True)
class Operator:
    """One operator; `code` is an index into the model's codes, `table` the name of its options."""

    code: int
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    table: str | None
    options: dict[str, Any]
    custom_options: bytes | None
    intermediates: tuple[int, ...] = ()


@dataclass
class Subgraph:
    """Tensors (each with the index of its buffer, 0 for none) and operators in order of execution."""

    name: str
    tensors: list[tuple[Spec, int]] = field(default_factory=list)
    operators: list[Operator] = field(default_factory=list)
    inputs: tuple[int, ...] = ()
    outputs: tuple[int, ...] = ()


@dataclass
class Model:
    """All subgraphs with the buffers and operator codes (code, custom name, version) that they share."""

    buffers: list[bytes] = field(default_factory=lambda: [b""])
    codes: list[tuple[int, str, int]] = field(default_factory=list)
    subgraphs: list[Subgraph] = field(default_factory=list)


# Writing: FlatBuffers are built from the leaves up, so each function returns the offset that its caller stores.


def write_model(model: Model, description: str) -> bytes:
    """The bytes of a .tflite file."""
    fb = flatbuffers.Builder(1024)
    text = fb.CreateString(description)
    buffers = _offsets(fb, [_table(fb, "Buffer", data=_bytes(fb, data)) for data in model.buffers])
    codes = _offsets(fb, [_write_code(fb, *code) for code in model.codes])
    graphs = _offsets(fb, [_write_subgraph(fb, graph) for graph in model.subgraphs])
    root = _table(
        fb,
        "Model",
        version=_SCHEMA_VERSION,
        operator_codes=codes,
        subgraphs=graphs,
        description=text,
        buffers=buffers,
    )
    fb.Finish(root, b"TFL3")
    return bytes(fb.Output())


def _write_code(fb: Any, code: int, custom: str, version: int) -> int:
    name = fb.CreateString(custom) if custom else None
    old = min(code, _LAST_SMALL_OPCODE)
    return _table(
        fb,
        "OperatorCode",
        deprecated_builtin_code=old,
        custom_code=name,
        version=version,
        builtin_code=code,
    )


def _write_subgraph(fb: Any, graph: Subgraph) -> int:
    tensors = _offsets(fb, [_write_tensor(fb, i, *tensor) for i, tensor in enumerate(graph.tensors)])
    operators = _offsets(fb, [_write_operator(fb, operator) for operator in graph.operators])
    return _table(
        fb,
        "SubGraph",
        tensors=tensors,
        inputs=_ints(fb, graph.inputs),
        outputs=_ints(fb, graph.outputs),
        operators=operators,
        name=fb.CreateString(graph.name),
    )


def _write_tensor(fb: Any, index: int, spec: Spec, buffer: int) -> int:
    name = fb.CreateString(spec.name or f"t{index}")
    shape = _ints(fb, spec.shape)
    quantization = _write_quantization(fb, spec) if spec.scale is not None else None
    return _table(
        fb,
        "Tensor",
        shape=shape,
        type=_tensor_type(spec.dtype),
        buffer=buffer,
        name=name,
        quantization=quantization,
        is_variable=spec.is_variable,
        has_rank=True,
    )


def _write_quantization(fb: Any, spec: Spec) -> int:
    assert spec.scale is not None
    scales = np.atleast_1d(np.asarray(spec.scale, np.float32))
    zero_points = np.broadcast_to(np.asarray(spec.zero_point, np.int64), scales.shape)
    return _table(
        fb,
        "QuantizationParameters",
        scale=fb.CreateNumpyVector(scales),
        zero_point=fb.CreateNumpyVector(np.ascontiguousarray(zero_points)),
        quantized_dimension=spec.axis,
    )


def _write_operator(fb: Any, operator: Operator) -> int:
    inputs, outputs = _ints(fb, operator.inputs), _ints(fb, operator.outputs)
    custom = _bytes(fb, operator.custom_options) if operator.custom_options is not None else None
    if operator.table is None:
        return _table(
            fb,
            "Operator",
            opcode_index=operator.code,
            inputs=inputs,
            outputs=outputs,
            custom_options=custom,
        )
    fields = {name: _option(fb, name, value) for name, value in operator.options.items()}
    intermediates = _ints(fb, operator.intermediates) if operator.intermediates else None
    return _table(
        fb,
        "Operator",
        opcode_index=operator.code,
        inputs=inputs,
        outputs=outputs,
        intermediates=intermediates,
        builtin_options_type=getattr(tflite.BuiltinOptions, operator.table),
        builtin_options=_table(fb, operator.table, **fields),
    )


def _option(fb: Any, name: str, value: Any) -> Any:
    """The value of an option as its field stores it: a number, or the offset of a vector or string."""
    if name in _ENUMS and isinstance(value, str):
        return _tensor_type(value) if _ENUMS[name] is tflite.TensorType else getattr(_ENUMS[name], value)
    if isinstance(value, str):
        return fb.CreateString(value)
    if isinstance(value, (list, tuple)):
        return _ints(fb, value)
    return value


def _tensor_type(dtype: str) -> int:
    return int(getattr(tflite.TensorType, dtype.upper()))


@cache
def _adders(table: str) -> dict[str, str]:
    """Field of a table, without case and underscores -> the function that stores it."""
    prefix = f"{table}Add"
    return {name.removeprefix(prefix).casefold(): name for name in vars(tflite) if name.startswith(prefix)}


def _table(fb: Any, name: str, /, **fields: Any) -> int:
    """Write a table of the schema; a field of None is left out."""
    adders = _adders(name)
    getattr(tflite, f"{name}Start")(fb)
    for field_name, value in fields.items():
        if value is not None:
            getattr(tflite, adders[field_name.replace("_", "").casefold()])(fb, value)
    return int(getattr(tflite, f"{name}End")(fb))


def _ints(fb: Any, values: Iterable[int]) -> int:
    return int(fb.CreateNumpyVector(np.asarray(list(values), np.int32)))


def _bytes(fb: Any, data: bytes) -> int | None:
    """An aligned vector of bytes; an empty buffer has none, which is how TFLite marks an activation."""
    if not data:
        return None
    fb.Prep(_ALIGNMENT_BYTES, len(data))
    return int(fb.CreateByteVector(data))


def _offsets(fb: Any, offsets: Sequence[int]) -> int:
    fb.StartVector(4, len(offsets), 4)
    for offset in reversed(offsets):
        fb.PrependUOffsetTRelative(offset)
    return int(fb.EndVector())
