"""Models whose variables make no sense: the message names the operator and what is wrong, and nothing crashes."""

from collections.abc import Callable

import numpy as np
import pytest

from tflite_support.builder import Builder, Spec
from tinycompile.errors import ModelError
from tinycompile.frontend import read_model

_SPEC = Spec((1, 4), "int8", 0.5, 0)


def _handle(builder: Builder, name: str = "v") -> int:
    return builder.op("VAR_HANDLE", [], Spec((), "resource"), shared_name=name)


def _initialised(values: np.ndarray) -> Builder:
    """A model whose variable `v` has an initial value."""
    builder = Builder()
    init = builder.subgraph("initialise")
    init.op("ASSIGN_VARIABLE", [_handle(init), init.const(values, 0.5)], [])
    builder.op("CALL_ONCE", [], [], init_subgraph_index=init.close([], []))
    return builder


def _accumulating(builder: Builder, read: Spec = _SPEC) -> bytes:
    x = builder.input((1, 4), "int8", 0.5)
    old = builder.op("READ_VARIABLE", [_handle(builder)], read)
    total = builder.op("ADD", [x, old], Spec((1, 4), "int8", 0.5))
    builder.op("ASSIGN_VARIABLE", [_handle(builder), total], [])
    return builder.finish([x], [total])


def uninitialised() -> bytes:
    return _accumulating(Builder())


def other_shape() -> bytes:
    return _accumulating(_initialised(np.zeros((1, 5), np.int8)))


def other_type() -> bytes:
    return _accumulating(_initialised(np.zeros((1, 4), np.int16)))


def assigned_in_another_shape() -> bytes:
    builder = _initialised(np.zeros((1, 4), np.int8))
    x = builder.input((1, 2), "int8", 0.5)
    old = builder.op("READ_VARIABLE", [_handle(builder)], _SPEC)
    builder.op("ASSIGN_VARIABLE", [_handle(builder), x], [])
    return builder.finish([x], [builder.op("ADD", [old, old], _SPEC)])


def handle_as_output() -> bytes:
    builder = Builder()
    x = builder.input((1, 4), "int8", 0.5)
    handle = _handle(builder)
    return builder.finish([x], [builder.op("ADD", [x, x], _SPEC), handle])


def handle_for_another_operator() -> bytes:
    builder = Builder()
    x = builder.input((1, 4), "int8", 0.5)
    return builder.finish([x], [builder.op("ADD", [x, _handle(builder)], _SPEC)])


def no_handle() -> bytes:
    builder = Builder()
    x = builder.input((1, 4), "int8", 0.5)
    return builder.finish([x], [builder.op("READ_VARIABLE", [x], _SPEC)])


def late_initialisation() -> bytes:
    builder = Builder()
    init = builder.subgraph("initialise")
    init.op("ASSIGN_VARIABLE", [_handle(init), init.const(np.zeros((1, 4), np.int8), 0.5)], [])
    index = init.close([], [])
    x = builder.input((1, 4), "int8", 0.5)
    builder.op("ASSIGN_VARIABLE", [_handle(builder), x], [])
    builder.op("CALL_ONCE", [], [], init_subgraph_index=index)
    return builder.finish([x], [builder.op("READ_VARIABLE", [_handle(builder)], _SPEC)])


def missing_subgraph() -> bytes:
    builder = Builder()
    builder.op("CALL_ONCE", [], [], init_subgraph_index=7)
    return _accumulating(builder)


def itself() -> bytes:
    builder = Builder()
    init = builder.subgraph("initialise")
    index = 1
    init.op("CALL_ONCE", [], [], init_subgraph_index=index)
    assert init.close([], []) == index
    builder.op("CALL_ONCE", [], [], init_subgraph_index=index)
    return _accumulating(builder)


def initialisation_with_an_input() -> bytes:
    builder = Builder()
    init = builder.subgraph("initialise")
    x = init.input((1, 4), "int8", 0.5)
    init.op("ASSIGN_VARIABLE", [_handle(init), x], [])
    builder.op("CALL_ONCE", [], [], init_subgraph_index=init.close([x], []))
    return _accumulating(builder)


