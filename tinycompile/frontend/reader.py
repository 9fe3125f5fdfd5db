"""Reads a .tflite file into plain records, checking every offset. Nothing here knows what an operator means."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar

import numpy as np
import tflite

from tinycompile.errors import ModelError, Problem
from tinycompile.frontend import schema
from tinycompile.frontend.flatbuffer import Checker, FileBytes, Malformed, malformed
from tinycompile.frontend.flexbuffer import flexbuffer_map
from tinycompile.ir import Array

_T = TypeVar("_T")


@dataclass(frozen=True)
class FileQuantization:
    """QuantizationParameters of the schema. Scales are float32 values, widened."""

    scales: tuple[float, ...]
    zero_points: tuple[int, ...]
    axis: int


@dataclass(frozen=True)
class FileTensor:
    """Tensor of the schema."""

    name: str
    shape: tuple[int, ...]
    type_name: str
    buffer: int
    quantization: FileQuantization | None
    is_variable: bool
    is_sparse: bool


@dataclass(frozen=True)
class FileOperator:
    """Operator of the schema: its place in the subgraph, the name of its code, its options by snake_case name."""

    index: int
    kind: str
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    options: Mapping[str, Any]


@dataclass(frozen=True)
class FileSubgraph:
    """SubGraph of the schema."""

    name: str
    tensors: tuple[FileTensor, ...]
    operators: tuple[FileOperator, ...]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]


@dataclass(frozen=True)
class FileModel:
    """Model of the schema: its subgraphs, of which the first is the main one, and the bytes of every buffer."""

    subgraphs: tuple[FileSubgraph, ...]
    buffers: tuple[Array, ...]


def read_file(data: bytes, name: str) -> FileModel:
    """Read the file. Raises ModelError with every problem found; `name` says where in messages."""
    root = _root(data, name)
    reader = _Reader(Checker(FileBytes(data)), name)
    model = reader.model(root)
    if reader.problems:
        raise ModelError(reader.problems)
    assert model is not None
    return model


def _root(data: bytes, name: str) -> Any:
    if not data:
        raise ModelError(Problem(name, "the file is empty", "a .tflite file is needed"))
    if len(data) < 8 or data[4:8] != schema.IDENTIFIER:
        found = f"no identifier {schema.IDENTIFIER.decode()} at byte 4"
        raise ModelError(
            Problem(name, f"not a .tflite file ({found})", action="convert the model to TensorFlow Lite")
        )
    return tflite.Model.GetRootAs(FileBytes(data), 0)


@dataclass
class _Reader:
    """Collects problems place by place, so that one bad tensor does not hide the next."""

    check: Checker
    name: str
    problems: list[Problem] = field(default_factory=list)

    def attempt(self, place: str, read: Callable[[], _T]) -> _T | None:
        """The value, or None after noting why there is none."""
        try:
            with malformed("an offset"):
                return read()
        except Malformed as error:
            where = f"{self.name}: {place}" if place else self.name
            self.problems.append(Problem(where, f"malformed: {error}"))
            return None

    def model(self, root: Any) -> FileModel | None:
        return self.attempt("", partial(self._model, root))

    def _model(self, root: Any) -> FileModel | None:
        version = self.check.scalar(self.check.table(root), "Version")
        if version != schema.SCHEMA_VERSION:
            found = f"schema version {version}"
            self.problems.append(
                Problem(self.name, found, f"only version {schema.SCHEMA_VERSION} is supported")
            )
            return None
        kinds = [self._kind(code) for code in self.check.children(root, "OperatorCodes")]
        buffers = [
            self.attempt(f"buffer {i}", partial(self._buffer, b))
            for i, b in enumerate(self.check.children(root, "Buffers"))
        ]
        subgraphs = [
            self._subgraph(graph, kinds, f"subgraph {i} " if i else "")
            for i, graph in enumerate(self.check.children(root, "Subgraphs"))
        ]
        if not subgraphs:
            raise Malformed("there is no subgraph")
        return FileModel(tuple(subgraphs), tuple(_EMPTY if b is None else b for b in buffers))

    def _kind(self, code: Any) -> str:
        builtin = max(
            self.check.scalar(code, "BuiltinCode"), self.check.scalar(code, "DeprecatedBuiltinCode")
        )
        if builtin == tflite.BuiltinOperator.CUSTOM:
            # not the bare name: a custom operator may be called like a builtin one, and is another operator
            return f"CUSTOM {self.check.text(code, 'CustomCode')}".rstrip()
        return schema.operator_name(builtin)

    def _buffer(self, buffer: Any) -> Array:
        offset, length = self.check.scalar(buffer, "Offset"), self.check.scalar(buffer, "Size")
        if offset > 1:  # the data of large models stands after the FlatBuffer
            if offset + length > len(self.check.data):
                raise Malformed(f"bytes {offset} to {offset + length} lie outside of the file")
            return np.frombuffer(self.check.data, np.uint8, length, offset)
        found = self.check.numbers(buffer, "Data")
        return _EMPTY if found is None else found

    def _subgraph(self, graph: Any, kinds: list[str], place: str) -> FileSubgraph:
        tensors = [
            self.attempt(f"{place}tensor {i}", partial(self._tensor, t))
            for i, t in enumerate(self.check.children(graph, "Tensors"))
        ]
        operators = [
            self.attempt(f"{place}operator #{i}", partial(self._operator, i, o, kinds))
            for i, o in enumerate(self.check.children(graph, "Operators"))
        ]
        # A place that could not be read has noted a problem, and then nobody looks at the records.
        return FileSubgraph(
            self.check.text(graph, "Name"),
            tuple(t for t in tensors if t is not None),
            tuple(o for o in operators if o is not None),
            self._integers(graph, "Inputs"),
            self._integers(graph, "Outputs"),
        )

    def _tensor(self, tensor: Any) -> FileTensor:
        shape = self.check.numbers(tensor, "Shape")
        if shape is not None and shape.size > _MAX_RANK:
            raise Malformed(f"the shape has {shape.size} dimensions, at most {_MAX_RANK} make sense")
        return FileTensor(
            name=self.check.text(tensor, "Name"),
            shape=self._integers(tensor, "Shape"),
            type_name=schema.type_name(self.check.scalar(tensor, "Type")),
            buffer=self.check.scalar(tensor, "Buffer"),
            quantization=self._quantization(self.check.child(tensor, "Quantization")),
            is_variable=self.check.scalar(tensor, "IsVariable"),
            is_sparse=self.check.child(tensor, "Sparsity") is not None,
        )

    def _quantization(self, parameters: Any | None) -> FileQuantization | None:
        if parameters is None:
            return None
        scales = self.check.numbers(parameters, "Scale")
        if scales is None or not scales.size:
            return None
        axis = self.check.scalar(parameters, "QuantizedDimension")
        return FileQuantization(tuple(map(float, scales)), self._integers(parameters, "ZeroPoint"), axis)

    def _operator(self, index: int, operator: Any, kinds: list[str]) -> FileOperator:
        code = self.check.scalar(operator, "OpcodeIndex")
        if code >= len(kinds):
            raise Malformed(f"its operator code {code} does not exist, the file has {len(kinds)}")
        return FileOperator(
            index,
            kinds[code],
            self._integers(operator, "Inputs"),
            self._integers(operator, "Outputs"),
            self._options(operator),
        )

    def _options(self, operator: Any) -> dict[str, Any]:
        options: dict[str, Any] = {}
        for field_name, union in (
            ("BuiltinOptions", tflite.BuiltinOptions),
            ("BuiltinOptions2", tflite.BuiltinOptions2),
        ):
            table_class = schema.options_class(union, self.check.scalar(operator, f"{field_name}Type"))
            if table_class is None:
                continue
            with malformed("its options"):
                union_table = getattr(operator, field_name)()
            if union_table is not None:
                table = table_class()
                table.Init(union_table.Bytes, union_table.Pos)
                options |= schema.with_enum_names(self.check.options(table))
        custom = self.check.numbers(operator, "CustomOptions")
        if custom is not None and custom.size:
            options |= flexbuffer_map(custom.tobytes())
            options["custom_options"] = custom.tobytes()
        return options

    def _integers(self, table: Any, name: str) -> tuple[int, ...]:
        found = self.check.numbers(table, name)
        return () if found is None else tuple(map(int, found.tolist()))


_EMPTY: Array = np.zeros(0, np.uint8)
_MAX_RANK = 8
"""TFLite's kernels take at most 5 or 6 dimensions."""
