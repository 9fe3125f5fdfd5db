"""Mistakes in what operators, planner and lowering share stop the build: nobody agrees with them but themselves."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import tinycompile.driver.compile as whole_model
import tinycompile.driver.subgraphs as subgraphs
from tflite_support.builder import Builder, Spec
from tinycompile.driver import compile_model
from tinycompile.lowering import operands, pulls
from tinycompile.ops import POINTWISE, Access, Operation, operators
from tinycompile.program import Operand, Program, Pull
from tinycompile.replay import ReplayError

QUANTIZED = ("int8", 0.5, 4)


def network() -> bytes:
    """Two convolutions, a depthwise one with a stride, an addition and pooling, all of them rather high."""
    rng = np.random.default_rng(7)
    builder = Builder()
    x = builder.input((1, 20, 6, 4), *QUANTIZED)

    def layer(kind: str, source: int, shape: tuple[int, ...], **options: Any) -> int:
        depthwise = kind == "DEPTHWISE_CONV_2D"
        weights_shape = (1, 3, 3, 4) if depthwise else (4, 3, 3, 4)
        weights = builder.const(rng.integers(-127, 128, weights_shape).astype(np.int8), 0.004)
        bias = builder.const(np.zeros(4, np.int32), 0.002)
        extra = {"depth_multiplier": 1} if depthwise else {}
        how = {"padding": "SAME", "stride_h": 1, "stride_w": 1, **extra, **options}
        return builder.op(kind, [source, weights, bias], Spec(shape, *QUANTIZED), **how)

    a = layer("CONV_2D", x, (1, 20, 6, 4))
    b = layer("CONV_2D", a, (1, 20, 6, 4))
    c = builder.op("ADD", [a, b], Spec((1, 20, 6, 4), *QUANTIZED))
    d = layer("DEPTHWISE_CONV_2D", c, (1, 10, 3, 4), stride_h=2, stride_w=2)
    size = {"filter_height": 2, "filter_width": 2, "stride_h": 2, "stride_w": 2, "padding": "SAME"}
    e = builder.op("MAX_POOL_2D", [d], Spec((1, 5, 2, 4), *QUANTIZED), **size)
    return builder.finish([x], [e])


def compiled() -> None:
    """Build the network so that rows stream through all of it."""
    compile_model(network(), board="host", optimize="ram")


def test_without_mistakes_it_is_built() -> None:
    compiled()


@pytest.mark.parametrize("kind", ["CONV_2D", "DEPTHWISE_CONV_2D", "MAX_POOL_2D"])
@pytest.mark.parametrize(
    "mistake",
    [
        lambda access: replace(access, window_rows=access.window_rows - 1),
        lambda access: replace(access, pad_before=access.pad_before + 1),
        lambda access: replace(access, pad_before=access.pad_before - 1),
        lambda access: replace(access, stride=access.stride + 1),
        lambda access: replace(access, dilation=2),
        lambda access: POINTWISE,
    ],
    ids=["rows", "pad_above", "pad_below", "stride", "dilation", "pointwise"],
)
def test_a_wrong_access(
    kind: str, mistake: Callable[[Access], Access], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The planner and lowering take it for granted, and are consistent with each other."""
    operator = operators()[kind]
    right = operator.access

    def access(operation: Operation, index: int) -> Access:
        found = right(operation, index)
        return mistake(found) if index == 0 else found

    monkeypatch.setattr(operator, "access", access)
    with pytest.raises(ReplayError, match=kind):
        compiled()


def test_a_wrong_pull(monkeypatch: pytest.MonkeyPatch) -> None:
    right = pulls._pull

    def shorter(*arguments: Any) -> Pull:
        found = right(*arguments)
        return replace(found, reach=found.reach - 1)

    monkeypatch.setattr(pulls, "_pull", shorter)
    with pytest.raises(ReplayError, match="found"):
        compiled()


def test_a_wrong_operand(monkeypatch: pytest.MonkeyPatch) -> None:
    right = operands.OperandResolver.input

    def another(*arguments: Any) -> Operand:
        found = right(*arguments)
        return replace(found, ring_rows=found.ring_rows + 1) if found.ring_rows else found

    monkeypatch.setattr(operands.OperandResolver, "input", another)
    with pytest.raises(ReplayError, match="found"):
        compiled()


def branches() -> bytes:
    """An IF with an addition in each branch."""
    builder = Builder()
    spec = Spec((1, 4, 3, 2), *QUANTIZED)
    flag, x, y = (
        builder.input((), "bool"),
        builder.input(spec.shape, *QUANTIZED),
        builder.input(spec.shape, *QUANTIZED),
    )

    def branch(name: str, pair: tuple[int, int]) -> int:
        graph = builder.subgraph(name)
        handles = [graph.tensor(spec), graph.tensor(spec)]
        return graph.close(handles, [graph.op("SUB", [handles[i] for i in pair], spec)])

    then, otherwise = branch("then", (0, 1)), branch("else", (1, 0))
    found = builder.op("IF", [flag, x, y], spec, then_subgraph_index=then, else_subgraph_index=otherwise)
    return builder.finish([flag, x, y], [found])


@pytest.mark.parametrize("module", [subgraphs, whole_model])
def test_programs_of_subgraphs_are_replayed_too(module: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """An output that the program shows four bytes too far on, in the model or in a branch."""
    compile_model(branches(), board="host")
    right = module.lower

    def lower(*arguments: Any) -> Program:
        program: Program = right(*arguments)
        (output,) = program.outputs
        return replace(program, outputs=(replace(output, offset=output.offset + 4),))

    monkeypatch.setattr(module, "lower", lower)
    with pytest.raises(ReplayError, match="output"):
        compile_model(branches(), board="host")
