"""Lower bounds of the arena, each with the assumption that makes it one."""

from collections.abc import Mapping, Sequence

from tinycompile.plan import Bound
from tinycompile.planning.order import OrderResult
from tinycompile.planning.place import Item, Relation


def bounds_of(input_bytes: int, order: OrderResult, peak_bytes: int, placement_bytes: int) -> tuple[Bound, ...]:
    """The bounds of a plan, from the weakest assumption to the strongest; `peak_bytes` is that of its partition."""
    whole = "any order; each operator has its whole inputs, outputs and scratch in the arena, and overlaps only in place"
    return (
        Bound("input resident", input_bytes, True, "every input byte is in the arena before the first operator runs"),
        Bound(
            "plan family",
            peak_bytes,
            True,
            "this order; regions are runs of consecutive operators with rings of whole rows and one overlap each",
        ),
        Bound("placement", placement_bytes, True, "these regions, with their buffers aligned"),
        Bound(
            "layer by layer",
            order.bound_bytes,
            order.proved,
            whole if order.proved else f"{whole}; the search stopped at its limit",
        ),
    )


def placement_bound(items: Sequence[Item], relations: Sequence[Relation]) -> int:
    """Bytes that no placement can go under: in some region the live items need them, whatever their offsets.

    Every item starts at a multiple of its alignment, so all but the highest one take up whole multiples. Where items may
    overlap, what that saves at most is taken off, and bytes are counted unaligned.
    """
    regions = {item.first for item in items}
    return max((_region_bound(items, relations, region) for region in regions), default=0)


def _region_bound(items: Sequence[Item], relations: Sequence[Relation], region: int) -> int:
    live = {item.key: item for item in items if item.first <= region <= item.last}
    total = sum(item.bytes for item in live.values())
    saving = _saving(live, relations)
    if saving:
        return total - saving
    least = min((item.align for item in live.values()), default=1)
    aligned = sum(-(-item.bytes // least) * least for item in live.values())
    slack = max((-item.bytes % least for item in live.values()), default=0)
    return aligned - slack


def _saving(live: Mapping[int, Item], relations: Sequence[Relation]) -> int:
    """Bytes that overlaps can save at most. An exact one excludes any other, since the inputs are disjoint."""
    exact, led = 0, dict[frozenset[int], int]()
    for relation in relations:
        if relation.low in live and relation.high in live:
            low, high = live[relation.low].bytes, live[relation.high].bytes
            saving = low + high - max(relation.lead_bytes + high, low)
            pair = frozenset((relation.low, relation.high))
            if relation.exact:
                exact = max(exact, saving)
            else:
                led[pair] = max(led.get(pair, 0), saving)
    return max(exact, sum(led.values()))
