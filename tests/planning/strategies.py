"""Random work for the planner: steps over storages, without any operator behind them."""

from hypothesis import strategies as st

from tinycompile.planning.liveness import Step, Storage, Work
from tinycompile.planning.overlap import Overlap


@st.composite
def works(draw: st.DrawFn, max_steps: int = 6) -> Work:
    """Work of a few steps: each reads earlier storages, writes one, has scratch, and may run in place or over an input."""
    inputs = draw(st.integers(1, 2))
    count = draw(st.integers(1, max_steps))
    storages = {
        key: Storage(key, draw(st.integers(1, 40)), draw(st.sampled_from([1, 4])), (key,))
        for key in range(inputs + count)
    }
    steps = []
    for index in range(count):
        written = inputs + index
        reads = tuple(sorted(draw(st.sets(st.integers(0, written - 1), min_size=1, max_size=3))))
        overlaps = tuple(draw(_overlap(read, written, storages)) for read in reads if draw(st.booleans()))
        scratch = draw(st.sampled_from([0, 0, 16, 24]))
        steps.append(Step(index, reads, (written,), scratch, overlaps))
    kept = draw(st.sets(st.integers(0, inputs + count - 1), min_size=1, max_size=2))
    return Work(tuple(steps), storages, frozenset(range(inputs)), frozenset(kept))


@st.composite
def _overlap(draw: st.DrawFn, read: int, written: int, storages: dict[int, Storage]) -> Overlap:
    if storages[read].bytes == storages[written].bytes and draw(st.booleans()):
        return Overlap(read, written, exact=True)
    return Overlap(read, written, draw(st.integers(0, 30)))
