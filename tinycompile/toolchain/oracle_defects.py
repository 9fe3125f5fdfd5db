"""What a reference computes wrongly, or otherwise than the one that we follow: it is not asked for a model that has it."""

from collections.abc import Iterator

import tflite

_PER_CHANNEL_ROWS = "computes FULLY_CONNECTED with weights per channel for outputs of two dimensions only"
"""tflite-runtime 2.14 takes the first two extents of the output for rows and channels (`FullyConnectedPerChannel` in
reference/integer_ops/fully_connected.h); the rest stays 0. TensorFlow Lite Micro and newer versions count all rows."""

_PER_CHANNEL_HYBRID = "gives the bias alone for FULLY_CONNECTED of floats with weights per channel"
"""tflite-runtime 2.14 does not know scales of units there; newer versions of TFLite do. TFLM has no such kernel."""

_WIDE_SUMS = "rounds sums of {} of int16 without a bias of 64 bits otherwise than TFLite"
"""We follow tflite-runtime, which adds them up in 32 bits and rounds twice (docs/numerics.md). TFLM takes 64 bits; TRANSPOSE_CONV
also reads a bias of 32 bits as one of 64."""

_ACTIVATIONS = {tflite.BuiltinOperator.FULLY_CONNECTED: 0, tflite.BuiltinOperator.TRANSPOSE_CONV: 2}
"""Operators that are looked at, and which operand is their activation; the bias is the last one of all."""

_NAMES = {
    tflite.BuiltinOperator.FULLY_CONNECTED: "FULLY_CONNECTED",
    tflite.BuiltinOperator.TRANSPOSE_CONV: "TRANSPOSE_CONV",
}


def defect_of(oracle: str, model: bytes) -> str | None:
    """Why an oracle cannot be trusted with a model, None when nothing is known against it.

    The model is one that the frontend has read.
    """
    find = {"tflite-runtime": _of_tflite_runtime, "tflm": _of_tflm}.get(oracle)
    found = (find(*operator) for operator in _operators(model)) if find is not None else iter(())
    return next((defect for defect in found if defect is not None), None)


def _of_tflite_runtime(kind: int, graph: tflite.SubGraph, operator: tflite.Operator) -> str | None:
    quantization = graph.Tensors(operator.Inputs(1)).Quantization()
    per_channel = quantization is not None and quantization.ScaleLength() > 1
    if kind != tflite.BuiltinOperator.FULLY_CONNECTED or not per_channel:
        return None
    output = graph.Tensors(operator.Outputs(0))
    if output.Type() == tflite.TensorType.FLOAT32:
        return _PER_CHANNEL_HYBRID
    return _PER_CHANNEL_ROWS if output.ShapeLength() != 2 else None


def _of_tflm(kind: int, graph: tflite.SubGraph, operator: tflite.Operator) -> str | None:
    place = _ACTIVATIONS[kind]
    if graph.Tensors(operator.Inputs(place)).Type() != tflite.TensorType.INT16:
        return None
    bias = max(place, 1) + 1
    has_bias = operator.InputsLength() > bias and operator.Inputs(bias) >= 0
    wide = has_bias and graph.Tensors(operator.Inputs(bias)).Type() == tflite.TensorType.INT64
    narrow_matrix = has_bias and kind == tflite.BuiltinOperator.FULLY_CONNECTED
    return None if wide or narrow_matrix else _WIDE_SUMS.format(_NAMES[kind])


def _operators(model: bytes) -> Iterator[tuple[int, tflite.SubGraph, tflite.Operator]]:
    """The operators that are looked at, with their kinds and subgraphs."""
    file = tflite.Model.GetRootAs(model)
    for graph in (file.Subgraphs(i) for i in range(file.SubgraphsLength())):
        for operator in (graph.Operators(i) for i in range(graph.OperatorsLength())):
            code = file.OperatorCodes(operator.OpcodeIndex())
            kind = max(code.BuiltinCode(), code.DeprecatedBuiltinCode())
            if kind in _ACTIVATIONS:
                yield kind, graph, operator
