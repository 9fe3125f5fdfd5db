"""Offsets in the arena: greedy placement under several orders, until the lower bound is met.

Items are taken one after the other; each goes to the lowest offset that is legal against the items already placed: candidates are
offset 0, the place right above or below a placed item, and the places that a relation allows. The order decides the
result, so largest first, longest first, earliest first and seeded random mixtures are tried, and then the best order is
improved: an item that ends highest, or one that lives together with it, moves to another place in the order.
"""

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from random import Random

RANDOM_ORDERS = 100
MOVES = 1000
NEAR_MOVES = 100
NEAR = 1.005
"""Moves with which a placement is improved: fewer when hardly anything is left to save."""


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

    def holds(self, low_offset: int, high_offset: int) -> bool:
        """True when the offsets keep the relation."""
        if self.exact:
            return low_offset == high_offset
        return self.free or low_offset + self.lead_bytes <= high_offset


@dataclass(frozen=True)
class Offsets:
    """Offset of each item by key, and the bytes of the arena that holds them all."""

    offsets: Mapping[int, int]
    arena_bytes: int


def place(items: Sequence[Item], relations: Sequence[Relation], goal_bytes: int) -> Offsets:
    """Find offsets; stop at the first placement that needs no more than `goal_bytes`, else give the best one."""
    placer = _Placer([item for item in items if item.bytes], relations)
    best: Offsets | None = None
    best_order: list[Item] = []
    for order in _orders(placer.items):
        found = placer.run(order)
        if best is None or found.arena_bytes < best.arena_bytes:
            best, best_order = found, order
        if best.arena_bytes <= goal_bytes:
            break
    assert best is not None
    best = _improved(placer, best_order, best, goal_bytes)
    return Offsets({**{item.key: 0 for item in items}, **best.offsets}, best.arena_bytes)


def _improved(placer: "_Placer", order: list[Item], best: Offsets, goal_bytes: int) -> Offsets:
    """Climb: moves that do not make the arena larger are kept."""
    random = Random(2)
    for moves in range(MOVES):
        is_near = best.arena_bytes <= goal_bytes * NEAR
        if best.arena_bytes <= goal_bytes or (is_near and moves >= NEAR_MOVES):
            break
        highest = [i for i in order if best.offsets[i.key] + i.bytes == best.arena_bytes]
        one = random.choice(highest)
        near = [placer.by_key[key] for key in sorted(placer.rivals[one.key])]
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
    def __init__(self, items: Sequence[Item], relations: Sequence[Relation]) -> None:
        self.items = items
        self.by_key = {item.key: item for item in items}
        self.rivals = {
            a.key: {b.key for b in items if b is not a and a.first <= b.last and b.first <= a.last}
            for a in items
        }
        self.relations: dict[tuple[int, int], list[Relation]] = {}
        for relation in relations:
            for pair in ((relation.low, relation.high), (relation.high, relation.low)):
                self.relations.setdefault(pair, []).append(relation)

    def run(self, order: Sequence[Item]) -> Offsets:
        """Place the items in this order, each as low as it can go."""
        offsets: dict[int, int] = {}
        for item in order:
            rivals = self.rivals[item.key] & offsets.keys()
            offsets[item.key] = next(
                offset
                for offset in sorted(self._candidates(item, rivals, offsets))
                if all(self._legal(item, offset, self.by_key[key], offsets[key]) for key in rivals)
            )
        return Offsets(offsets, max((offsets[i.key] + i.bytes for i in self.items), default=0))

    def _candidates(self, item: Item, rivals: Set[int], offsets: Mapping[int, int]) -> set[int]:
        places = {0}
        for key in rivals:
            start = offsets[key]
            places.add(_up(start + self.by_key[key].bytes, item.align))
            places.add(_down(start - item.bytes, item.align))
            for relation in self.relations.get((item.key, key), ()):
                if relation.exact or relation.free:
                    places.add(_up(start, item.align))
                elif relation.low == item.key:
                    places.add(_down(start - relation.lead_bytes, item.align))
                else:
                    places.add(_up(start + relation.lead_bytes, item.align))
        return {place for place in places if place >= 0}

    def _legal(self, a: Item, a_offset: int, b: Item, b_offset: int) -> bool:
        if a_offset + a.bytes <= b_offset or b_offset + b.bytes <= a_offset:
            return True
        return any(
            r.holds(a_offset, b_offset) if r.low == a.key else r.holds(b_offset, a_offset)
            for r in self.relations.get((a.key, b.key), ())
        )


def _up(value: int, align: int) -> int:
    return -(-value // align) * align


def _down(value: int, align: int) -> int:
    return value // align * align
