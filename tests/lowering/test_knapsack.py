"""The fewest cycles within so many bytes, against all choices one by one."""

from itertools import product

from hypothesis import given
from hypothesis import strategies as st

from tinycompile.lowering.knapsack import Option, bytes_of, fewest_cycles, smallest

figures = st.integers(0, 1000)


@st.composite
def groups(draw: st.DrawFn) -> list[list[Option]]:
    """Items in groups; those of a group use the same few things, whose bytes are the same for all of them."""
    items = []
    for group in range(draw(st.integers(1, 2))):
        things = draw(st.lists(figures, min_size=1, max_size=3))
        for _ in range(draw(st.integers(1, 3))):
            items.append(
                [Option(draw(figures), draw(figures), (group, i), each) for i, each in enumerate(things)]
            )
    return items


def cycles_of(choice: list[Option]) -> int:
    return sum(option.cycles for option in choice)


def chosen(items: list[list[Option]], picked: list[int]) -> list[Option]:
    return [item[index] for item, index in zip(items, picked, strict=True)]


@given(groups(), st.integers(0, 6000))
def test_against_all_choices(items: list[list[Option]], limit: int) -> None:
    every = [list(choice) for choice in product(*items)]
    fitting = [choice for choice in every if bytes_of(choice) <= limit]
    picked = fewest_cycles(items, limit)
    assert smallest(items) == min(map(bytes_of, every))
    if picked is None:
        assert not fitting
    else:
        found = chosen(items, picked)
        assert bytes_of(found) <= limit
        assert cycles_of(found) == min(map(cycles_of, fitting))


@given(groups(), st.integers(0, 6000), st.integers(0, 1000))
def test_a_larger_limit_never_gives_more_cycles(items: list[list[Option]], limit: int, more: int) -> None:
    small, large = fewest_cycles(items, limit), fewest_cycles(items, limit + more)
    if small is not None:
        assert large is not None
        assert cycles_of(chosen(items, large)) <= cycles_of(chosen(items, small))


def test_shared_things_count_once() -> None:
    """Two layers of one shape: the fast kernel's code is worth its bytes when both use it."""
    item = [Option(10, 100, "fast", 500), Option(100, 100, "small", 50)]
    assert fewest_cycles([item], 599) == [1] and fewest_cycles([item], 600) == [0]
    assert fewest_cycles([item, item], 700) == [0, 0]
    assert fewest_cycles([item, item], 249) is None


def test_large_figures_never_exceed_the_limit() -> None:
    """Units are rounded up: a million bytes are counted in more than single ones."""
    items = [[Option(9, 1_000_003, (i, 0), 0), Option(20, 300_001, (i, 1), 7)] for i in range(9)]
    for limit in range(2_700_072, 9_100_000, 99_991):
        picked = fewest_cycles(items, limit)
        assert picked is not None and bytes_of(chosen(items, picked)) <= limit
