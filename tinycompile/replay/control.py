"""The order in which a region calls its kernels: what `templates/region.c.j2` prints, step by step."""

from collections.abc import Iterator

from tinycompile.program import Pull, RegionCode

Call = tuple[int, int]
"""The position of a stage in its region, and the row that its loop counts."""


class EndlessRegionError(AssertionError):
    """Stages ask each other for rows, and none can compute one; or one runs on behind its last row."""


def calls_of(region: RegionCode) -> Iterator[Call]:
    """Every call of a region, in order.

    Raises:
        EndlessRegionError: the loop of the region does not end.
    """
    if len(region.stages) > 1:
        yield from _by_demand(region)
        return
    rows = range(region.stages[0].calls)
    for row in reversed(rows) if region.backward else rows:
        yield 0, row


def _by_demand(region: RegionCode) -> Iterator[Call]:
    """Each target in turn computes all of its rows; a stage that lacks a row hands over to the one that makes it."""
    rows = [0] * len(region.stages)
    for target in region.targets:
        while rows[target] < region.stages[target].calls:
            position = _ready(region, rows, target)
            if rows[position] >= region.stages[position].calls:
                raise EndlessRegionError(f"stage {position} is asked for more rows than it has")
            yield position, rows[position]
            rows[position] += 1


def _ready(region: RegionCode, rows: list[int], position: int) -> int:
    """The stage that computes the next row, on the way to one of `position`."""
    for _ in region.stages:
        lacking = [
            pull.stage
            for pull in region.stages[position].pulls
            if rows[pull.stage] < wanted(pull, rows[position])
        ]
        if not lacking:
            return position
        position = lacking[0]
    raise EndlessRegionError(f"stage {position} waits for itself")


def wanted(pull: Pull, row: int) -> int:
    """Rows that a pull asks for before call `row`."""
    line = (row + pull.lead) // pull.repeat * pull.stride + pull.reach
    return pull.rows if pull.stride == 0 else min(line, pull.rows)
