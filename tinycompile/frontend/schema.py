"""Numbers of the .tflite schema and their names: operators, element types, options; all from the package `tflite`."""

from functools import cache
from typing import Any

import tflite

from tinycompile.frontend.flatbuffer import Malformed
from tinycompile.ir import DType

SCHEMA_VERSION = 3
IDENTIFIER = b"TFL3"

DTYPES: dict[str, DType] = {dtype.name: dtype for dtype in DType}
"""Element types that the compiler knows, by their name in the schema's TensorType."""

_ENUM_FIELDS: dict[str, Any] = {
    "algorithm": tflite.RngAlgorithm,
    "combiner": tflite.CombinerType,
    "fused_activation_function": tflite.ActivationFunctionType,
    "idx_out_type": tflite.TensorType,
    "in_data_type": tflite.TensorType,
    "kernel_type": tflite.LSTMKernelType,
    "mode": tflite.MirrorPadMode,
    "out_data_type": tflite.TensorType,
    "output_type": tflite.TensorType,
    "out_type": tflite.TensorType,
    "padding": tflite.Padding,
    "quantized_bias_type": tflite.TensorType,
    "type": tflite.LSHProjectionType,
    "weights_format": tflite.FullyConnectedOptionsWeightsFormat,
}
"""Option fields that hold an enum; operators get the name instead of the number."""


@cache
def names_of(enum: Any) -> dict[int, str]:
    """The names of a generated enum class by number."""
    return {
        value: name
        for name, value in vars(enum).items()
        if isinstance(value, int) and not name.startswith("_")
    }


def operator_name(code: int) -> str:
    """Name in BuiltinOperator, or the number of an operator that is newer than our schema."""
    return names_of(tflite.BuiltinOperator).get(code, f"OPERATOR_{code}")


def type_name(code: int) -> str:
    """Name in TensorType, or the number of a type that is newer than our schema."""
    return names_of(tflite.TensorType).get(code, f"type {code}")


def options_class(union: Any, code: int) -> Any | None:
    """The generated class of an options table, from its number in BuiltinOptions or BuiltinOptions2."""
    return getattr(tflite, names_of(union).get(code, ""), None) if code else None


def with_enum_names(options: dict[str, Any]) -> dict[str, Any]:
    """Replace the numbers of enum options by their names."""
    return {name: _enum_name(name, value) for name, value in options.items()}


def _enum_name(field: str, value: Any) -> Any:
    enum = _ENUM_FIELDS.get(field)
    if enum is None or not isinstance(value, int):
        return value
    known = names_of(enum)
    if value not in known:
        raise Malformed(f"option {field} is {value}, the schema knows {', '.join(known.values())}")
    return known[value]
