"""Conditions that are known leave one branch, and what the branch folds to."""

from collections.abc import Callable

import numpy as np
import pytest

from tests.passes.equality import apply
from tflite_support.builder import Builder, Spec
from tinycompile.frontend import read_model
from tinycompile.ir import Graph
from tinycompile.passes.choose_branches import ChooseBranches
from tinycompile.passes.fold_constants import FoldConstants

X = Spec((2, 3), "int8", 0.5, -3)
Make = Callable[[Builder, int], int]


def _relu(graph: Builder, x: int) -> int:
    return graph.op("RELU", [x], X)


def _passed(graph: Builder, x: int) -> int:
    return x


def _constant(graph: Builder, x: int) -> int:
    """The absolute value of a constant, which folds."""
    return graph.op("ABS", [graph.const(np.full((2, 3), -7, np.int8), 0.5, -3)], X)


def _choice(graph: Builder, x: int, condition: int, then: Make, other: Make) -> int:
    branches = {}
    for name, make in (("then", then), ("else", other)):
        branch = graph.subgraph(name)
        start = branch.tensor(X)
        branches[f"{name}_subgraph_index"] = branch.close([start], [make(branch, start)])
    return graph.op("IF", [condition, x], X, **branches)


def _model(then: Make, other: Make, value: bool | None) -> Graph:
    """RELU6 of an IF whose condition is computed from constants, or an input when `value` is None."""
    builder = Builder()
    x, flag = builder.tensor(X), builder.tensor(Spec((), "bool"))
    condition = flag
    if value is not None:
        condition = builder.op("LOGICAL_NOT", [builder.const(np.array(not value))], Spec((), "bool"))
    y = builder.op("RELU6", [_choice(builder, x, condition, then, other)], X)
    return read_model(builder.finish([x, flag], [y]), "m")


@pytest.mark.parametrize(
    ("then", "other", "value", "kinds"),
    [
        (_relu, _passed, True, ["RELU", "RELU6"]),
        (_relu, _passed, False, ["COPY", "RELU6"]),
        (_constant, _relu, True, ["RELU6"]),
        (_constant, _relu, None, ["IF", "RELU6"]),
    ],
)
def test_the_branch_takes_the_place(then: Make, other: Make, value: bool | None, kinds: list[str]) -> None:
    graph = _model(then, other, value)
    after = apply(ChooseBranches(), apply(FoldConstants(), graph))
    assert [node.kind for node in after.nodes] == kinds
    assert ChooseBranches().run(after) is after


def test_branches_in_branches() -> None:
    def nested(graph: Builder, x: int) -> int:
        return _choice(graph, x, graph.const(np.array(False)), _passed, _relu)

    after = apply(ChooseBranches(), apply(FoldConstants(), _model(nested, _passed, True)))
    assert [node.kind for node in after.nodes] == ["RELU", "RELU6"]
