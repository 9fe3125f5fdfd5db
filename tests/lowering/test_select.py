"""Selection: the fastest kernels, exchanged for smaller ones as far as flash and the allowance of cycles ask for it."""

from itertools import product

from hypothesis import given
from hypothesis import strategies as st

from tinycompile.lowering.select import _cycles, _flash, _rank, _save_flash
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
    found = _save_flash({0: Choice(whole, (cheap,))})
    assert found[0].chosen is whole
    assert _rank(cheap) > _rank(whole)


models = st.lists(st.lists(candidates, min_size=1, max_size=3).map(choice_of), min_size=1, max_size=4).map(
    lambda choices: dict(enumerate(choices))
)


@given(models, st.integers(0, 4000))
def test_fits_the_flash_when_any_choice_does(choices: dict[int, Choice], flash_bytes: int) -> None:
    found = _save_flash(choices, flash_bytes=flash_bytes)
    options = [(choice.chosen, *choice.rejected) for choice in choices.values()]
    possible = any(
        sum(c.flash_bytes for c in combination) <= flash_bytes for combination in product(*options)
    )
    assert (_flash(found) <= flash_bytes) == possible


@given(models, st.integers(0, 2000))
def test_spends_no_more_cycles_than_allowed(choices: dict[int, Choice], extra_cycles: int) -> None:
    found = _save_flash(choices, extra_cycles=extra_cycles)
    assert _cycles(found) <= _cycles(choices) + extra_cycles
    assert _flash(found) <= _flash(choices)


@given(models)
def test_no_candidate_is_lost(choices: dict[int, Choice]) -> None:
    found = _save_flash(choices)
    for node, choice in choices.items():
        after = found[node]
        assert sorted(map(id, (choice.chosen, *choice.rejected))) == sorted(
            map(id, (after.chosen, *after.rejected))
        )
        assert after.chosen.flash_bytes == min(c.flash_bytes for c in (choice.chosen, *choice.rejected))


@given(models, st.integers(3000, 5000))
def test_nothing_changes_when_all_fits(choices: dict[int, Choice], flash_bytes: int) -> None:
    if _flash(choices) <= flash_bytes:
        assert _save_flash(choices, flash_bytes=flash_bytes) == choices
