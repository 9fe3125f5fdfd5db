"""Bad files: one ModelError that says where and what, never anything else."""

import time
from collections.abc import Callable

import numpy as np
import pytest
import tflite

from tests.frontend.models import chain_model, convolution_model
from tflite_support.builder import Builder, Spec
from tinycompile.errors import ModelError
from tinycompile.frontend import read_model


def _problems(data: bytes) -> tuple[str, ...]:
    with pytest.raises(ModelError) as caught:
        read_model(data, "bad.tflite")
    assert caught.value.exit_code == 3
    return caught.value.problems


def _reshape(
    shape: tuple[int, ...] = (4,),
    inputs: list[int] | None = None,
    dtype: str = "int8",
    outputs: list[int] | None = None,
) -> bytes:
    """A RESHAPE to int8[4] whose parts a case may spoil."""
    builder = Builder()
    x = builder.input(shape, dtype, 0.5, name="x")
    y = builder.op("RESHAPE", [x] if inputs is None else inputs, Spec((4,), dtype, 0.5, name="y"))
    return builder.finish([x], [y] if outputs is None else outputs)


def _wrong_buffer() -> bytes:
    builder = Builder()
    x = builder.input((1, 4), "int8", 0.5)
    w = builder.const(np.ones(7, np.int8), scale=0.5, name="w")
    builder._graph.tensors[w] = (Spec((2, 4), "int8", 0.5, name="w"), builder._graph.tensors[w][1])
    y = builder.op("FULLY_CONNECTED", [x, w, None], Spec((1, 2), "int8", 0.5))
    return builder.finish([x], [y])


def _missing_buffer() -> bytes:
    builder = Builder()
    x = builder.tensor(Spec((4,), "int8", 0.5, name="x"), 99)
    y = builder.op("RESHAPE", [x], Spec((4,), "int8", 0.5))
    return builder.finish([x], [y])


def _cycle() -> bytes:
    builder = Builder()
    x = builder.input((4,), "int8", 0.5)
    first = builder.op("ADD", [x, 2], Spec((4,), "int8", 0.5, name="first"))
    second = builder.op("ADD", [first, x], Spec((4,), "int8", 0.5, name="second"))
    return builder.finish([x], [second])


def _undefined_operand() -> bytes:
    builder = Builder()
    x = builder.input((4,), "int8", 0.5)
    never = builder.input((4,), "int8", 0.5, name="never")
    y = builder.op("ADD", [x, never], Spec((4,), "int8", 0.5))
    return builder.finish([x], [y])


def _scales(scale: object, zero_point: object = 0) -> bytes:
    builder = Builder()
    x = builder.tensor(Spec((1, 4), "int8", scale, zero_point, name="x"))  # type: ignore[arg-type]
    y = builder.op("RESHAPE", [x], Spec((4,), "int8", 0.5))
    return builder.finish([x], [y])


def _no_subgraph() -> bytes:
    builder = Builder()
    builder._model.subgraphs.clear()
    from tflite_support.writer import write_model

    return write_model(builder._model, "")


def _version_4() -> bytes:
    data = convolution_model()
    table = int.from_bytes(data[:4], "little")
    vtable = table - int.from_bytes(data[table : table + 4], "little", signed=True)
    version = table + int.from_bytes(data[vtable + 4 : vtable + 6], "little")
    assert data[version] == 3
    return data[:version] + b"\x04" + data[version + 1 :]


