"""IF and WHILE in bad files: subgraphs that are not there, that run themselves, that do not fit, that keep something."""

import re
from collections.abc import Callable

import numpy as np
import pytest

from tests.ops.signal_cases import flexbuffer
from tflite_support.builder import Builder, Spec
from tinycompile.errors import ModelError
from tinycompile.frontend import read_model

X = Spec((4,), "float32")
FLAG = Spec((), "bool")


def _branch(parent: Builder, make: Callable[[Builder, int], int], spec: Spec = X) -> int:
    graph = parent.subgraph("branch")
    start = graph.tensor(spec)
    return graph.close([start], [make(graph, start)])


def _passed(graph: Builder, x: int) -> int:
    return x


def _if(*branches: int, builder: Builder, condition: Spec = FLAG, operands: int = 1) -> bytes:
    flag, x = builder.tensor(condition), builder.tensor(X)
    options = {"then_subgraph_index": branches[0], "else_subgraph_index": branches[-1]}
    y = builder.op("IF", [flag] + [x] * operands, X, **options)
    return builder.finish([flag, x], [y])


def _missing() -> bytes:
    return _if(7, builder=Builder())


def _itself() -> bytes:
    return _if(0, builder=Builder())


def _circle() -> bytes:
    def runs_itself(graph: Builder, x: int) -> int:
        flag = graph.const(np.array(True))
        return graph.op("IF", [flag, x], X, then_subgraph_index=1, else_subgraph_index=1)

    builder = Builder()
    return _if(_branch(builder, runs_itself), builder=builder)


def _other_shape() -> bytes:
    builder = Builder()
    return _if(_branch(builder, _passed, Spec((5,), "float32")), builder=builder)


def _too_many_operands() -> bytes:
    builder = Builder()
    return _if(_branch(builder, _passed), builder=builder, operands=2)


def _number_as_condition() -> bytes:
    builder = Builder()
    return _if(_branch(builder, _passed), builder=builder, condition=Spec((), "int32"))


def _unknown_inside() -> bytes:
    builder = Builder()
    return _if(_branch(builder, lambda graph, x: graph.op("Unheard", [x], X)), builder=builder)


def _variable_inside() -> bytes:
    def assigns(graph: Builder, x: int) -> int:
        handle = graph.op("VAR_HANDLE", [], Spec((), "resource"), shared_name="v")
        graph.op("ASSIGN_VARIABLE", [handle, x], [])
        return x

    builder = Builder()
    return _if(_branch(builder, assigns), builder=builder)


def _state_inside() -> bytes:
    def adds(graph: Builder, x: int) -> int:
        options = flexbuffer(frame_step=4)
        row = graph.op("RESHAPE", [x], Spec((1, 4), "float32"), new_shape=[1, 4])
        return graph.op("SignalOverlapAdd", [row], X, custom_options=options)

    builder = Builder()
    return _if(_branch(builder, adds), builder=builder)


def _loop_without_question() -> bytes:
    builder = Builder()
    condition, body = _branch(builder, _passed), _branch(builder, _passed)
    x = builder.tensor(X)
    return builder.finish(
        [x], [builder.op("WHILE", [x], X, cond_subgraph_index=condition, body_subgraph_index=body)]
    )


BAD = {
    _missing: '#0 IF "t2": runs subgraph 7 of 1',
    _itself: '#0 IF "t2": runs subgraph 0 of 1',
    _circle: 'subgraph 1 "branch": #0 IF "t2": runs subgraph 1 of 2',
    _other_shape: '#0 IF "t2": subgraph 1: input 0 is float32[5] for float32[4]',
    _too_many_operands: "subgraph 1: it has 1 inputs for 2",
    _number_as_condition: "it is int32[]; The first input is a bool",
    _unknown_inside: 'subgraph 1 "branch": #0 CUSTOM Unheard "t1": the operator is not supported',
    _variable_inside: 'subgraph 1 "branch": uses resource variables; only the main graph can',
    _state_inside: "only the main graph can",
    _loop_without_question: "it gives float32[4]; The condition gives one bool",
}


@pytest.mark.parametrize("make", BAD, ids=lambda make: make.__name__)
def test_problems_have_a_place(make: Callable[[], bytes]) -> None:
    with pytest.raises(ModelError, match=re.escape(BAD[make])):
        read_model(make(), "bad.tflite")
