"""Between a model with float inputs and outputs and generated code that exchanges integers (`--io quantized`).

An integer stands for (q - zero point) * scale in float32; the reference's QUANTIZE of that real is q again, and its DEQUANTIZE of
a result is the same product. So nothing is lost in either direction, and outputs are still compared byte for byte.
"""

from collections.abc import Sequence

import numpy as np
import tflite

from tinycompile.toolchain.generated import Array, Generated, TensorInfo
from tinycompile.toolchain.harness import Sample


def as_the_model_takes_them(
    generated: Generated, model: bytes, samples: Sequence[Sample]
) -> tuple[Sample, ...]:
    """Samples of the generated code as inputs of the model."""
    graph = tflite.Model.GetRootAs(model).Subgraphs(0)
    floats = [
        graph.Tensors(graph.Inputs(i)).Type() == tflite.TensorType.FLOAT32
        for i in range(graph.InputsLength())
    ]
    return tuple(
        tuple(
            _reals(info, array) if is_float and array.dtype.kind != "f" else array
            for info, is_float, array in zip(generated.inputs, floats, sample, strict=True)
        )
        for sample in samples
    )


def as_the_model_gives_them(generated: Generated, expected: Sample, outputs: Sample) -> Sample:
    """Outputs of the generated code in the types of the model's outputs."""
    return tuple(
        _reals(info, array) if reference.dtype.kind == "f" and array.dtype.kind != "f" else array
        for info, reference, array in zip(generated.outputs, expected, outputs, strict=True)
    )


def _reals(info: TensorInfo, array: Array) -> Array:
    assert info.scale is not None, f"port {info.name!r} has no scale"
    reals: Array = (array.astype(np.float32) - np.float32(info.zero_point or 0)) * np.float32(info.scale)
    return reals
