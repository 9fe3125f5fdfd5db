"""The search for segments that can be part of the best partition: there are too many streams to look at all of them."""

from collections.abc import Callable
from dataclasses import dataclass

from tinycompile.planning.interval_program import Segments
from tinycompile.planning.liveness import Work, live_ranges
from tinycompile.planning.segments import (
    STREAM_CALL_CYCLES,
    Segment,
    linked_segments,
    single_segments,
    stream_segments,
)
from tinycompile.planning.stream import stream

SHORT_LENGTHS = (3, 6, 12)
MAX_LENGTH = 48
"""Lengths of streams: shorter ones first give a bound that makes the search for longer ones fast."""
LENGTH_OF_LITTLE_TIME = 16
"""The longest stream for allowances below the usual one: calls row by row use those up before more operators save memory."""
USUAL_ALLOWANCE = 0.05
"""The exchange pays hardly more than the peak that this allowance gives; longer streams are searched up to there."""


@dataclass(frozen=True)
class FoundSegments:
    """Segments by their last step, and those with planar rows."""

    plain: list[list[Segment]]
    linked: list[list[Segment]]

    @property
    def all(self) -> Segments:
        """Both."""
        return [plain + linked for plain, linked in zip(self.plain, self.linked, strict=True)]


def find_segments(
    work: Work, allowance_cycles: float, bound_of: Callable[[Segments], int], longest: int = MAX_LENGTH
) -> FoundSegments:
    """All segments of up to `longest` steps within the allowance, but for streams that cannot be best.

    The rings of a stream with one target only grow when steps follow. So one whose rings alone need more than the bound,
    which is asked for again when longer streams are known, is not made longer; nor is one that is beyond the allowance.
    A stream whose steps all fit alone into what every partition takes would save nothing, and cost calls. Two
    steps with planar rows between them may save cycles, so these are there in any case.
    """
    ranges = live_ranges(work)
    ending_at = [
        [s for s in single_segments(work, ranges, i) if s.effort[0] <= allowance_cycles]
        for i in range(len(work.steps))
    ]
    linked: list[list[Segment]] = [[] for _ in work.steps]
    for last in range(1, len(work.steps)):
        rows = stream(work, ranges, last - 1, last) if _may_link(work, last) else None
        if rows is not None:
            linked[last] += linked_segments(work, ranges, rows)
    if allowance_cycles <= 0:
        return FoundSegments(ending_at, linked)
    modest = _modest_steps(work, ending_at)
    ends = dict.fromkeys(range(len(work.steps)), 0)
    for length in (*SHORT_LENGTHS, longest):
        bound = bound_of(ending_at)
        for first, done in list(ends.items()):
            for last in range(first + max(done, 1), min(first + length, len(work.steps))):
                if all(modest[first : last + 1]):
                    continue
                rows = None
                if _call_cycles(work, first, last) <= allowance_cycles:
                    rows = stream(work, ranges, first, last)
                if rows is None or (len(rows.targets) == 1 and max(rows.live_bytes) > bound):
                    del ends[first]
                    break
                streams = stream_segments(work, ranges, rows)
                ending_at[last] += [segment for segment in streams if segment.effort[0] <= allowance_cycles]
                if last > first + 1:
                    linked[last] += linked_segments(work, ranges, rows)
                ends[first] = last - first + 1
    return FoundSegments(ending_at, linked)


def _may_link(work: Work, last: int) -> bool:
    """True when a step and the one before might have planar rows between them."""
    before, step = work.steps[last - 1 : last + 1]
    return bool(before.planar_row_bytes) and step.reads == before.writes


def _modest_steps(work: Work, alone: Segments) -> list[bool]:
    """True for each step that fits alone into the bytes of the inputs, below which nothing is, at its fewest cycles."""
    resident = sum(work.storages[storage].bytes for storage in work.inputs)
    fewest = [
        min((kernel.extra_cycles for kernel in step.kernels if not kernel.is_linked), default=0)
        for step in work.steps
    ]
    return [
        any(segment.cost_bytes <= resident and segment.effort[0] <= least for segment in segments)
        for segments, least in zip(alone, fewest, strict=True)
    ]


def _call_cycles(work: Work, first: int, last: int) -> int:
    """What the calls of a stream cost at least."""
    steps = work.steps[first : last + 1]
    return sum(step.rows.calls for step in steps if step.rows is not None) * STREAM_CALL_CYCLES
