"""What the front end reads from sound files: structure, options, values, quantization."""

import flatbuffers
import numpy as np
import pytest
import tflite

from tests.frontend.models import chain_model, convolution_model
from tflite_support.builder import Builder, Spec
from tinycompile.frontend import read_model
from tinycompile.ir import DType, Graph
from tinycompile.ops._convolution import ConvolutionAttributes
from tinycompile.ops._window import PaddingMode
from tinycompile.quant import Activation


def _constant(values: np.ndarray, dtype: str | None = None, **quantization: object) -> np.ndarray:
    """The values of a constant after it went through a file."""
    builder = Builder()
    x = builder.input((1, 4), "int8", 0.5)
    extra = builder.const(values, dtype=dtype, name="values", **quantization)
    y = builder.op("RESHAPE", [x, builder.const(np.array([4], np.int32))], Spec((4,), "int8", 0.5))
    graph = read_model(builder.finish([x], [y, extra]), "m")
    return graph.tensors[extra].values


def test_structure_and_names() -> None:
    graph = read_model(chain_model(), "chain")
    assert graph.name == "chain"
    assert [node.kind for node in graph.nodes] == ["CONV_2D", "RESHAPE", "FULLY_CONNECTED"]
    assert [node.source for node in graph.nodes] == [(0,), (1,), (2,)]
    assert graph.nodes[2].inputs[2] is None
    assert graph.nodes[2].name == "scores"
    assert graph.inputs == (0,)
    assert graph.tensors[graph.outputs[0]].describe() == "int8[1,5]"
    assert all(tensor.source == key for key, tensor in graph.tensors.items())


def test_options_arrive_by_name() -> None:
    attributes = read_model(convolution_model(), "m").nodes[0].attributes
    assert isinstance(attributes, ConvolutionAttributes)
    assert attributes.window.padding is PaddingMode.SAME
    assert (attributes.window.stride_rows, attributes.window.stride_columns) == (2, 2)
    assert attributes.activation is Activation.RELU6


def test_scales_are_widened_float32() -> None:
    graph = read_model(convolution_model(), "m")
    filters = graph.operands(graph.nodes[0])[1]
    assert filters is not None and filters.quantization is not None
    assert filters.quantization.scales == tuple(float(np.float32(s)) for s in (0.01, 0.02, 0.03, 0.04))
    assert filters.quantization.axis == 0
    assert filters.quantization.zero_points == (0, 0, 0, 0)


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int16", "int32", "int64", "float32", "bool"])
def test_constants_keep_type_and_values(dtype: str) -> None:
    values = np.array([[0, 1, 2], [100, 50, 127]]).astype(dtype)
    found = _constant(values)
    assert found.dtype == values.dtype
    np.testing.assert_array_equal(found, values)
    assert not found.flags.writeable


@pytest.mark.parametrize("count", [1, 4, 5])
def test_int4_is_unpacked(count: int) -> None:
    values = np.array([-8, 7, -1, 0, 3][:count], np.int8)
    np.testing.assert_array_equal(_constant(values, "int4", scale=0.5), values)


def test_wrong_axis_of_weights_is_the_channel_axis() -> None:
    """person_detect has quantized_dimension 3 where the kernels take 0; TFLM runs it."""
    builder = Builder()
    x = builder.input((1, 2, 2, 4), "int8", 0.5)
    scales = (0.1, 0.2, 0.3, 0.4)
    w = builder.const(np.ones((4, 1, 1, 4), np.int8), scale=scales, axis=3)
    b = builder.const(np.ones(4, np.int32), scale=scales, axis=3)
    y = builder.op("CONV_2D", [x, w, b], Spec((1, 2, 2, 4), "int8", 1.0), stride_w=1, stride_h=1)
    graph = read_model(builder.finish([x], [y]), "m")
    axes = [graph.tensors[t].quantization.axis for t in (w, b)]  # type: ignore[union-attr]
    assert axes == [0, 0]


def test_tensors_that_nobody_names_do_not_matter() -> None:
    builder = Builder()
    x = builder.input((1, 4), "int8", 0.5)
    builder.tensor(Spec((-1, -1), "float16"))
    y = builder.op("RESHAPE", [x, builder.const(np.array([4], np.int32))], Spec((4,), "int8", 0.5))
    graph = read_model(builder.finish([x], [y]), "m")
    assert len(graph.tensors) == 3


