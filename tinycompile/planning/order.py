"""The order of steps with the least peak: a best-first search over the sets of steps already done.

A state is a set of done steps that contains every producer of its members; its live bytes follow from the set alone. The cost of
a path is the highest peak on it, so the first time the full set leaves the queue its path is optimal (bottleneck shortest path).
When the search stops at its limit a beam search gives a good order instead.
Exact reduction: a step that stays under the peak already paid and does not grow live memory may go first, and no other
step needs to be tried in that state.
"""

from dataclasses import dataclass
from heapq import heappop, heappush

from tinycompile.planning.liveness import Work

BEAM_STATES = 100
"""Sets of done steps that are followed at a time when the search did not end."""


@dataclass(frozen=True)
class OrderResult:
    """Indices of the steps in order, its peak in bytes (alignment not counted), and what the search proved.

    `bound_bytes` is a lower bound of every order's peak; `proved` tells that `peak_bytes` equals it.
    """

    order: tuple[int, ...]
    peak_bytes: int
    bound_bytes: int
    proved: bool


class _Steps:
    """Steps as bit masks: what a step needs done before, and what it adds to and frees from live memory."""

    def __init__(self, work: Work) -> None:
        self.work = work
        self.count = len(work.steps)
        self.bytes = {key: storage.bytes for key, storage in work.storages.items()}
        self.consumers: dict[int, int] = dict.fromkeys(work.storages, 0)
        producer: dict[int, int] = {}
        for index, step in enumerate(work.steps):
            producer.update(dict.fromkeys(step.writes, index))
            for storage in step.reads:
                self.consumers[storage] |= 1 << index
        self.needs = [0] * self.count
        position = {step.node: index for index, step in enumerate(work.steps)}
        for index, step in enumerate(work.steps):
            for storage in step.reads:
                if storage in producer:
                    self.needs[index] |= 1 << producer[storage]
            for node in step.follows:
                self.needs[index] |= 1 << position[node]

    def run(self, done: int, live: int, index: int) -> tuple[int, int]:
        """Peak of running a step after the set `done`, and the live bytes after it."""
        step, work = self.work.steps[index], self.work
        after = done | 1 << index
        dying = {s for s in step.reads if s not in work.kept and not self.consumers[s] & ~after}
        written = sum(self.bytes[s] for s in step.writes)
        savings = [
            self.bytes[o.read]
            + self.bytes[o.written]
            - o.joint_bytes(self.bytes[o.read], self.bytes[o.written])
            for o in step.overlaps
            if o.read in dying
        ]
        peak = live + written + step.scratch_bytes - max([0, *savings])
        unread = sum(self.bytes[s] for s in step.writes if not self.consumers[s] and s not in work.kept)
        return peak, live + written - unread - sum(self.bytes[s] for s in dying)

    def ready(self, done: int) -> list[int]:
        """Steps that can run next."""
        return [i for i in range(self.count) if not done >> i & 1 and not self.needs[i] & ~done]

    def first_order(self) -> tuple[int, ...]:
        """The order of the file, with steps moved back as far as they must."""
        order: list[int] = []
        done = 0
        while len(order) < self.count:
            order.append(self.ready(done)[0])
            done |= 1 << order[-1]
        return tuple(order)

    def start(self) -> int:
        """Live bytes before the first step: all inputs."""
        return sum(self.bytes[s] for s in self.work.inputs)

    def peak_of(self, order: tuple[int, ...]) -> int:
        """Peak of one order."""
        done, live = 0, self.start()
        peak = live
        for index in order:
            step_peak, live = self.run(done, live, index)
            peak, done = max(peak, step_peak), done | 1 << index
        return peak


def search_order(work: Work, limit: int = 20_000) -> OrderResult:
    """Find an order with the least peak; after `limit` states give the best known one with the bound that was reached.

    The order of the file is kept when no other one is better; where it destroys the value of a variable too early, the
    operator that does it waits.
    """
    steps = _Steps(work)
    given = steps.first_order()
    given_peak = steps.peak_of(given)
    found, bound, closed = _search(steps, given_peak, limit)
    if found is not None and bound < given_peak:
        return OrderResult(found, bound, bound, True)
    if not closed:
        found = _beam(steps, BEAM_STATES)
        peak = steps.peak_of(found)
        if peak < given_peak:
            return OrderResult(found, peak, bound, peak == bound)
    return OrderResult(given, given_peak, bound, closed)


def _beam(steps: _Steps, width: int) -> tuple[int, ...]:
    """A good order: step by step from the `width` best sets of done steps, those with the lowest peak, then the least live."""
    states: dict[int, tuple[int, int, tuple[int, ...]]] = {0: (steps.start(), steps.start(), ())}
    for _ in range(steps.count):
        found: dict[int, tuple[int, int, tuple[int, ...]]] = {}
        for done, (peak, live, order) in states.items():
            for index in steps.ready(done):
                step_peak, live_after = steps.run(done, live, index)
                state = (max(peak, step_peak), live_after, (*order, index))
                after = done | 1 << index
                found[after] = min(state, found.get(after, state))
        kept = sorted(found, key=lambda done: found[done])[:width]
        states = {done: found[done] for done in kept}
    ((_, _, order),) = states.values()
    return order


def _search(steps: _Steps, best: int, limit: int) -> tuple[tuple[int, ...] | None, int, bool]:
    """An order below `best`, if there is one; a lower bound of all orders; and whether the search ended by itself."""
    full = (1 << steps.count) - 1
    parent: dict[int, tuple[int, int]] = {}
    cheapest = {0: steps.start()}
    closed: set[int] = set()
    queue = [(steps.start(), steps.count, steps.start(), 0)]
    while queue:
        peak, left, live, done = heappop(queue)
        if done in closed:
            continue
        if done == full or peak >= best:
            return (_path(parent, full) if done == full else None), peak, True
        if len(closed) >= limit:
            return None, peak, False
        closed.add(done)
        moves = [(*steps.run(done, live, index), index) for index in steps.ready(done)]
        free = [move for move in moves if move[0] <= peak and move[1] <= live]
        for step_peak, live_after, index in free[:1] or moves:
            after, cost = done | 1 << index, max(peak, step_peak)
            if after not in closed and cost < cheapest.get(after, cost + 1):
                cheapest[after], parent[after] = cost, (done, index)
                heappush(queue, (cost, left - 1, live_after, after))
    return None, best, True


def _path(parent: dict[int, tuple[int, int]], done: int) -> tuple[int, ...]:
    order: list[int] = []
    while done:
        done, index = parent[done]
        order.append(index)
    return tuple(reversed(order))
