"""Offsets in the arena: greedy placement under several orders, until the lower bound is met.

Items are taken one after the other; each goes to the lowest offset that is legal against the items already placed. The order
decides the result, so largest first, longest first, earliest first and seeded random mixtures are tried, and then the best order
is improved: an item that ends highest, or one that lives together with it, moves to another place in the order. Where that does
not lead to the bound, a few of the next best orders are improved too.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from random import Random

RANDOM_ORDERS = 100
MOVES = 1000
NEAR_MOVES = 100
NEAR = 1.005
"""Moves with which a placement is improved: fewer when hardly anything is left to save."""

OTHER_ORDERS = 8
OTHER_MOVES = 125
"""Orders behind the best one from which is climbed too, and moves of each."""


@dataclass(frozen=True)
class Item:
    """Bytes to place; `first` and `last` are the regions (inclusive) during which they must stay."""

    key: int
    bytes: int
    first: int
    last: int
    align: int


@dataclass(frozen=True)
class Relation:
    """Two items that may share bytes though both live: `low + lead_bytes <= high`; `exact`: only at equal offsets.

    `free`: they may lie anywhere, since they are never needed at the same time.
    """

    low: int
    high: int
    lead_bytes: int = 0
    exact: bool = False
    free: bool = False


@dataclass(frozen=True)
class Offsets:
    """Offset of each item by key, and the bytes of the arena that holds them all."""

    offsets: Mapping[int, int]
    arena_bytes: int


def place(items: Sequence[Item], relations: Sequence[Relation], goal_bytes: int) -> Offsets:
    """Find offsets; stop at the first placement that needs no more than `goal_bytes`, else give the best one."""
    placer = _Placer([item for item in items if item.bytes], relations)
    tried: list[tuple[Offsets, list[Item]]] = []
    for order in _orders(placer.items):
        tried.append((placer.run(order), order))
        if tried[-1][0].arena_bytes <= goal_bytes:
            break
    tried.sort(key=lambda one: one[0].arena_bytes)
    best = _improved(placer, *tried[0], goal_bytes, MOVES)
    for found, order in tried[1 : 1 + OTHER_ORDERS]:
        if best.arena_bytes <= goal_bytes * NEAR:
            break
        other = _improved(placer, found, order, goal_bytes, OTHER_MOVES)
        best = min(best, other, key=lambda one: one.arena_bytes)
    return Offsets({**{item.key: 0 for item in items}, **best.offsets}, best.arena_bytes)


def _improved(
    placer: "_Placer", best: Offsets, order: list[Item], goal_bytes: int, most_moves: int
) -> Offsets:
    """Climb: moves that do not make the arena larger are kept."""
    random = Random(2)
    for moves in range(most_moves):
        is_near = best.arena_bytes <= goal_bytes * NEAR
        if best.arena_bytes <= goal_bytes or (is_near and moves >= NEAR_MOVES):
            break
        highest = [i for i in order if best.offsets[i.key] + i.bytes == best.arena_bytes]
        one = random.choice(highest)
        near = [placer.by_key[key] for key in sorted(placer.together[one.key])]
        moved = random.choice([one, *near])
        trial = [item for item in order if item is not moved]
        trial.insert(random.randrange(len(order)), moved)
        found = placer.run(trial)
        if found.arena_bytes <= best.arena_bytes:
            best, order = found, trial
    return best


def _orders(items: Sequence[Item]) -> "list[list[Item]]":
    """Orders to try, the most promising first; the same items give the same orders."""
    by_size = sorted(items, key=lambda i: (-i.bytes, i.first, i.key))
    by_life = sorted(items, key=lambda i: (i.first - i.last, -i.bytes, i.key))
    by_time = sorted(items, key=lambda i: (i.first, -i.bytes, i.key))
    by_time_backwards = sorted(items, key=lambda i: (-i.last, -i.bytes, i.key))
    random = Random(1)
    mixtures = []
    for _ in range(RANDOM_ORDERS):
        weights = {item.key: item.bytes * random.uniform(0.3, 1) for item in by_size}
        mixtures.append(sorted(by_size, key=lambda i: -weights[i.key]))
    return [by_size, by_life, by_time, by_time_backwards, *mixtures]


class _Placer:
    """Places items in an order. `together` are those that live at the same time."""

    def __init__(self, items: Sequence[Item], relations: Sequence[Relation]) -> None:
        self.items = items
        self.by_key = {item.key: item for item in items}
        self.together = {
            a.key: {b.key for b in items if b is not a and a.first <= b.last and b.first <= a.last}
            for a in items
        }
        self.clashes = {
            a: {b: _Clash(self.by_key[a].bytes, self.by_key[b].bytes) for b in others}
            for a, others in self.together.items()
        }
        for relation in relations:
            for a, b in ((relation.low, relation.high), (relation.high, relation.low)):
                if b in self.clashes.get(a, ()):
                    self.clashes[a][b] = self.clashes[a][b].but_for(relation, is_low=a == relation.low)

    def run(self, order: Sequence[Item]) -> Offsets:
        """Place the items in this order, each as low as it can go."""
        offsets: dict[int, int] = {}
        for item in order:
            clashes = self.clashes[item.key]
            taken = [
                gap for key in clashes.keys() & offsets.keys() for gap in clashes[key].around(offsets[key])
            ]
            offsets[item.key] = _lowest(sorted(taken), item.align)
        return Offsets(offsets, max((offsets[i.key] + i.bytes for i in self.items), default=0))


@dataclass(frozen=True)
class _Clash:
    """Where an item must not begin: less than so many bytes below and above the beginning of another one.

    With `exact` it may begin where that one does.
    """

    below: int
    above: int
    exact: bool = False

    def but_for(self, relation: Relation, is_low: bool) -> "_Clash":
        """Without the places that a relation allows the item, which is its lower or its higher one."""
        if relation.free:
            return _Clash(0, 0)
        if relation.exact:
            return replace(self, exact=True)
        if is_low:
            return replace(self, below=min(self.below, relation.lead_bytes))
        return replace(self, above=min(self.above, relation.lead_bytes))

    def around(self, start: int) -> tuple[tuple[int, int], ...]:
        """Gaps between offsets, within which the item must not begin, when the other one begins at `start`."""
        low, high = start - self.below, start + self.above
        return ((low, start), (start, high)) if self.exact else ((low, high),)


def _lowest(taken: Sequence[tuple[int, int]], align: int) -> int:
    """The lowest aligned offset that lies within no gap, both ends excluded; gaps ascend."""
    offset = 0
    for low, high in taken:
        if low >= offset:
            break
        if offset < high:
            offset = -(-high // align) * align
    return offset
