"""Streams that cannot be part of the best partition are not run, and leaving them out changes no plan."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.planning.test_stream import chain, window
from tests.replay.random_programs import planned
from tinycompile.plan import InputMode
from tinycompile.planning import partition as module
from tinycompile.planning import segment_search
from tinycompile.planning.liveness import LiveRange, Work
from tinycompile.planning.stream import Stream, stream


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["speed", "balanced", "ram"])
@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from([InputMode.ARENA, InputMode.CONST]))
def test_plans_are_those_of_all_streams(mode: str, seed: int, inputs: InputMode) -> None:
    found = planned(seed, mode, inputs)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(segment_search, "_modest_steps", lambda work, alone: [False] * len(work.steps))
        exhaustive = planned(seed, mode, inputs)
    assert found.schedule == exhaustive.schedule
    assert found.memory == exhaustive.memory
    assert found.selection == exhaustive.selection


def test_steps_that_fit_beside_the_input_are_in_no_stream_of_their_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The first step needs more than the input takes; the others less, so only streams with the first are of use."""
    seen: list[tuple[int, int]] = []

    def counted(work: Work, ranges: dict[int, LiveRange], first: int, last: int) -> Stream | None:
        seen.append((first, last))
        return stream(work, ranges, first, last)

    monkeypatch.setattr(segment_search, "stream", counted)
    work = chain([64, 16, 16, 16, 16, 16], [window(4, stride=4)] + [window(3, pad=1)] * 4)
    module.partition(work, cycles=10**6, allowance=0.05)
    assert seen == [(0, 1), (0, 2), (0, 3), (0, 4)]
