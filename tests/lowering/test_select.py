"""Selection: the kernel with the least sum of cycles and flash, and exchanges within an allowance of cycles."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinycompile.lowering.select import (
    FLASH_WORTH,
    _cheapest,
    _cycles,
    _flash,
    _rank,
    _save_flash,
    cycles_per_byte,
)
from tinycompile.plan import Candidate, Choice
from tinycompile.program import Granularity

candidates = st.builds(
    Candidate,
    st.text("ab", min_size=1, max_size=3),
    st.integers(0, 1000),
    st.integers(0, 1000),
    st.just(0),
    st.just((Granularity.WHOLE,)),
)


def choice_of(listed: list[Candidate]) -> Choice:
    ranked = sorted(listed, key=lambda c: c.cycles)
    return Choice(ranked[0], tuple(ranked[1:]))


def test_a_kernel_that_only_accumulates_is_never_chosen_alone() -> None:
    """However cheap it is, it needs a stream around it; the planner may choose it there."""
    cheap = Candidate("accumulate", 1, 1, 0, (Granularity.ACCUMULATE,))
    whole = Candidate("whole", 100, 100, 0, (Granularity.WHOLE,))
    assert _save_flash({0: Choice(whole, (cheap,))}, 1e9)[0].chosen is whole
    assert _cheapest(Choice(whole, (cheap,)), 1e9).chosen is whole
    assert _rank(cheap) > _rank(whole)


models = st.lists(st.lists(candidates, min_size=1, max_size=3).map(choice_of), min_size=1, max_size=4).map(
    lambda choices: dict(enumerate(choices))
)


def all_of(choice: Choice) -> list[int]:
    return sorted(map(id, (choice.chosen, *choice.rejected)))


@given(models, st.integers(0, 2000))
def test_spends_no_more_cycles_than_allowed(choices: dict[int, Choice], extra_cycles: int) -> None:
    found = _save_flash(choices, extra_cycles)
    assert _cycles(found) <= _cycles(choices) + extra_cycles
    assert _flash(found) <= _flash(choices)


@given(models)
def test_with_enough_time_the_smallest_are_left(choices: dict[int, Choice]) -> None:
    found = _save_flash(choices, 1e9)
    for node, choice in choices.items():
        after = found[node]
        assert all_of(choice) == all_of(after)
        assert after.chosen.flash_bytes == min(c.flash_bytes for c in (choice.chosen, *choice.rejected))


@given(models, st.floats(0, 100))
def test_no_other_kernel_is_worth_more(choices: dict[int, Choice], worth: float) -> None:
    for choice in choices.values():
        after = _cheapest(choice, worth)
        assert all_of(choice) == all_of(after)
        for other in choice.rejected:
            saved = after.chosen.flash_bytes - other.flash_bytes
            assert other.cycles - after.chosen.cycles >= worth * saved - 1e-6


@pytest.mark.parametrize("optimize", ["speed", "flash"])
def test_what_a_byte_is_worth_goes_with_the_model(optimize: str) -> None:
    """Twice the cycles, twice the price; a percent of flash for so many percent of the cycles."""
    small = {0: Choice(Candidate("a", 1000, 500, 0, (Granularity.WHOLE,)))}
    large = {0: Choice(Candidate("a", 2000, 500, 0, (Granularity.WHOLE,)))}
    one, two = (cycles_per_byte(model, _flash(model), optimize) for model in (small, large))
    assert two == 2 * one and one == FLASH_WORTH[optimize] * 2
