"""Placement: live items never share bytes unless a relation allows it, and the bound is a bound."""

from hypothesis import given
from hypothesis import strategies as st

from tinycompile.planning.bounds import placement_bound
from tinycompile.planning.place import Item, Relation, place


@st.composite
def items_and_relations(draw: st.DrawFn) -> tuple[list[Item], list[Relation]]:
    """Items with live ranges, and some relations between items of which one ends where the other begins."""
    items = []
    for key in range(draw(st.integers(1, 10))):
        first = draw(st.integers(0, 5))
        align = draw(st.sampled_from([1, 4, 16]))
        items.append(Item(key, draw(st.integers(0, 60)), first, draw(st.integers(first, 6)), align))
    pairs = [(a, b) for a in items for b in items if a is not b and a.first == b.last]
    relations = []
    for low, high in pairs:
        kind = draw(st.sampled_from(["none", "lead", "exact"]))
        if kind == "lead":
            relations.append(Relation(low.key, high.key, draw(st.integers(0, 20))))
        elif kind == "exact" and low.bytes == high.bytes:
            relations.append(Relation(low.key, high.key, exact=True))
    return items, relations


@given(items_and_relations())
def test_live_items_do_not_share_bytes(case: tuple[list[Item], list[Relation]]) -> None:
    items, relations = case
    result = place(items, relations, 0)
    at = result.offsets
    for a in items:
        assert at[a.key] >= 0 and at[a.key] % a.align == 0
        assert at[a.key] + a.bytes <= result.arena_bytes
        for b in items:
            live_together = a.key < b.key and a.first <= b.last and b.first <= a.last
            if not live_together or at[a.key] + a.bytes <= at[b.key] or at[b.key] + b.bytes <= at[a.key]:
                continue
            assert any(
                {r.low, r.high} == {a.key, b.key}
                and (at[r.low] == at[r.high] if r.exact else at[r.low] + r.lead_bytes <= at[r.high])
                for r in relations
            )


@given(items_and_relations())
def test_is_the_same_every_time(case: tuple[list[Item], list[Relation]]) -> None:
    goal = placement_bound(*case, 0)
    assert place(*case, goal) == place(*case, goal)


@given(st.lists(st.tuples(st.integers(1, 60), st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=6))
def test_the_bound_is_below_the_arena(spans: list[tuple[int, int, int]]) -> None:
    items = [Item(key, size, first, first + length, 4) for key, (size, first, length) in enumerate(spans)]
    bound = placement_bound(items, [], 0)
    assert bound <= place(items, [], bound).arena_bytes
    assert bound >= max(sum(i.bytes for i in items if i.first <= t <= i.last) for t in range(8))


def test_a_lead_lets_the_output_run_ahead_of_its_input() -> None:
    items = [Item(0, 100, 0, 1, 4), Item(1, 60, 1, 2, 4)]
    relation = Relation(low=1, high=0, lead_bytes=20)
    assert place(items, [relation], 120).arena_bytes == 120


def test_an_exact_relation_places_in_place() -> None:
    items = [Item(0, 100, 0, 1, 4), Item(1, 100, 1, 2, 4), Item(2, 8, 1, 1, 4)]
    assert place(items, [Relation(1, 0, exact=True)], 108).arena_bytes == 108


def test_climbs_from_several_orders() -> None:
    """Items of a network in two branches: from the best of the first orders alone no climb leads below 680 bytes."""
    spans = [
        (384, 0, 0), (288, 0, 1), (144, 1, 5), (144, 1, 2), (120, 2, 3), (120, 3, 4), (144, 4, 5), (288, 5, 6),
        (288, 6, 7), (12, 7, 8), (100, 8, 9), (100, 9, 9),
    ]  # fmt: skip
    scratch = [(200, 0), (48, 2), (384, 3), (48, 4), (24, 8)]
    items = [Item(key, size, first, last, 4) for key, (size, first, last) in enumerate(spans)]
    items += [Item(-1 - key, size, region, region, 16) for key, (size, region) in enumerate(scratch)]
    leads = [(1, 0, 72), (0, 1, 192), (4, 3, -1), (6, 5, 24)]
    relations = [Relation(*lead) for lead in leads] + [
        Relation(low, high, exact=True) for low, high in ((5, 4), (11, 10))
    ]
    assert placement_bound(items, relations, 0) <= 656
    assert place(items, relations, 656).arena_bytes < 680
