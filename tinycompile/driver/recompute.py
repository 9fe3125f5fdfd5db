"""Selection and plan of a graph, in vertical stripes when extra multiply-accumulates are allowed and save memory."""

from collections.abc import Callable

from tinycompile.ir import Graph
from tinycompile.passes import SplitStripes, run_passes
from tinycompile.plan import InputMode, Selection
from tinycompile.planning import Plan, plan, stripes_within

Choose = Callable[[Graph], Selection]
"""Chooses the kernels of a graph."""


def planned_graph(
    graph: Graph,
    choose: Choose,
    *,
    optimize: str,
    input_mode: InputMode,
    ram_limit: int | None = None,
    recompute: float = 0.0,
) -> tuple[Graph, Plan]:
    """The graph that is compiled, with its plan (see `plan`).

    With `recompute` (percent of the graph's MACs) it is the one with its first layers in stripes, if that needs less
    memory; under a `ram_limit` only if nothing fits without.
    """

    def planned(candidate: Graph) -> tuple[Graph, Plan]:
        selection = choose(candidate)
        found = plan(candidate, selection, optimize=optimize, ram_limit=ram_limit, input_mode=input_mode)
        return candidate, found

    if recompute <= 0:
        return planned(graph)
    tried = []
    if ram_limit is not None:
        tried.append(planned(graph))
        if _ram_bytes(tried[0]) <= ram_limit:
            return tried[0]
    found = striped_graph(graph, choose, input_mode=input_mode, recompute=recompute)
    if found is not None:
        striped, peak_without_bytes = found
        tried.append(planned(striped))
        if ram_limit is None and tried[0][1][2].arena_bytes < peak_without_bytes:
            return tried[0]
    if ram_limit is None:
        tried.append(planned(graph))
    return min(tried, key=_ram_bytes)


def striped_graph(
    graph: Graph, choose: Choose, *, input_mode: InputMode, recompute: float
) -> tuple[Graph, int] | None:
    """The graph with its first layers in the stripes that save most, and the peak without; None when none save anything."""
    choices = stripes_within(graph, choose(graph), recompute, input_mode)
    if not choices:
        return None
    return run_passes(graph, (SplitStripes(choices[0].stripes),)), choices[0].peak_without_bytes


def _ram_bytes(planned: tuple[Graph, Plan]) -> int:
    _, (_, _, memory) = planned
    return memory.arena_bytes + memory.state_bytes
