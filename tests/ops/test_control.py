"""IF and WHILE against the reference: subgraphs with and without operators, nested, shared, with several values."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from tests.ops.case import Array, Case, int8, make_samples, rng_of, weights
from tests.ops.matrix import OperatorMatrix
from tflite_support.builder import Builder, Spec

Make = Callable[[Builder, list[int]], list[int]]
"""Adds the operators of a subgraph behind its inputs; returns its outputs."""

X = int8((1, 4, 5, 3), 0.05, -3)
FLAG = Spec((), "bool")
NUMBER = Spec((1,), "int32")
VECTOR = Spec((6,), "float32")
IMAGE = int8((1, 6, 5, 4), 0.05, 3)


def _subgraph(parent: Builder, name: str, inputs: list[Spec], make: Make) -> int:
    graph = parent.subgraph(name)
    handles = [graph.tensor(spec) for spec in inputs]
    return graph.close(handles, make(graph, handles))


def _add(graph: Builder, x: list[int]) -> list[int]:
    return [graph.op("ADD", [x[0], x[1]], X)]


def _mul(graph: Builder, x: list[int]) -> list[int]:
    return [graph.op("MUL", [x[0], x[1]], X)]


def _first(graph: Builder, x: list[int]) -> list[int]:
    return [x[0]]


def _second(graph: Builder, x: list[int]) -> list[int]:
    return [x[1]]


def _constant(graph: Builder, x: list[int]) -> list[int]:
    return [graph.const(rng_of("constant").integers(-128, 128, X.shape, np.int8), X.scale, X.zero_point)]


def _chain(graph: Builder, x: list[int]) -> list[int]:
    total = graph.op("ADD", [x[0], x[1]], X)
    for _ in range(3):
        total = graph.op("MUL", [graph.op("RELU", [total], X), x[1]], X)
    return [total]


def _nested(graph: Builder, x: list[int]) -> list[int]:
    limit = graph.const(np.array(0, np.int8), X.scale, X.zero_point)
    flat = graph.op(
        "REDUCE_MAX", [x[0], graph.const(np.array([0, 1, 2, 3], np.int32))], int8((), X.scale, X.zero_point)
    )
    condition = graph.op("GREATER", [flat, limit], FLAG)
    branches = [
        _subgraph(graph, name, [X, X], make) for name, make in (("inner_then", _mul), ("inner_else", _second))
    ]
    return [_if(graph, condition, x, X, branches)]


def _if(graph: Builder, condition: int, x: list[int], output: Spec, branches: list[int]) -> int:
    options = {"then_subgraph_index": branches[0], "else_subgraph_index": branches[1]}
    return graph.op("IF", [condition, *x], output, **options)


def _choice(name: str, then: Make, other: Make) -> Case:
    """y = condition ? then(a, b) : other(a, b)"""
    builder = Builder()
    flag, *x = (builder.tensor(spec) for spec in (FLAG, X, X))
    branches = [_subgraph(builder, "then", [X, X], then), _subgraph(builder, "else", [X, X], other)]
    output = _if(builder, flag, x, X, branches)
    samples = [
        (np.array(flag), *sample) for sample in make_samples(rng_of(name), [X, X]) for flag in (True, False)
    ]
    return Case(name, builder.finish([flag, *x], [output]), tuple(samples))


def _between_layers() -> Case:
    """Convolutions before, in and behind the branches; the condition is computed."""
    builder, rng = Builder(), rng_of("between_layers")

    def conv(graph: Builder, x: int) -> int:
        filters = graph.const(weights(rng, (4, 3, 3, 4)), (0.004, 0.003, 0.005, 0.004))
        bias = graph.const(rng.integers(-500, 500, 4).astype(np.int32), (0.0002, 0.00015, 0.00025, 0.0002))
        return graph.op("CONV_2D", [x, filters, bias], IMAGE, padding="SAME", stride_w=1, stride_h=1)

    start = builder.tensor(IMAGE)
    before = conv(builder, start)
    axes = builder.const(np.array([0, 1, 2, 3], np.int32))
    mean = builder.op("MEAN", [before, axes], int8((), IMAGE.scale, IMAGE.zero_point))
    condition = builder.op(
        "LESS", [mean, builder.const(np.array(3, np.int8), IMAGE.scale, IMAGE.zero_point)], FLAG
    )
    branches = [
        _subgraph(builder, "deep", [IMAGE], lambda graph, x: [conv(graph, conv(graph, x[0]))]),
        _subgraph(builder, "flat", [IMAGE], lambda graph, x: [graph.op("RELU", [x[0]], IMAGE)]),
    ]
    output = conv(builder, _if(builder, condition, [before], IMAGE, branches))
    samples = make_samples(rng_of("between_layers_samples"), [IMAGE]) * 2
    return Case("between_layers", builder.finish([start], [output]), tuple(samples))


def _known_condition(name: str, value: bool, then: Make, other: Make) -> Case:
    """The condition is a constant; the result is an output and goes on."""
    builder = Builder()
    x = [builder.tensor(X), builder.tensor(X)]
    branches = [_subgraph(builder, "then", [X, X], then), _subgraph(builder, "else", [X, X], other)]
    chosen = _if(builder, builder.const(np.array(value)), x, X, branches)
    output = builder.op("RELU", [chosen], X)
    return Case(name, builder.finish(x, [output, chosen]), make_samples(rng_of(name), [X, X]))


class TestIf(OperatorMatrix):
    cases = (
        _choice("operators", _add, _mul),
        _choice("passed_through", _first, _second),
        _choice("constant", _constant, _add),
        _choice("chain", _chain, _first),
        _choice("nested", _nested, _add),
        _between_layers(),
        _known_condition("known_true", True, _add, _chain),
        _known_condition("known_false", False, _add, _chain),
        _known_condition("known_input", False, _add, _second),
        _known_condition("known_constant", True, _constant, _add),
        _known_condition("known_nested", True, _nested, _add),
    )


def _count_to(limit: int) -> Make:
    def condition(graph: Builder, x: list[int]) -> list[int]:
        return [graph.op("LESS", [x[0], graph.const(np.array([limit], np.int32))], Spec((1,), "bool"))]

    return condition


def _next(graph: Builder, number: int) -> int:
    return graph.op("ADD", [number, graph.const(np.array([1], np.int32))], NUMBER)


def _halve(graph: Builder, x: list[int]) -> list[int]:
    return [_next(graph, x[0]), graph.op("MUL", [x[1], graph.const(np.array(0.5, np.float32))], VECTOR)]


def _exchange(graph: Builder, x: list[int]) -> list[int]:
    return [_next(graph, x[0]), x[2], x[1]]


def _fibonacci(graph: Builder, x: list[int]) -> list[int]:
    return [_next(graph, x[0]), x[2], graph.op("ADD", [x[1], x[2]], VECTOR)]


def _keep(graph: Builder, x: list[int]) -> list[int]:
    return [_next(graph, x[0]), x[1]]


def _reset(graph: Builder, x: list[int]) -> list[int]:
    return [_next(graph, x[0]), graph.const(np.arange(6, dtype=np.float32))]


def _branching(graph: Builder, x: list[int]) -> list[int]:
    """Another branch in the first rounds than in the later ones."""
    early = graph.op("LESS", [x[0], graph.const(np.array([2], np.int32))], Spec((1,), "bool"))
    branches = [
        _subgraph(graph, "double", [VECTOR], lambda g, v: [g.op("ADD", [v[0], v[0]], VECTOR)]),
        _subgraph(graph, "negate", [VECTOR], lambda g, v: [g.op("NEG", [v[0]], VECTOR)]),
    ]
    return [_next(graph, x[0]), _if(graph, early, [x[1]], VECTOR, branches)]


def _inner_loop(graph: Builder, x: list[int]) -> list[int]:
    """Two rounds of halving in each round."""
    specs = [NUMBER, VECTOR]
    subgraphs = [_subgraph(graph, "few", specs, _count_to(2)), _subgraph(graph, "halve", specs, _halve)]
    zero = graph.const(np.array([0], np.int32))
    _, values = _while(graph, [zero, x[1]], specs, subgraphs)
    return [_next(graph, x[0]), values]


def _while(graph: Builder, x: list[int], specs: list[Spec], subgraphs: list[int]) -> tuple[int, ...]:
    return graph.op("WHILE", x, specs, cond_subgraph_index=subgraphs[0], body_subgraph_index=subgraphs[1])


def _loop(
    name: str, body: Make, starts: tuple[int, ...] = (0, 3, 5, 9), values: int = 1, limit: int = 5
) -> Case:
    """number, values... = while number < limit: body(number, values...)"""
    builder = Builder()
    specs = [NUMBER, *[VECTOR] * values]
    subgraphs = [
        _subgraph(builder, "condition", specs, _count_to(limit)),
        _subgraph(builder, "body", specs, body),
    ]
    x = [builder.tensor(spec) for spec in specs]
    outputs = _while(builder, x, specs, subgraphs)
    rng = rng_of(name)
    samples: list[tuple[Array, ...]] = [
        (np.array([start], np.int32), *(rng.normal(0, 9, VECTOR.shape).astype(np.float32) for _ in specs[1:]))
        for start in starts
    ]
    return Case(name, builder.finish(x, outputs), tuple(samples))


class TestWhile(OperatorMatrix):
    cases = (
        _loop("halve", _halve),
        # tflite-runtime overwrites one value with the other
        replace(_loop("exchange", _exchange, values=2), oracle="tflm"),
        _loop("fibonacci", _fibonacci, values=2, limit=20),
        _loop("keep", _keep),
        _loop("reset", _reset),
        _loop("branching", _branching),
        _loop("inner_loop", _inner_loop),
    )
