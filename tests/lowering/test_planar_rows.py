"""Kernels for planar rows are candidates where another one is their partner, and take no flash that is not there."""

from functools import cache

import pytest

from tests.planning.random_models import random_separable_model
from tinycompile.board import load_board
from tinycompile.codegen import kernel_code_bytes
from tinycompile.driver import compile_model
from tinycompile.frontend import read_model
from tinycompile.ir import Graph
from tinycompile.lowering import Footprints, footprints, select
from tinycompile.passes import run_passes
from tinycompile.plan import Candidate, Selection
from tinycompile.program import RowFormat

SEED = 4


@cache
def network() -> Graph:
    """1x1 and depthwise convolutions by turns."""
    return run_passes(read_model(random_separable_model(SEED), "separable"))


@cache
def weighed() -> Footprints:
    board = load_board("m7")
    return footprints(network(), select(network(), board), board, kernel_code_bytes)


def linked(selection: Selection) -> dict[int, list[Candidate]]:
    """The candidates for planar rows, for each node that has some."""
    found = {node: [c for c in choice.rejected if c.is_linked] for node, choice in selection.items()}
    return {node: candidates for node, candidates in found.items() if candidates}


@pytest.mark.parametrize("optimize", ["speed", "balanced", "ram"])
def test_nobody_writes_planar_rows_for_nobody(optimize: str) -> None:
    graph = network()
    selection = select(graph, load_board("m7"), optimize)
    assert not any(choice.chosen.is_linked for choice in selection.values())
    found = linked(selection)
    kinds = [node.kind for node in graph.nodes if node.id in found]
    assert kinds and kinds == ["CONV_2D", "DEPTHWISE_CONV_2D"] * (len(kinds) // 2)
    for node in graph.nodes:
        for candidate in found.get(node.id, []):
            writes = candidate.writes is RowFormat.PLANAR
            partner = graph.consumers[node.outputs[0]][0] if writes else graph.producers[node.inputs[0]]
            assert any(
                (other.reads if writes else other.writes) is RowFormat.PLANAR for other in found[partner.id]
            )


def test_with_little_flash_planar_rows_take_none() -> None:
    kernels = weighed()
    least = kernels.within(0)
    for node, candidates in linked(least).items():
        most = kernels.options[node][least[node].chosen.kernel].bytes
        for candidate in candidates:
            assert candidate.over_limit == (kernels.linked[node][candidate.kernel].bytes > most)
    assert any(c.over_limit for candidates in linked(least).values() for c in candidates)


def test_flash_is_left_for_planar_rows() -> None:
    """As long as they save more than it costs the others, and within the limit."""
    kernels = weighed()
    plenty = kernels.within(10**6)
    assert any(not c.over_limit for candidates in linked(plenty).values() for c in candidates)
    for limit in range(kernels.smallest_bytes, kernels.bytes(plenty) + 4000, 500):
        chosen = kernels.within(limit)
        readers = [
            kernels.linked[reader][c.kernel].bytes
            - kernels.options[reader][chosen[reader].chosen.kernel].bytes
            for _, reader in kernels.links
            for c in linked(chosen)[reader]
            if not c.over_limit
        ]
        assert kernels.bytes(chosen) + sum(max(0, more) for more in readers) <= limit


def test_a_flash_limit_holds_with_planar_rows() -> None:
    model = random_separable_model(SEED)
    free = compile_model(model, name="separable")
    assert any(choice.chosen.is_linked for choice in free.selection.values())
    for less in (0, 1000, 3000):
        made = compile_model(model, name="separable", flash_limit=free.flash_bytes - less)
        assert made.flash_bytes <= free.flash_bytes - less