def test_large_models_keep_buffers_behind_the_flatbuffer() -> None:
    payload = np.arange(-3, 5, dtype=np.int32)
    graph = _read_with_appended_buffer(payload)
    found = next(t for t in graph.tensors.values() if t.is_constant)
    assert found.dtype is DType.INT32
    np.testing.assert_array_equal(found.values, payload)


def _read_with_appended_buffer(payload: np.ndarray) -> Graph:
    """A model whose only constant is given by `offset` and `size`; both are patched when the length is known."""
    placeholder = 0x7777_7777
    raw = _appended_model(placeholder, payload.nbytes)
    position = raw.index(placeholder.to_bytes(8, "little"))
    raw = raw[:position] + len(raw).to_bytes(8, "little") + raw[position + 8 :]
    return read_model(raw + payload.tobytes(), "m")


def _appended_model(offset: int, length_bytes: int) -> bytes:
    fb = flatbuffers.Builder(0)
    tflite.BufferStart(fb)
    tflite.BufferAddOffset(fb, offset)
    tflite.BufferAddSize(fb, length_bytes)
    appended = tflite.BufferEnd(fb)
    tflite.BufferStart(fb)
    empty = tflite.BufferEnd(fb)
    buffers = _vector(fb, tflite.ModelStartBuffersVector, [empty, appended])

    tensors = [_tensor(fb, (4, 2), 0), _tensor(fb, (8,), 0), _tensor(fb, (8,), 1)]
    tensors_vector = _vector(fb, tflite.SubGraphStartTensorsVector, tensors)
    operands, results = fb.CreateNumpyVector(np.array([0, 2], np.int32)), fb.CreateNumpyVector(np.int32([1]))
    tflite.OperatorStart(fb)
    tflite.OperatorAddInputs(fb, operands)
    tflite.OperatorAddOutputs(fb, results)
    operators = _vector(fb, tflite.SubGraphStartOperatorsVector, [tflite.OperatorEnd(fb)])
    inputs, outputs = fb.CreateNumpyVector(np.int32([0])), fb.CreateNumpyVector(np.int32([1]))
    tflite.SubGraphStart(fb)
    tflite.SubGraphAddTensors(fb, tensors_vector)
    tflite.SubGraphAddOperators(fb, operators)
    tflite.SubGraphAddInputs(fb, inputs)
    tflite.SubGraphAddOutputs(fb, outputs)
    subgraphs = _vector(fb, tflite.ModelStartSubgraphsVector, [tflite.SubGraphEnd(fb)])

    tflite.OperatorCodeStart(fb)
    tflite.OperatorCodeAddDeprecatedBuiltinCode(fb, tflite.BuiltinOperator.RESHAPE)
    codes = _vector(fb, tflite.ModelStartOperatorCodesVector, [tflite.OperatorCodeEnd(fb)])
    tflite.ModelStart(fb)
    tflite.ModelAddVersion(fb, 3)
    tflite.ModelAddOperatorCodes(fb, codes)
    tflite.ModelAddSubgraphs(fb, subgraphs)
    tflite.ModelAddBuffers(fb, buffers)
    fb.Finish(tflite.ModelEnd(fb), b"TFL3")
    return bytes(fb.Output())


def _tensor(fb: flatbuffers.Builder, shape: tuple[int, ...], buffer: int) -> int:
    extents = fb.CreateNumpyVector(np.array(shape, np.int32))
    tflite.TensorStart(fb)
    tflite.TensorAddShape(fb, extents)
    tflite.TensorAddType(fb, tflite.TensorType.INT32)
    tflite.TensorAddBuffer(fb, buffer)
    return int(tflite.TensorEnd(fb))


def _vector(fb: flatbuffers.Builder, start: object, elements: list[int]) -> int:
    start(fb, len(elements))  # type: ignore[operator]
    for element in reversed(elements):
        fb.PrependUOffsetTRelative(element)
    return int(fb.EndVector())


@pytest.mark.models
@pytest.mark.parametrize(
    ("model", "nodes"),
    [
        ("ad01_int8", 10),
        ("hello_world_int8", 3),
        ("kws_ref_model", 13),
        ("mcunet_vww1", 63),
        ("micro_speech_quantized", 4),
        ("MobileNetV2", 69),
        ("person_detect", 31),
        ("pretrainedResnet_quant", 16),
        ("str_ww_ref_model", 11),
        ("vww_96_int8", 31),
    ],
)
def test_real_models(models_dir, model: str, nodes: int) -> None:  # type: ignore[no-untyped-def]
    graph = read_model((models_dir / f"{model}.tflite").read_bytes(), model)
    assert len(graph.nodes) == nodes
