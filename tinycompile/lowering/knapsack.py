"""The fewest cycles within so many bytes: one option for each item; what several items use counts once.

A table over bytes holds the fewest cycles of the items so far; each item makes a new one. Items whose options use the same shared
things (layers of equal shapes: the code of their kernels) are added together: once for every few of these things, which are
paid first. Bytes count above those of the smallest choice, in units of the range from it to the largest one, rounded up. So a
limit is never exceeded, and a larger one never gives more cycles, as units do not depend on it.
"""

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[Any]

_UNITS = 1 << 14
_NEVER = 1 << 60
"""Cycles of what is not possible."""


@dataclass(frozen=True)
class Option:
    """One way to do an item: cycles, bytes of its own, and the thing that it shares with others, with that one's bytes."""

    cycles: int
    own_bytes: int
    shared: Hashable
    shared_bytes: int

    @property
    def bytes(self) -> int:
        """Bytes when nobody else uses the shared thing."""
        return self.own_bytes + self.shared_bytes


Item = Sequence[Option]


@dataclass(frozen=True, eq=False)
class _Step:
    """An item in a table: by units spent, the option that gives the fewest cycles and the units before it."""

    item: int
    picks: Integers
    before: Integers


@dataclass(frozen=True)
class _Way:
    """Items that use some shared things: bytes in any case, and for each item its options with bytes beyond that."""

    base_bytes: int
    options: tuple[tuple[tuple[int, int, int], ...], ...]
    """For each item (index of the option, cycles, bytes)."""


def fewest_cycles(items: Sequence[Item], limit_bytes: int) -> list[int] | None:
    """The option of each item that together take the fewest cycles and at most `limit_bytes`, None when nothing fits.

    Of choices with as many cycles the one with fewer bytes.
    """
    groups = [(group, list(_ways([items[i] for i in group]))) for group in _groups(items)]
    least = sum(min(way.base_bytes for way in ways) for _, ways in groups)
    most = sum(max(option.bytes for option in item) for item in items)
    unit = max(1, -(-(most - least) // _UNITS))
    if limit_bytes < least:
        return None
    cycles = np.full((limit_bytes - least) // unit + 1, _NEVER, np.int64)
    cycles[0] = 0
    done: list[tuple[Integers, list[list[_Step]]]] = []
    for group, ways in groups:
        first = min(way.base_bytes for way in ways)
        made = [_with_way(cycles, group, way, first, unit) for way in ways]
        tables = np.stack([table for table, _ in made])
        done.append((tables.argmin(axis=0), [steps for _, steps in made]))
        cycles = tables.min(axis=0)
    return _picked(done, int(cycles.argmin()))


def cheapest(items: Sequence[Item], cycles_per_byte: float) -> list[int]:
    """The option of each item with the least sum of cycles and bytes, a byte being worth so many cycles."""
    found: dict[int, int] = {}
    for group in _groups(items):
        made = [_cheapest_way(way, cycles_per_byte) for way in _ways([items[i] for i in group])]
        _, picked = min(made)
        found |= dict(zip(group, picked, strict=True))
    return [found[item] for item in range(len(items))]


def _cheapest_way(way: "_Way", cycles_per_byte: float) -> tuple[float, list[int]]:
    """Sum and options of the items of a group that use the things of a way."""
    best = [
        min((cycles + cycles_per_byte * option_bytes, index) for index, cycles, option_bytes in options)
        for options in way.options
    ]
    return cycles_per_byte * way.base_bytes + sum(cost for cost, _ in best), [index for _, index in best]


def smallest(items: Sequence[Item]) -> int:
    """Bytes of the smallest choice."""
    return sum(min(way.base_bytes for way in _ways([items[i] for i in group])) for group in _groups(items))


def bytes_of(options: Sequence[Option]) -> int:
    """What a choice takes: shared things once."""
    shared = {option.shared: option.shared_bytes for option in options}
    return sum(option.own_bytes for option in options) + sum(shared.values())


def _groups(items: Sequence[Item]) -> list[list[int]]:
    """Items whose options share the same things."""
    groups: dict[Hashable, list[int]] = {}
    for index, item in enumerate(items):
        groups.setdefault(frozenset(option.shared for option in item), []).append(index)
    return list(groups.values())


def _ways(group: Sequence[Item]) -> Iterator[_Way]:
    """Which shared things a group may use: one, two, or all of them."""
    things = {option.shared: option.shared_bytes for item in group for option in item}
    counts = {1, 2, len(things)} if len(group) > 1 else {1}
    for count in sorted(counts):
        for few in combinations(things, count):
            usable = [[(i, o) for i, o in enumerate(item) if o.shared in few] for item in group]
            if not all(usable):
                continue
            least = [min(option.own_bytes for _, option in options) for options in usable]
            yield _Way(
                sum(things[thing] for thing in few) + sum(least),
                tuple(
                    tuple((i, option.cycles, option.own_bytes - own) for i, option in options)
                    for options, own in zip(usable, least, strict=True)
                ),
            )


def _with_way(
    cycles: Integers, group: Sequence[int], way: _Way, first_bytes: int, unit: int
) -> tuple[Integers, list[_Step]]:
    """The table with the items of a group, which use the things of a way; `first_bytes` are counted already."""
    steps = []
    paid = -(-(way.base_bytes - first_bytes) // unit)
    for item, options in zip(group, way.options, strict=True):
        cycles, step = _with_item(cycles, item, options, paid, unit)
        steps.append(step)
        paid = 0
    return cycles, steps


def _with_item(
    cycles: Integers, item: int, options: Sequence[tuple[int, int, int]], paid: int, unit: int
) -> tuple[Integers, _Step]:
    """The table with one item, which takes `paid` units beside those of its option."""
    count = len(cycles)
    best = np.full(count, _NEVER, np.int64)
    picks, before = np.zeros(count, np.int16), np.zeros(count, np.int32)
    for index, extra_cycles, option_bytes in options:
        units = paid - (-option_bytes // unit)
        if units >= count:
            continue
        candidate = cycles[: count - units] + extra_cycles
        better = candidate < best[units:]
        best[units:][better] = candidate[better]
        picks[units:][better] = index
        before[units:][better] = np.arange(count - units)[better]
    return best, _Step(item, picks, before)


def _picked(done: Sequence[tuple[Integers, list[list[_Step]]]], spent: int) -> list[int]:
    """The options that lead to so many units."""
    found: dict[int, int] = {}
    for which, ways in reversed(done):
        for step in reversed(ways[int(which[spent])]):
            found[step.item] = int(step.picks[spent])
            spent = int(step.before[spent])
    return [found[item] for item in sorted(found)]
