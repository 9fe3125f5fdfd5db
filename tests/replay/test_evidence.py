"""The references show the dependences of every operator that can run row by row: no more than its `Access` says, and no less."""

from collections.abc import Iterator
from functools import cache
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest

from tests.kernels.operations import convolution
from tests.kernels.operations import window as window_options
from tests.ops.matrix import OperatorMatrix
from tinycompile.frontend import read_model
from tinycompile.ops import Operation, Pattern, operation, operator_of, row_shape
from tinycompile.passes import run_passes
from tinycompile.replay.claims import variants
from tinycompile.replay.evidence import contradictions, values_of
from tinycompile.replay.trials import evaluated, narrowed

MOST_ROWS = 12


@cache
def operations() -> tuple[tuple[str, Operation, int], ...]:
    """Operations of the operator matrix with an input that is read row by row, each kind of shape once."""
    for path in sorted(Path(__file__).parents[1].glob("ops/test_*.py")):
        import_module(f"tests.ops.{path.stem}")
    seen = {}
    for matrix in OperatorMatrix.__subclasses__():
        for case in matrix.cases:
            graph = run_passes(read_model(case.model, case.id))
            for node in graph.nodes:
                current = operation(graph, node)
                for index in by_row(current):
                    key = (node.kind, node.attributes, *(t.describe() for t in current.inputs if t))
                    seen.setdefault(key, (f"{matrix.__name__}-{case.id}", current, index))
    return tuple(seen.values())


def by_row(current: Operation) -> Iterator[int]:
    """Inputs of which an output row needs some rows only."""
    for index, tensor in enumerate(current.inputs):
        if tensor is not None and not tensor.is_constant and not operator_of(current.node).is_view:
            access = operator_of(current.node).access(current, index)
            if access.pattern in (Pattern.POINTWISE, Pattern.WINDOW) and row_shape(tensor.shape)[0] > 1:
                yield index


def given_rows(current: Operation, index: int) -> dict[int, tuple[int | None, ...]]:
    """The rows of its window that each output row needs by what the operator says, None outside of the image."""
    access, in_rows = (
        operator_of(current.node).access(current, index),
        row_shape(current.input(index).shape)[0],
    )
    if access.pattern is Pattern.POINTWISE:
        return {row: (min(row, in_rows - 1),) for row in range(current.rows)}
    rows, height = current.rows // current.images, in_rows // current.images
    found = {}
    for row in range(current.rows):
        start = (row % rows + access.lead) // access.repeat * access.stride - access.pad_before
        window = [start + k * access.dilation for k in range(access.window_rows)]
        found[row] = tuple(row // rows * height + y if 0 <= y < height else None for y in window)
    return found


def shares(current: Operation, index: int) -> list[list[int]]:
    """Output rows that have a window in common: one, or as many as an enlarged image has for each row of the smaller one."""
    access, height = operator_of(current.node).access(current, index), current.rows // current.images
    windows: dict[tuple[int, int], list[int]] = {}
    for row in range(current.rows):
        windows.setdefault((row // height, (row % height + access.lead) // access.repeat), []).append(row)
    return [rows for rows in windows.values() if len(rows) == access.repeat]


def is_constant(current: Operation) -> bool:
    """True when the output is the same for all values that are tried, as that of a comparison may be."""
    trials = []
    for seed in range(20):
        rng = np.random.default_rng(seed)
        trials.append(
            [None if t is None else t.data if t.is_constant else values_of(t, rng) for t in current.inputs]
        )
    first, *others = evaluated(current, trials)
    return all((output == first).all() for output in others)


def without(rows: tuple[int | None, ...], position: int) -> tuple[int | None, ...]:
    """The rows but for that behind one pointer."""
    return tuple(None if k == position else row for k, row in enumerate(rows))


def found(tried: Operation, index: int, given: dict[int, tuple[int | None, ...]]) -> set[int]:
    """Output rows that depend on more than is given."""
    units = row_shape(tried.input(index).shape)[0], tried.rows
    kept = {row: [y for y in rows if y is not None] for row, rows in given.items()}
    return set(contradictions(tried, index, units, kept))


@pytest.mark.slow
def test_operators_depend_on_no_more_than_they_say() -> None:
    kinds = set()
    for name, current, index in operations():
        kinds.add(current.node.kind)
        for role, tried, given in variants(narrowed(current), index, given_rows(current, index)):
            assert found(tried, index, dict(given)) == set(), name + role
    assert kinds >= {"CONV_2D", "DEPTHWISE_CONV_2D", "AVERAGE_POOL_2D", "MAX_POOL_2D", "ADD", "PRELU"}


@pytest.mark.slow
def test_each_row_that_is_not_given_shows() -> None:
    """Each needed row of each output row in turn is left out. The greatest of very many values may be in another row.

    Of output rows that share a window each row of the window is needed by one of them.
    """
    for name, current, index in operations():
        for role, tried, given in variants(narrowed(current), index, given_rows(current, index)):
            if is_constant(tried):
                continue
            for rows in shares(current, index)[:MOST_ROWS]:
                most = max(len(given[row]) for row in rows)
                for position in range(most if most <= MOST_ROWS else 0):
                    if any(row is not None for each in rows for row in given[each][position : position + 1]):
                        damaged = {row: without(given[row], position) for row in rows}
                        assert found(tried, index, damaged), f"{name}{role}, rows {rows}"


def test_what_the_reference_reads_is_found_in_columns_and_channels() -> None:
    """Pixels are units too: a 1x1 window depends on its pixel alone, a 3x3 one on others."""
    pointwise, window = convolution((1, 3, 4, 2), 5), convolution((1, 3, 4, 2), 5, (3, 3))
    own = {pixel: (pixel,) for pixel in range(12)}
    assert list(contradictions(pointwise, 0, (12, 12), own)) == []
    assert list(contradictions(window, 0, (12, 12), own)) == list(range(12))


def test_narrow_operations_have_the_same_rows() -> None:
    image = convolution((1, 7, 50, 4), 8, (3, 3), window_options("VALID", (2, 2)))
    tried = narrowed(image)
    assert tried.input(0).shape[:2] == (1, 7) and tried.input(0).shape[2] < 50
    assert tried.output.shape[:2] == image.output.shape[:2]
    assert tried.output.shape[2] * 8 >= 64
    as_wide_as_the_filter = convolution((1, 7, 3, 4), 8, (3, 3))
    assert narrowed(as_wide_as_the_filter) is as_wide_as_the_filter
