"""Lower bounds of the arena, each with the assumption that makes it one."""

from collections.abc import Sequence
from math import inf

from tinycompile.plan import Bound
from tinycompile.planning.interval_program import LeastPeak
from tinycompile.planning.order import OrderResult
from tinycompile.planning.place import Item, Relation


def bounds_of(
    input_bytes: int, order: OrderResult, least: LeastPeak | None, placement_bytes: int
) -> tuple[Bound, ...]:
    """The bounds of a plan, from the weakest assumption to the strongest; `least` is that of its partition."""
    whole = "any order; each operator has its whole inputs, outputs and least scratch in the arena, overlaps only in place"
    resident = Bound(
        "input resident", input_bytes, True, "every input byte is in the arena before the first operator runs"
    )
    return (
        *((resident,) if input_bytes else ()),
        *((_of_family(least),) if least else ()),
        Bound("placement", placement_bytes, True, "these regions, with their buffers aligned"),
        Bound(
            "layer by layer",
            order.bound_bytes,
            order.proved,
            whole if order.proved else f"{whole}; the search stopped at its limit",
        ),
    )


def _of_family(least: LeastPeak) -> Bound:
    """What the dynamic program proves."""
    if least.allowance in (0, inf):
        effort = "no extra cycles" if least.allowance == 0 else "any extra cycles"
    else:
        effort = f"at most {least.allowance:.2%} extra cycles"
    family = f"this order; regions of up to {least.length} consecutive operators with rings of whole rows; {effort}"
    return Bound("plan family", least.bytes, True, family)


def placement_bound(items: Sequence[Item], relations: Sequence[Relation], peak_bytes: int) -> int:
    """Bytes that no placement can go under; `peak_bytes` is what the partition counted without alignment.

    Every item starts at a multiple of its alignment. So in a region where nothing may overlap all but the highest item
    take up whole multiples.
    """
    overlapping = {key for relation in relations for key in (relation.low, relation.high)}
    regions = {item.first for item in items}
    return max([peak_bytes, *(_aligned_bytes(items, region, overlapping) for region in regions)])


def _aligned_bytes(items: Sequence[Item], region: int, overlapping: set[int]) -> int:
    """Bytes of the items that live in a region, 0 if some may overlap."""
    live = [item for item in items if item.first <= region <= item.last]
    if any(item.key in overlapping for item in live):
        return 0
    least = min((item.align for item in live), default=1)
    aligned = sum(-(-item.bytes // least) * least for item in live)
    return aligned - max((-item.bytes % least for item in live), default=0)
