"""ViewRows, TrimVariables and CopyViews: which operators go, which stay, and what the graph says then."""

from pathlib import Path

import numpy as np
import pytest

from tests.state.models import MODELS
from tflite_support.builder import Builder, Spec
from tinycompile.driver.prove import verify_model
from tinycompile.frontend import read_model
from tinycompile.ir import Graph, to_text
from tinycompile.passes import run_passes
from tinycompile.passes.copy_views import CopyViews
from tinycompile.passes.trim_variables import TrimVariables
from tinycompile.passes.view_rows import ViewRows

_MOVING = {"CONCATENATION", "STRIDED_SLICE", "SPLIT_V"}


def _after(name: str) -> Graph:
    return run_passes(read_model(MODELS[name], name), [ViewRows()])


def test_before_and_after() -> None:
    """READ, CONCATENATION, STRIDED_SLICE, ASSIGN become rows where they lie, and moves within the variable."""
    lines = to_text(_after("window_one_row")).splitlines()
    assert lines[0] == "graph window_one_row"
    assert lines[2].strip() == "variable %12: int8[1,2,1,8] -> %13"
    rows, assignment, convolution = (line.strip() for line in lines[3:6])
    assert rows.startswith("%3: int8[1,3,1,8] = ROWS(%12, %0)")
    assert "{input=0, rows=2, offset=0, stride=8}, {input=1, rows=1, offset=0, stride=0}" in rows
    assert assignment.startswith("%13: int8[1,2,1,8] = ASSIGN_VARIABLE(%12, %0)")
    assert (
        "{input=0, source=8, target=0, elements=8}, {input=1, source=0, target=8, elements=8}" in assignment
    )
    assert convolution.startswith("%11: int8[1,1,1,6] = CONV_2D(%3, ")


@pytest.mark.parametrize(
    ("name", "left"),
    [
        ("window", []),
        ("window_padded", []),
        ("window_wide", []),  # rows of 15 bytes: nobody expects them to be aligned
        ("window_odd_depth", []),
        ("matrix", []),
        ("matrix_per_channel", []),
        ("mixed_windows", ["CONCATENATION"]),  # of the results
        ("mixed_windows_odd", ["CONCATENATION"]),
        (
            "mixed_windows_unaligned",
            ["SPLIT_V", "CONCATENATION", "CONCATENATION"],
        ),  # four bytes two bytes off
        ("two_stages", ["CONCATENATION"]),  # the sum reads all of it
        ("other_types", ["CONCATENATION", "CONCATENATION"]),  # outputs
    ],
)
def test_what_is_still_moved(name: str, left: list[str]) -> None:
    kinds = [node.kind for node in _after(name).nodes if node.kind in _MOVING]
    assert sorted(kinds) == sorted(left)


def test_a_matrix_over_rows_is_a_convolution() -> None:
    for name in ("matrix", "matrix_per_channel"):
        kinds = [node.kind for node in _after(name).nodes]
        assert "CONV_2D" in kinds and "FULLY_CONNECTED" not in kinds


@pytest.mark.parametrize(
    ("name", "shapes"),
    [
        ("mixed_windows", [(1, 4, 1, 4), (1, 8, 1, 4)]),  # windows of 5 and 9 rows
        ("mixed_windows_odd", [(1, 4, 1, 5), (1, 8, 1, 7)]),
        ("mixed_windows_unaligned", [(1, 8, 1, 6)]),  # a concatenation reads all of it
        ("window_one_row", [(1, 2, 1, 8)]),
        ("unread_rows", [(1, 2, 1, 4)]),
        ("accumulate", [(1, 7)]),
    ],
)
def test_what_variables_keep(name: str, shapes: list[tuple[int, ...]]) -> None:
    """A window of k rows of which n are new needs k - n old ones of its own channels."""
    graph = run_passes(_after(name), [TrimVariables()])
    assert [variable.initial.shape for variable in graph.variables] == shapes


@pytest.mark.parametrize(
    ("name", "copies"),
    [("delay", 1), ("swap", 2), ("rotate", 1), ("chain", 0), ("early_assignment", 0), ("accumulate", 0)],
)
def test_copies_of_old_values(name: str, copies: int) -> None:
    """An output needs one, and each circle of variables; a chain of variables only needs an order."""
    graph = run_passes(read_model(MODELS[name], name), [ViewRows(), CopyViews()])
    assert sum(node.kind == "COPY" for node in graph.nodes) == copies


@pytest.mark.slow
@pytest.mark.needs("gcc")
@pytest.mark.parametrize("optimize", ["speed", "ram", "flash"])
def test_pointwise_convolution_of_rows_in_several_places(optimize: str, tmp_path: Path) -> None:
    """A kernel that gets one row at a time gets it from where it lies."""
    rng = np.random.default_rng(4)
    builder = Builder()
    x = builder.input((1, 3, 4, 5), "int8", 0.1, -3)
    kept = builder.op("ADD", [x, x], Spec((1, 3, 4, 5), "int8", 0.2, -3))
    other = builder.op("MUL", [x, x], Spec((1, 3, 4, 5), "int8", 0.2, -3))
    rows = builder.op("CONCATENATION", [kept, other, kept], Spec((1, 9, 4, 5), "int8", 0.2, -3), axis=1)
    weights = builder.const(rng.integers(-127, 128, (6, 1, 1, 5)).astype(np.int8), 0.02, 0)
    y = builder.op("CONV_2D", [rows, weights], Spec((1, 9, 4, 6), "int8", 0.3, 2), stride_h=1, stride_w=1)
    path = tmp_path / "rows.tflite"  # a name that a header of the harness once had
    path.write_bytes(builder.finish([x], [y]))
    result = verify_model(path, board="host", optimize=optimize)
    assert result.exact, result.summary()
