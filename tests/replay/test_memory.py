"""Runs of bytes hold what an array with a tag for each byte holds; violations say where, what and what else."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinycompile.replay import ReplayError, ReplayResult
from tinycompile.replay.memory import ARENA, Block, Runs, Span, TaggedMemory

SIZE = 40
CALLER = Block("input 0", read_only=True)

spans = st.tuples(st.integers(0, SIZE), st.integers(0, SIZE)).map(sorted)
writes = st.lists(st.tuples(spans, st.integers(0, 2), st.integers(-3, 3)), max_size=12)


@given(writes, spans)
def test_runs_are_tags_of_bytes(made: list[tuple[list[int], int, int]], asked: list[int]) -> None:
    runs = Runs(SIZE)
    tags = np.full((SIZE, 2), (-1, 0))
    for (start, end), tensor, lag in made:
        runs.set(start, end, tensor, lag)
        tags[start:end] = tensor, lag
    found = list(runs.get(*asked))
    assert all(one.end == other.start for one, other in pairwise(found))
    shown = [(held.tensor, held.lag) for held in found for _ in range(held.start, held.end)]
    assert shown == [tuple(tag) for tag in tags[asked[0] : asked[1]].tolist()]
    assert all(
        (one.tensor, one.lag) != (other.tensor, other.lag) for one, other in pairwise(runs.get(0, SIZE))
    ), "equal neighbours are one run"


def memory() -> TaggedMemory:
    """An arena of 32 bytes with bytes 8 to 15 of tensor 1 at address 4, and an input of 8 bytes."""
    made = TaggedMemory({ARENA: 32, CALLER: 8}, {1: "x", 2: "y"})
    made.write(Span(ARENA, 4, 1, 8, 8), "#0")
    made.deliver(Span(CALLER, 0, 2, 0, 8), "input")
    return made


def test_what_is_intact_is_read() -> None:
    made = memory()
    made.read(Span(ARENA, 6, 1, 10, 6), "#1")
    made.read(Span(CALLER, 2, 2, 2, 6), "#1")
    assert (made.violations, made.high_water) == ([], 12)


@pytest.mark.parametrize(
    ("span", "found"),
    [
        (Span(ARENA, 6, 1, 9, 6), "#1: found bytes 10..16 of 'x' in arena 6..12; expected bytes 9..15 of 'x'"),
        (Span(ARENA, 4, 2, 8, 2), "#1: found bytes 8..10 of 'x' in arena 4..6; expected bytes 8..10 of 'y'"),
        (Span(ARENA, 8, 1, 12, 6), "#1: found garbage in arena 12..14; expected bytes 16..18 of 'x'"),
        (Span(ARENA, 28, 1, 0, 6), "#1: found bytes 28..34 of the arena; expected bytes inside of its 32"),
        (Span(ARENA, -2, 1, 0, 2), "#1: found bytes -2..0 of the arena; expected bytes inside of its 32"),
        (Span(Block("input 3"), 0, 1, 0, 2), "#1: found bytes 0..2 of the input 3; expected bytes inside of its 0"),
    ],
)  # fmt: skip
def test_a_violation_says_where_and_what(span: Span, found: str) -> None:
    made = memory()
    made.read(span, "#1")
    assert made.violations == [found]


def test_the_callers_memory_is_not_written() -> None:
    made = memory()
    made.write(Span(CALLER, 0, 1, 0, 8), "#1")
    (violation,) = made.violations
    assert violation.startswith("#1: found a write to the input 0")


def test_an_error_asks_to_report_it() -> None:
    ReplayResult(1, ()).check()
    with pytest.raises(ReplayError, match="mistake of tinycompile, please report it") as raised:
        ReplayResult(1, tuple(f"#{n}" for n in range(30))).check()
    assert str(raised.value).endswith("#19\nand 10 more")
