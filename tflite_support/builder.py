"""Writes small .tflite models from Python, for tests and for the models that the project owns.

    builder = Builder()
    x = builder.input((1, 8, 8, 3), "int8", scale=0.5, zero_point=-3)
    w = builder.const(weights, scale=(0.1, 0.2), axis=0)
    y = builder.op("CONV_2D", [x, w, bias], Spec((1, 8, 8, 2), "int8", 0.7, 4), padding="SAME", stride_w=1, stride_h=1)
    model = builder.finish([x], [y])

Tensors are named by the handle that the builder returns: the index in their subgraph. Options are the fields of the
operator's options table in the TFLite schema, in snake case; what is left out has the schema's default.
"""

from collections.abc import Iterable, Sequence
from typing import Any, overload

import numpy as np
import tflite

from tflite_support.writer import Model, Operator, Spec, Subgraph, write_model

__all__ = ["Builder", "Spec"]

# Operators whose options table is not called like the operator.
_TABLES = {
    "AVERAGE_POOL_2D": "Pool2DOptions",
    "L2_NORMALIZATION": "L2NormOptions",
    "L2_POOL_2D": "Pool2DOptions",
    "MAXIMUM": "MaximumMinimumOptions",
    "MAX_POOL_2D": "Pool2DOptions",
    "MEAN": "ReducerOptions",
    "MINIMUM": "MaximumMinimumOptions",
    "REDUCE_ALL": "ReducerOptions",
    "REDUCE_ANY": "ReducerOptions",
    "REDUCE_MAX": "ReducerOptions",
    "REDUCE_MIN": "ReducerOptions",
    "REDUCE_PROD": "ReducerOptions",
    "SUM": "ReducerOptions",
}

# First version of an operator that takes a type, where it is not 2 for int8, 3 for int16, 1 for the others.
_VERSIONS = {
    ("CONV_2D", "int8"): 3,
    ("CONV_2D", "int16"): 4,
    ("DEPTHWISE_CONV_2D", "int8"): 3,
    ("DEPTHWISE_CONV_2D", "int16"): 5,
    ("EXPAND_DIMS", "int8"): 1,
    ("EXPAND_DIMS", "int16"): 1,
    ("FULLY_CONNECTED", "int8"): 4,
    ("FULLY_CONNECTED", "int16"): 7,
    ("MUL", "int16"): 4,
    ("QUANTIZE", "int8"): 1,
    ("QUANTIZE", "int16"): 2,
    ("RESHAPE", "int8"): 1,
    ("RESHAPE", "int16"): 1,
    ("SQUEEZE", "int8"): 1,
    ("SQUEEZE", "int16"): 1,
    ("SUB", "int16"): 5,
    ("TRANSPOSE", "int16"): 4,
}
_VERSION_OF_TYPE = {"int8": 2, "int16": 3}


