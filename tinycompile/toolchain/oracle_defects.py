"""What a reference is known to compute wrongly, so that it is not asked for a model that has it."""

from collections.abc import Iterator

import tflite

_PER_CHANNEL_ROWS = "computes FULLY_CONNECTED with weights per channel for outputs of two dimensions only"
"""tflite-runtime 2.14 takes the first two extents of the output for rows and channels (`FullyConnectedPerChannel` in
reference/integer_ops/fully_connected.h); the rest stays 0. TensorFlow Lite Micro and newer versions count all rows."""

_PER_CHANNEL_HYBRID = "gives the bias alone for FULLY_CONNECTED of floats with weights per channel"
"""tflite-runtime 2.14 does not know scales of units there; newer versions of TFLite do. TFLM has no such kernel."""


def defect_of(oracle: str, model: bytes) -> str | None:
    """Why an oracle cannot be trusted with a model, None when nothing is known against it.

    The model is one that the frontend has read.
    """
    if oracle != "tflite-runtime":
        return None
    for output in _per_channel_products(model):
        if output.Type() == tflite.TensorType.FLOAT32:
            return _PER_CHANNEL_HYBRID
        if output.ShapeLength() != 2:
            return _PER_CHANNEL_ROWS
    return None


def _per_channel_products(model: bytes) -> Iterator[tflite.Tensor]:
    """Outputs of the FULLY_CONNECTED whose weights have a scale for each channel."""
    file = tflite.Model.GetRootAs(model)
    for graph in (file.Subgraphs(i) for i in range(file.SubgraphsLength())):
        for operator in (graph.Operators(i) for i in range(graph.OperatorsLength())):
            code = file.OperatorCodes(operator.OpcodeIndex())
            if (
                max(code.BuiltinCode(), code.DeprecatedBuiltinCode())
                != tflite.BuiltinOperator.FULLY_CONNECTED
            ):
                continue
            quantization = graph.Tensors(operator.Inputs(1)).Quantization()
            if quantization is not None and quantization.ScaleLength() > 1:
                yield graph.Tensors(operator.Outputs(0))
