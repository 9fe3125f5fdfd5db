"""Which first layers to compute in vertical stripes, and in how many, when extra multiply-accumulates are allowed.

Everything up to a tensor runs once for each stripe, its rows streaming; the tensor is kept whole. The rings are then narrower by
the number of stripes, but for the columns that neighbouring stripes both need. What a choice would take is estimated from the
streams of the whole rows; the plan of the striped graph then tells exactly.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import ceil, inf

from tinycompile.ir import Graph
from tinycompile.ops import Columns, columns_before, operation, operator_of
from tinycompile.plan import InputMode, Selection, Stripes
from tinycompile.planning.interval_program import Segments
from tinycompile.planning.liveness import LiveRange, Work, live_ranges, work_of
from tinycompile.planning.order import search_order
from tinycompile.planning.partition import usable_segments
from tinycompile.planning.stream import Stream, stream

MOST_STRIPES = 16


@dataclass(frozen=True)
class StripesEstimate:
    """A choice with the bytes it may take, and those of the best plan without stripes."""

    stripes: Stripes
    peak_bytes: int
    peak_without_bytes: int


def stripes_within(
    graph: Graph, selection: Selection, percent: float, input_mode: InputMode, align: int = 4
) -> list[StripesEstimate]:
    """Choices that promise less than any plan without stripes and need at most `percent` more MACs, the best ones first."""
    if input_mode is InputMode.ROWS:  # rows are delivered once
        return []
    given = work_of(graph, selection, align, input_mode)
    work = given.reordered(search_order(given.with_least_scratch()).order)
    cycles = max(sum(choice.chosen.cycles for choice in selection.values()), 1)
    peaks = _least_peaks(usable_segments(work, cycles, None))
    found = []
    for last, rows in _beginnings(graph, work):
        tensor = work.steps[last].writes[0]
        for count in range(2, MOST_STRIPES + 1):
            widths = _widths(graph, tensor, count)
            if widths is None or _extra_macs_percent(graph, widths) > percent:
                break
            peak = max(_striped_bytes(graph, work, rows, widths), peaks[last + 1])
            if peak < peaks[0]:
                found.append(StripesEstimate(Stripes(tensor, count), peak, peaks[0]))
    return sorted(found, key=lambda choice: (choice.peak_bytes, choice.stripes.count))


def _least_peaks(segments: Segments) -> list[int]:
    """For each position in the order the least peak of all partitions of the steps from there on."""
    peaks: list[float] = [0.0]
    starting_at: dict[int, list[tuple[int, int]]] = {}
    for ending in segments:
        for segment in ending:
            starting_at.setdefault(segment.first, []).append((segment.last, segment.cost_bytes))
    count = len(segments)
    peaks = [inf] * count + [0]
    for first in reversed(range(count)):
        peaks[first] = min(max(cost, peaks[last + 1]) for last, cost in starting_at[first])
    return [int(peak) for peak in peaks]


def _beginnings(graph: Graph, work: Work) -> Iterator[tuple[int, Stream]]:
    """The last step, and the stream, of each run of first steps from which one image alone goes on."""
    ranges = live_ranges(work)
    for last, step in enumerate(work.steps):
        if len(step.writes) != 1 or step.writes[0] in graph.outputs:
            return
        tensor = graph.tensors[step.writes[0]]
        whole = (0, tensor.shape[2]) if len(tensor.shape) == 4 else (0, 0)
        computed = columns_before(graph, tensor.id, whole) if len(tensor.shape) == 4 else None
        if computed is None:
            return
        nodes = {node for t in computed if (node := graph.producers.get(t)) is not None}
        if last and len(nodes) == last + 1 and _goes_on(work, ranges, last) == {tensor.id}:
            rows = stream(work, ranges, 0, last)
            if rows is not None:
                yield last, rows


def _goes_on(work: Work, ranges: Mapping[int, LiveRange], last: int) -> set[int]:
    """Storages that are written up to a step and read after it."""
    return {s for step in work.steps[: last + 1] for s in step.writes if ranges[s].last > last}


def _widths(graph: Graph, tensor: int, count: int) -> list[Mapping[int, Columns]] | None:
    """For each stripe the columns of every tensor that it computes."""
    width = graph.tensors[tensor].shape[2]
    borders = [width * i // count for i in range(count + 1)]
    if count > width:
        return None
    found = [columns_before(graph, tensor, (borders[i], borders[i + 1])) for i in range(count)]
    return None if any(stripe is None for stripe in found) else [stripe for stripe in found if stripe]


def _extra_macs_percent(graph: Graph, widths: list[Mapping[int, Columns]]) -> float:
    """MACs that are computed twice, as a percentage of all."""
    total, extra = 0, 0.0
    for node in graph.nodes:
        macs = operator_of(node).macs(operation(graph, node))
        total += macs
        tensor = graph.tensors[node.outputs[0]]
        if tensor.id in widths[0]:
            columns = sum(stripe[tensor.id][1] - stripe[tensor.id][0] for stripe in widths)
            extra += macs * (columns / tensor.shape[2] - 1)
    return 100 * extra / total if total else inf


def _striped_bytes(graph: Graph, work: Work, rows: Stream, widths: list[Mapping[int, Columns]]) -> int:
    """Rings as wide as those of the widest stripe, with the least scratch; the whole result; inputs in the arena."""

    def ring_bytes(storage: int) -> int:
        columns = max(stripe[storage][1] - stripe[storage][0] for stripe in widths)
        return ceil(rows.ring_bytes[storage] * columns / graph.tensors[storage].shape[2])

    least = [min(kernel.scratch_bytes for kernel in step.kernels) for step in work.steps[: rows.last + 1]]
    rings = max(
        sum(map(ring_bytes, held)) + scratch
        for sets, scratch in zip(rows.live, least, strict=True)
        for held in sets
    )
    whole = work.steps[rows.last].writes[0]
    return rings + sum(work.storages[storage].bytes for storage in (whole, *work.inputs))
