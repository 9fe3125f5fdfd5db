"""What a reference is known to compute wrongly, so that it is not asked for a model that has it."""

from collections.abc import Iterator

import tflite

_PER_CHANNEL_ROWS = "computes FULLY_CONNECTED with weights per channel for outputs of two dimensions only"
"""tflite-runtime 2.14 takes the first two extents of the output for rows and channels (`FullyConnectedPerChannel` in
reference/integer_ops/fully_connected.h); the rest stays 0. TensorFlow Lite Micro and newer versions count all rows."""


def defect_of(oracle: str, model: bytes) -> str | None:
    """Why an oracle cannot be trusted with a model, None when nothing is known against it.

    The model is one that the frontend has read.
    """
    if oracle == "tflite-runtime" and any(_has_per_channel_rows(*each) for each in _operators(model)):
        return _PER_CHANNEL_ROWS
    return None


def _operators(model: bytes) -> Iterator[tuple[int, tflite.Operator, tflite.SubGraph]]:
    """Builtin code, operator and graph of every operator of the file."""
    file = tflite.Model.GetRootAs(model)
    for graph in (file.Subgraphs(i) for i in range(file.SubgraphsLength())):
        for operator in (graph.Operators(i) for i in range(graph.OperatorsLength())):
            code = file.OperatorCodes(operator.OpcodeIndex())
            yield max(code.BuiltinCode(), code.DeprecatedBuiltinCode()), operator, graph


def _has_per_channel_rows(code: int, operator: tflite.Operator, graph: tflite.SubGraph) -> bool:
    if code != tflite.BuiltinOperator.FULLY_CONNECTED:
        return False
    quantization = graph.Tensors(operator.Inputs(1)).Quantization()
    per_channel = quantization is not None and quantization.ScaleLength() > 1
    return per_channel and graph.Tensors(operator.Outputs(0)).ShapeLength() != 2
