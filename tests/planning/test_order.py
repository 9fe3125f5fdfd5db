"""The order search against all orders, and the order of the file where nothing is gained."""

from itertools import permutations

from hypothesis import given

from tests.planning.strategies import works
from tinycompile.planning.liveness import Step, Storage, Work, live_ranges, usable_overlaps
from tinycompile.planning.order import search_order


def peak_by_hand(work: Work) -> int:
    """Peak of the work in its present order, from live ranges instead of a running sum."""
    ranges = live_ranges(work)
    peak = sum(work.storages[s].bytes for s in work.inputs)
    for index, step in enumerate(work.steps):
        live = sum(work.storages[s].bytes for s, life in ranges.items() if life.first <= index <= life.last)
        saved = 0
        for o in usable_overlaps(work, ranges, index):
            read, written = work.storages[o.read].bytes, work.storages[o.written].bytes
            saved = max(saved, read + written - max(written, o.lead_bytes + read))
        peak = max(peak, live + step.scratch_bytes - saved)
    return peak


def legal_orders(work: Work) -> list[tuple[int, ...]]:
    """All orders in which every storage is written before it is read."""
    orders = []
    for order in permutations(range(len(work.steps))):
        ready = set(work.inputs)
        for index in order:
            if not ready.issuperset(work.steps[index].reads):
                break
            ready.update(work.steps[index].writes)
        else:
            orders.append(order)
    return orders


def without_idle_inputs(work: Work) -> Work:
    """Live ranges free an unused input after step 0, the search never does: leave such inputs out of the comparison."""
    used = {s for step in work.steps for s in step.reads} | work.kept
    return Work(work.steps, work.storages, work.inputs & used, work.kept)


@given(works(max_steps=5))
def test_finds_the_least_peak(work: Work) -> None:
    work = without_idle_inputs(work)
    result = search_order(work)
    assert result.proved
    assert result.order in legal_orders(work)
    assert result.peak_bytes == min(peak_by_hand(work.reordered(order)) for order in legal_orders(work))
    assert result.peak_bytes == peak_by_hand(work.reordered(result.order))


@given(works(max_steps=5))
def test_a_stopped_search_gives_a_bound_and_says_so(work: Work) -> None:
    stopped, full = search_order(work, limit=1), search_order(work)
    assert stopped.bound_bytes <= full.peak_bytes <= stopped.peak_bytes
    assert stopped.proved == (stopped.bound_bytes == stopped.peak_bytes)


def test_ends_a_branch_before_it_begins_the_other() -> None:
    """Two branches from one input, interleaved in the file: both wide results would live together."""
    storages = {key: Storage(key, size, 4, (key,)) for key, size in enumerate([8, 100, 4, 40, 4, 4])}
    steps = (
        Step(0, (0,), (1,)),  # 8 -> 100
        Step(1, (0,), (3,)),  # 8 -> 40
        Step(2, (1,), (2,)),  # 100 -> 4
        Step(3, (3,), (4,)),  # 40 -> 4
        Step(4, (2, 4), (5,)),
    )
    work = Work(steps, storages, frozenset({0}), frozenset({5}))
    assert peak_by_hand(work) == 8 + 100 + 40
    assert search_order(work).peak_bytes == 8 + 100 + 4


def test_keeps_the_given_order_when_none_is_better() -> None:
    storages = {key: Storage(key, 8, 4, (key,)) for key in range(4)}
    steps = (Step(0, (0,), (1,)), Step(1, (0,), (2,)), Step(2, (1, 2), (3,)))
    work = Work(steps, storages, frozenset({0}), frozenset({3}))
    assert search_order(work).order == (0, 1, 2)


def test_a_stopped_search_still_finds_a_good_order() -> None:
    """The two branches again: a search that may not look at anything is followed by one that always ends."""
    storages = {key: Storage(key, size, 4, (key,)) for key, size in enumerate([8, 100, 4, 40, 4, 4])}
    steps = (
        Step(0, (0,), (1,)),
        Step(1, (0,), (3,)),
        Step(2, (1,), (2,)),
        Step(3, (3,), (4,)),
        Step(4, (2, 4), (5,)),
    )
    work = Work(steps, storages, frozenset({0}), frozenset({5}))
    assert search_order(work, limit=1).peak_bytes == 8 + 100 + 4