_CASES: dict[str, tuple[Callable[[], bytes], str]] = {
    "empty": (lambda: b"", "the file is empty"),
    "text": (lambda: b"hello, this is no model", "not a .tflite file"),
    "short": (lambda: convolution_model()[:7], "not a .tflite file"),
    "half": (lambda: (d := convolution_model())[: len(d) // 2], "malformed"),
    "version": (_version_4, "schema version 4; only version 3 is supported"),
    "no subgraph": (_no_subgraph, "there is no subgraph"),
    "no operators": (lambda: _empty_graph(), "the graph has no operators"),
    "no outputs": (lambda: _reshape(outputs=[]), "the graph has no outputs"),
    "output index": (lambda: _reshape(outputs=[17]), "graph outputs name tensors [17], the file has 2"),
    "operand index": (
        lambda: _reshape(inputs=[0, 5]),
        'bad.tflite: #0 RESHAPE "y": names tensors [5], the file has 2',
    ),
    "missing operand": (lambda: _reshape(inputs=[-1]), '#0 RESHAPE "y": input 0 is missing'),
    "dynamic": (
        lambda: _reshape(shape=(-1, 4)),
        'tensor 0 "x": dynamic shape [-1,4]; every extent must be known',
    ),
    "huge": (lambda: _reshape(shape=(1 << 30, 1 << 30)), "at most 2147483648 are supported"),
    "many dimensions": (lambda: _reshape(shape=(1,) * 9), "the shape has 9 dimensions"),
    "element type": (
        lambda: _reshape(dtype="float64"),
        "element type FLOAT64 is not supported; supported: int4, int8",
    ),
    "buffer length": (_wrong_buffer, 'tensor 1 "w": int8[2,4] takes 8 bytes, its buffer has 7'),
    "buffer index": (_missing_buffer, "names buffer 99, the file has"),
    "cycle": (_cycle, '#0 ADD "first": reads tensor 2 before operator #1 writes it'),
    "undefined operand": (_undefined_operand, '"never": is read, but nothing writes it'),
    "negative scale": (lambda: _scales(-0.5), "a scale is negative or not a number"),
    "scale not a number": (lambda: _scales(float("nan")), "a scale is negative or not a number"),
    "zero point": (lambda: _scales(0.5, 300), "a zero point lies outside of -128 to 127"),
    "scales of no axis": (lambda: _scales((0.5, 0.5, 0.5)), "3 scales fit no axis of the shape [1,4]"),
    "zero stride": (
        lambda: convolution_model(stride_h=0),
        "stride is 0x2; Strides and dilations are positive",
    ),
    "activation": (lambda: convolution_model(fused_activation_function="TANH"), "fused activation is TANH"),
    "unknown enum": (
        lambda: convolution_model(padding=7),
        "option padding is 7, the schema knows SAME, VALID",
    ),
    "shape": (
        lambda: convolution_model(stride_w=1),
        'computes [1, 4, 6, 4] for "features", but the file says [1, 4, 3, 4]',
    ),
}


def _empty_graph() -> bytes:
    builder = Builder()
    x = builder.input((4,), "int8", 0.5)
    return builder.finish([x], [x])


@pytest.mark.parametrize("case", _CASES)
def test_message(case: str) -> None:
    make, expected = _CASES[case]
    assert any(expected in problem for problem in _problems(make())), _problems(make())


def test_all_problems_at_once() -> None:
    builder = Builder()
    x = builder.input((4,), "int8", 0.5)
    for name in ("a", "b"):
        x_next = builder.op("ATAN2", [x, x], Spec((4,), "int8", 0.5, name=name))
        x = x_next
    y = builder.op("NovelOperator", [x], Spec((4,), "float64", name="c"), custom_options=b"\x01")
    problems = _problems(builder.finish([0], [y]))
    assert '#0 ATAN2 "a": the operator is not supported' in problems[1]
    assert '#1 ATAN2 "b": the operator is not supported' in problems[2]
    assert '#2 CUSTOM NovelOperator "c": the operator is not supported' in problems[3]
    assert "element type FLOAT64" in problems[0]
    assert "CONV_2D" in problems[4]


def test_a_custom_operator_is_not_the_builtin_one_of_its_name() -> None:
    builder = Builder()
    x = builder.input((4,), "int8", 0.5)
    y = builder.op("novel", [x, x], Spec((4,), "int8", 0.5, name="y"))
    (number,) = (i for i, code in enumerate(builder._model.codes) if code[1] == "novel")
    builder._model.codes[number] = (tflite.BuiltinOperator.CUSTOM, "ADD", 1)
    found = _problems(builder.finish([x], [y]))[0]
    assert found.startswith('bad.tflite: #0 CUSTOM ADD "y": the operator is not supported; ')


def test_names_stay_on_one_line() -> None:
    builder = Builder()
    x = builder.input((4,), "int8", 0.5)
    y = builder.op("ATAN2", [x, x], Spec((4,), "int8", 0.5, name="größe\n\x1b[31m"))
    assert _problems(builder.finish([x], [y]))[0].startswith(
        'bad.tflite: #0 ATAN2 "größe\\n\\x1b[31m": the operator'
    )


@pytest.mark.parametrize(
    ("kind", "scales"), [("TANH", (0.5, 1e-45)), ("MUL", (1e38, 0.5)), ("LEAKY_RELU", (1e38, 1e-3))]
)
def test_absurd_scales_are_refused_without_a_warning(kind: str, scales: tuple[float, float]) -> None:
    builder = Builder()
    x = builder.input((4,), "int8", scales[0])
    y = builder.op(kind, [x, x] if kind == "MUL" else [x], Spec((4,), "int8", scales[1]))
    assert len(_problems(builder.finish([x], [y]))) == 1


def test_types_that_no_rule_takes() -> None:
    builder = Builder()
    x = builder.input((1, 2, 2, 1), "int32", 0.5)
    w = builder.const(np.ones((1, 1, 1, 1), np.int32), scale=0.5)
    y = builder.op("CONV_2D", [x, w], Spec((1, 2, 2, 1), "int32", 0.5, name="y"), stride_w=1, stride_h=1)
    (problem,) = _problems(builder.finish([x], [y]))
    assert problem.startswith(
        'bad.tflite: #0 CONV_2D "y": types are int32, int32 -> int32; supported: int8, int8'
    )


def test_a_flood_of_problems_is_cut() -> None:
    builder = Builder()
    x = builder.input((4,), "int8", 0.5)
    for _ in range(120):
        x = builder.op("ATAN2", [x, x], Spec((4,), "int8", 0.5))
    problems = _problems(builder.finish([0], [x]))
    assert len(problems) == 51
    assert problems[-1] == "bad.tflite: and 71 problems more"


def _survives(data: bytes) -> None:
    """A Graph or a ModelError; anything else fails the test."""
    try:
        read_model(data, "fuzzed")
    except ModelError as error:
        assert error.problems


@pytest.mark.parametrize("make", [convolution_model, chain_model])
def test_every_truncation(make: Callable[[], bytes]) -> None:
    data = make()
    start = time.monotonic()
    for length in range(len(data)):
        _survives(data[:length])
    assert time.monotonic() - start < 60


@pytest.mark.parametrize("make", [convolution_model, chain_model])
@pytest.mark.parametrize("seed", range(4))
def test_flipped_bytes(make: Callable[[], bytes], seed: int) -> None:
    """One to eight bytes anywhere become arbitrary, or the extremes that break sizes and offsets."""
    data, rng = make(), np.random.default_rng(seed)
    for _ in range(150):
        spoiled = bytearray(data)
        for position in rng.integers(0, len(data), rng.integers(1, 9)):
            spoiled[position] = rng.choice([0, 0x7F, 0x80, 0xFF, int(rng.integers(256))])
        _survives(bytes(spoiled))


@pytest.mark.models
@pytest.mark.parametrize("model", ["hello_world_int8", "okay_nabu", "trained_lstm_int8"])
def test_real_models_with_flipped_bytes(models_dir, model: str) -> None:  # type: ignore[no-untyped-def]
    data, rng = (models_dir / f"{model}.tflite").read_bytes(), np.random.default_rng(3)
    for _ in range(40):
        spoiled = bytearray(data)
        for position in rng.integers(0, len(data), 20):
            spoiled[position] = rng.integers(256)
        _survives(bytes(spoiled))
        _survives(data[: rng.integers(len(data))])