def unsupported_initialisation() -> bytes:
    builder = Builder()
    init = builder.subgraph("initialise")
    init.op("ASSIGN_VARIABLE", [_handle(init), init.op("Nothing", [], _SPEC)], [])
    builder.op("CALL_ONCE", [], [], init_subgraph_index=init.close([], []))
    return _accumulating(builder)


def operator_of_the_compiler() -> bytes:
    builder = Builder()
    x = builder.input((1, 4), "int8", 0.5)
    return builder.finish([x], [builder.op("ROWS", [x], _SPEC)])


def _svdf(builder: Builder, x: int, state: int) -> int:
    """A filter of two calls for each of four features."""
    operands = [x, builder.const(np.eye(4, dtype=np.float32)), builder.const(np.ones((4, 2), np.float32))]
    return builder.op("SVDF", [*operands, None, state], Spec((1, 4), "float32"), rank=1)


def variable_tensor_shared() -> bytes:
    builder = Builder()
    x = builder.input((1, 4), "float32")
    state = builder.tensor(Spec((1, 8), "float32", is_variable=True))
    return builder.finish([x], [_svdf(builder, _svdf(builder, x, state), state)])


def state_that_is_no_variable() -> bytes:
    builder = Builder()
    x, state = builder.input((1, 4), "float32"), builder.input((1, 8), "float32")
    return builder.finish([x, state], [_svdf(builder, x, state)])


def variable_tensor_that_nothing_updates() -> bytes:
    builder = Builder()
    x = builder.input((1, 4), "float32")
    state = builder.tensor(Spec((1, 4), "float32", name="kept", is_variable=True))
    return builder.finish([x], [builder.op("ADD", [x, state], Spec((1, 4), "float32"))])


MESSAGES: dict[Callable[[], bytes], str] = {
    uninitialised: r'#1 READ_VARIABLE "t2": reads variable "v", which nothing initialises',
    other_shape: r'#2 READ_VARIABLE "t2": reads int8\[1,4\] from variable "v"; it was initialised with int8\[1,5\]',
    other_type: r'#2 READ_VARIABLE "t2": reads int8\[1,4\] from variable "v"; it was initialised with int16\[1,4\]',
    assigned_in_another_shape: r'#4 ASSIGN_VARIABLE ".*": computes \[1, 2\] for "v \(assigned\)", but the file says \[1, 4\]',
    handle_as_output: r"the handle of variable v is a graph output",
    handle_for_another_operator: r'#1 ADD "t2": takes the handle of variable v',
    no_handle: r'#0 READ_VARIABLE "t1": takes tensors \[0\], and the first of 1 must be a handle',
    late_initialisation: r"#2 CALL_ONCE .*: stands behind an operator that uses a variable",
    missing_subgraph: r"#0 CALL_ONCE .*: runs subgraph 7 of 1",
    itself: r"#0 CALL_ONCE .*: runs subgraph 1 of 2",
    initialisation_with_an_input: r'subgraph 1 "initialise": CALL_ONCE runs it, but it has inputs',
    unsupported_initialisation: r'subgraph 1 "initialise": #1 .*Nothing .*: the operator is not supported',
    variable_tensor_shared: r'#0 SVDF "t4": updates variable 1, which is taken a second time',
    state_that_is_no_variable: r'#0 SVDF "t4": updates tensor 1, which is no variable',
    variable_tensor_that_nothing_updates: r'tensor 1 "kept": is a variable, and the operator that takes it does not',
    operator_of_the_compiler: r'#0 .*ROWS "t1": the operator is not supported',
}


@pytest.mark.parametrize("make", MESSAGES, ids=lambda make: make.__name__)
def test_message(make: Callable[[], bytes]) -> None:
    with pytest.raises(ModelError, match=MESSAGES[make]):
        read_model(make(), "model")


def test_every_flipped_byte_is_read_or_refused() -> None:
    """As for all models: a broken file ends in a message, never in an exception of another kind."""
    model = _accumulating(_initialised(np.arange(4, dtype=np.int8).reshape(1, 4)))
    rng, rounds, refused = np.random.default_rng(5), 300, 0
    for _ in range(rounds):
        broken = bytearray(model)
        for position in rng.integers(0, len(model), 3):
            broken[position] = int(rng.integers(0, 256))
        try:
            read_model(bytes(broken), "model")
        except ModelError:
            refused += 1
    assert 0 < refused < rounds
