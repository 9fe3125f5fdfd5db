"""Lower bounds of the arena, each with the assumption that makes it one."""

from collections.abc import Sequence

from tinycompile.plan import Bound
from tinycompile.planning.order import OrderResult
from tinycompile.planning.place import Item, Relation


def bounds_of(order: OrderResult, input_bytes: int, placement_bytes: int) -> tuple[Bound, ...]:
    """The bounds of a plan that runs one operator after the other, from the weakest assumption to the strongest."""
    return (
        Bound("input resident", input_bytes, True, "every input byte is in the arena before the first operator runs"),
        Bound(
            "operator by operator",
            order.bound_bytes,
            order.proved,
            "any order; each operator has its whole inputs and outputs in the arena, and its scratch"
            + ("" if order.proved else "; the search stopped at its limit"),
        ),
        Bound("placement", placement_bytes, True, "the live bytes of this schedule's regions, aligned"),
    )


def placement_bound(items: Sequence[Item], relations: Sequence[Relation]) -> int:
    """Bytes that no placement can go under: in some region the live items need them, whatever their offsets.

    Every item starts at a multiple of its alignment, so all but the highest one take up whole multiples. In each
    region only the related pair that saves most is taken as overlapping, and the pair's bytes are counted unaligned.
    """
    regions = {item.first for item in items}
    return max((_region_bound(items, relations, region) for region in regions), default=0)


def _region_bound(items: Sequence[Item], relations: Sequence[Relation], region: int) -> int:
    live = {item.key: item for item in items if item.first <= region <= item.last}
    total = sum(item.bytes for item in live.values())
    pairs = [(live[r.low], live[r.high], r) for r in relations if r.low in live and r.high in live]
    savings = [
        low.bytes + high.bytes - max(relation.lead_bytes + high.bytes, low.bytes) for low, high, relation in pairs
    ]
    if any(saving > 0 for saving in savings):
        return total - max(savings)
    least = min((item.align for item in live.values()), default=1)
    aligned = sum(-(-item.bytes // least) * least for item in live.values())
    slack = max((-item.bytes % least for item in live.values()), default=0)
    return aligned - slack