class Builder:
    """Collects tensors and operators of one subgraph; `finish` on the first one writes the whole model."""

    def __init__(self, name: str = "main", parent: "Builder | None" = None) -> None:
        self._model: Model = parent._model if parent else Model()
        self._graph = Subgraph(name)
        self._model.subgraphs.append(self._graph)

    def input(
        self,
        shape: Iterable[int],
        dtype: str = "int8",
        scale: float | None = None,
        zero_point: int = 0,
        name: str = "",
    ) -> int:
        """A tensor that the caller of the model (or of the subgraph) fills."""
        return self.tensor(Spec(tuple(shape), dtype, scale, zero_point, name=name))

    def const(
        self,
        values: Any,
        scale: float | Sequence[float] | None = None,
        zero_point: int | Sequence[int] = 0,
        axis: int = 0,
        dtype: str | None = None,
        name: str = "",
    ) -> int:
        """A constant; `dtype` defaults to the array's type, and "int4" packs two values into a byte."""
        array = np.asarray(values)
        dtype = dtype or array.dtype.name
        data = _pack_int4(array) if dtype == "int4" else array.astype(dtype).tobytes()
        self._model.buffers.append(data)
        spec = Spec(array.shape, dtype, scale, zero_point, axis, name)
        return self.tensor(spec, len(self._model.buffers) - 1)

    def tensor(self, spec: Spec, buffer: int = 0) -> int:
        """A tensor that no operator has produced yet: an input, a variable, a constant with its buffer."""
        self._graph.tensors.append((spec, buffer))
        return len(self._graph.tensors) - 1

    @overload
    def op(
        self,
        kind: str,
        inputs: Sequence[int | None],
        outputs: Spec,
        *,
        version: int | None = None,
        custom_options: bytes | None = None,
        intermediates: Sequence[Spec] = (),
        **options: Any,
    ) -> int: ...

    @overload
    def op(
        self,
        kind: str,
        inputs: Sequence[int | None],
        outputs: Sequence[Spec],
        *,
        version: int | None = None,
        custom_options: bytes | None = None,
        intermediates: Sequence[Spec] = (),
        **options: Any,
    ) -> tuple[int, ...]: ...

    def op(
        self,
        kind: str,
        inputs: Sequence[int | None],
        outputs: Spec | Sequence[Spec],
        *,
        version: int | None = None,
        custom_options: bytes | None = None,
        intermediates: Sequence[Spec] = (),
        **options: Any,
    ) -> int | tuple[int, ...]:
        """An operator; an input of None is absent. A `kind` that is not in the schema is a custom operator.

        `intermediates` are tensors that the operator has for itself; some tell it scales. Returns the handle of its output, or of
        its outputs where several were given. `version` defaults to the first version that takes the type of the first input (of
        the first output where that is quantized and the input is not).
        """
        specs = (outputs,) if isinstance(outputs, Spec) else tuple(outputs)
        given = tuple(-1 if index is None else index for index in inputs)
        is_custom = not hasattr(tflite.BuiltinOperator, kind)
        typed = [self._graph.tensors[given[0]][0]] if given and given[0] >= 0 else specs
        version = version or (1 if is_custom or not typed else _version(kind, typed[0].dtype))
        handles = tuple(self.tensor(spec) for spec in specs)
        inner = tuple(self.tensor(spec) for spec in intermediates)
        table = None if is_custom else _options_table(kind)
        assert table or not options, f"{kind} has no options in the schema"
        self._graph.operators.append(
            Operator(self._code(kind, version), given, handles, table, options, custom_options, inner)
        )
        return handles[0] if isinstance(outputs, Spec) else handles

    def subgraph(self, name: str) -> "Builder":
        """A further subgraph of the same model, for IF, WHILE and CALL_ONCE; `close` it before `finish`."""
        return Builder(name, self)

    def close(self, inputs: Sequence[int], outputs: Sequence[int]) -> int:
        """Set inputs and outputs of this subgraph; returns its index, which control operators take."""
        self._graph.inputs, self._graph.outputs = tuple(inputs), tuple(outputs)
        return next(i for i, graph in enumerate(self._model.subgraphs) if graph is self._graph)

    def finish(self, inputs: Sequence[int], outputs: Sequence[int], description: str = "") -> bytes:
        """The bytes of the .tflite file; this builder's subgraph is the model's main one."""
        assert self.close(inputs, outputs) == 0, "finish is for the first subgraph"
        return write_model(self._model, description)

    def _code(self, kind: str, version: int) -> int:
        if hasattr(tflite.BuiltinOperator, kind):
            code = (getattr(tflite.BuiltinOperator, kind), "", version)
        else:
            code = (tflite.BuiltinOperator.CUSTOM, kind, version)
        if code not in self._model.codes:
            self._model.codes.append(code)
        return self._model.codes.index(code)


def _version(kind: str, dtype: str) -> int:
    return _VERSIONS.get((kind, dtype), _VERSION_OF_TYPE.get(dtype, 1))


def _options_table(kind: str) -> str | None:
    """Name of the options table of a builtin operator; None where the schema has none."""
    if kind in _TABLES:
        return _TABLES[kind]
    wanted = kind.replace("_", "").casefold() + "options"
    return next((name for name in vars(tflite.BuiltinOptions) if name.casefold() == wanted), None)


def _pack_int4(values: "np.ndarray[Any, Any]") -> bytes:
    """Two values a byte, the first in the low half; the last half byte is zero when the count is odd."""
    halves = np.append(values.astype(np.int8).ravel(), np.zeros(values.size % 2, np.int8)) & 0x0F
    return bytes((halves[0::2] | (halves[1::2] << 4)).astype(np.uint8))
