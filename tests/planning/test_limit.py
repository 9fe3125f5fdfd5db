"""Plans under a limit of RAM: the fastest that fits, against all partitions one by one."""

from collections.abc import Iterable
from functools import cache
from itertools import accumulate
from math import inf

import pytest

from tests.planning.random_models import random_model
from tests.replay.random_programs import of_plan
from tinycompile.board import load_board
from tinycompile.frontend import read_model
from tinycompile.ir import Graph
from tinycompile.lowering import select
from tinycompile.passes import run_passes
from tinycompile.plan import Selection
from tinycompile.planning import plan, plans_not_dominated
from tinycompile.planning.liveness import Work, live_ranges, work_of
from tinycompile.planning.order import search_order
from tinycompile.planning.partition import Frontier, partition_within
from tinycompile.planning.segments import Segment, single_segments, stream_segments
from tinycompile.planning.stream import stream

SEEDS = range(12)


def chosen(seed: int) -> tuple[Graph, Selection]:
    graph = run_passes(read_model(random_model(seed), "random"))
    return graph, select(graph, load_board("m7"))


def work(seed: int) -> tuple[Work, int]:
    """The steps of a random network in the planner's order, and the cycles of its kernels."""
    graph, selection = chosen(seed)
    given = work_of(graph, selection)
    return given.reordered(search_order(given).order), sum(c.chosen.cycles for c in selection.values())


def costs(steps: Work) -> list[tuple[int, int]]:
    """Peak and extra cycles of every way to cut the steps into segments, without those that are alike, in ascending order."""
    ranges, count = live_ranges(steps), len(steps.steps)

    def segments(first: int, last: int) -> Iterable[Segment]:
        if first == last:
            return single_segments(steps, ranges, first)
        rows = stream(steps, ranges, first, last)
        return () if rows is None else stream_segments(steps, ranges, rows)

    @cache
    def after(first: int) -> set[tuple[int, int]]:
        if first == count:
            return {(0, 0)}
        return {
            (max(segment.cost_bytes, peak), segment.effort[0] + effort)
            for last in range(first, count)
            for segment in segments(first, last)
            for peak, effort in after(last + 1)
        }

    return sorted(after(0))


@pytest.mark.parametrize("seed", [seed for seed in SEEDS if 2 < len(work(seed)[0].steps) < 7])
def test_against_all_partitions(seed: int) -> None:
    steps, cycles = work(seed)
    every = costs(steps)
    front = [(parts.peak_bytes, parts.extra_cycles) for parts in Frontier(steps, cycles).partitions(1.0)]
    # The least effort of all that take no more bytes than a peak: peaks ascend.
    efforts = accumulate((effort for _, effort in every), min)
    best = {peak: effort for (peak, _), effort in zip(every, efforts, strict=True)}
    assert min(every) in front and min(every, key=lambda cost: (cost[1], cost[0])) in front
    assert all(best[peak] == effort for peak, effort in front)
    for peak, effort in best.items():
        found = partition_within(steps, cycles, peak)
        assert found is not None and found.peak_bytes <= peak and found.extra_cycles == effort
        assert found.peak_bytes == next(other for other, cost in every if cost <= effort)
    assert partition_within(steps, cycles, min(best) - 1) is None


@pytest.mark.slow
@pytest.mark.parametrize("seed", SEEDS)
def test_a_limit_is_kept_when_any_plan_fits(seed: int) -> None:
    graph, selection = chosen(seed)
    plans = plans_not_dominated(graph, selection)
    assert all(of_plan(graph, found).violations() == () for found in plans)
    arenas = [memory.arena_bytes for _, _, memory in plans]
    assert arenas == sorted(arenas, reverse=True)
    for planned, limit in zip(plans, arenas, strict=True):
        assert plan(graph, selection, ram_limit=limit) == planned
    *_, fastest = plan(graph, selection, ram_limit=10**9)
    assert fastest == plan(graph, selection, allowance=0.0)[2]
    *_, smallest = plan(graph, selection, ram_limit=min(arenas) - 1)
    assert smallest.arena_bytes <= min(arenas)
    assert plan(graph, selection, allowance=inf)[2].arena_bytes >= smallest.arena_bytes


@pytest.mark.slow
def test_there_is_something_to_choose() -> None:
    """The networks above have plans that exchange time for memory."""
    assert sum(len(plans_not_dominated(*chosen(seed))) > 1 for seed in SEEDS) >= len(SEEDS) // 2
