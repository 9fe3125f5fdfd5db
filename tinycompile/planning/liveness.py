"""What the planner knows of a graph: storages (tensors that share bytes) and steps (operators that run).

A view (RESHAPE and its like) is no step: its output has the storage of its input. A step may place its output over an input
that dies there: exactly over it (in place), or so that it runs ahead of the rows that are still to be read.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from tinycompile.ir import Graph, Node
from tinycompile.ops import Operation, is_gathered, operation, operator_of, planar_row_bytes, shown_tensors
from tinycompile.plan import Choice, InputMode, Selection
from tinycompile.planning.outside import outside_tensors
from tinycompile.planning.overlap import Overlap, kernel_overlaps
from tinycompile.planning.rows import RowStep, Source, accumulating_step, row_step
from tinycompile.program import Granularity, RowFormat


@dataclass(frozen=True)
class Storage:
    """Bytes that one tensor and its views share. `id` is the tensor that is written; `align` is in bytes."""

    id: int
    bytes: int
    align: int
    tensors: tuple[int, ...]


@dataclass(frozen=True)
class KernelOption:
    """A kernel that could compute a step; `extra_cycles` is what it costs more than the chosen one, a linked one perhaps less.

    `overlaps` hold when it computes all at once, beside those of the step.
    """

    name: str
    scratch_bytes: int
    extra_cycles: int
    granularities: tuple[Granularity, ...]
    overlaps: tuple[Overlap, ...] = ()
    reads: RowFormat = RowFormat.INTERLEAVED
    writes: RowFormat = RowFormat.INTERLEAVED

    @property
    def is_linked(self) -> bool:
        """True for one that works with another step only, since rows lie as that one wants them."""
        return RowFormat.PLANAR in (self.reads, self.writes)


@dataclass(frozen=True)
class Step:
    """An operator that runs: the storages it reads and writes, and the kernels that could compute it, the chosen one first.

    `scratch_bytes` and `overlaps` are those of the chosen kernel when it computes all at once. How rows overlap follows from
    `rows` (calls make output rows) and `accumulation` (calls take in input rows), None where no kernel works that way.
    """

    node: int
    reads: tuple[int, ...]
    writes: tuple[int, ...]
    scratch_bytes: int = 0
    overlaps: tuple[Overlap, ...] = ()
    kernels: tuple[KernelOption, ...] = ()
    follows: tuple[int, ...] = ()
    """Nodes that must have run before, although this one reads nothing of theirs: they need the value that it destroys."""
    gathers: bool = False
    """Some rows that it reads lie in several tensors: it takes part in no stream."""
    rows: RowStep | None = None
    accumulation: RowStep | None = None
    planar_row_bytes: int = 0
    """Bytes of an output row that is planar, 0 when there is none."""

    def cheapest_first(
        self,
        granularity: Granularity,
        reads: RowFormat = RowFormat.INTERLEAVED,
        writes: RowFormat = RowFormat.INTERLEAVED,
    ) -> tuple[KernelOption, ...]:
        """The kernels that work this way, those with the fewest extra cycles first, then those with the least scratch."""
        return self._ranked.get((granularity, reads, writes), ())

    @cached_property
    def _ranked(self) -> Mapping[tuple[Granularity, RowFormat, RowFormat], tuple[KernelOption, ...]]:
        found: dict[tuple[Granularity, RowFormat, RowFormat], list[KernelOption]] = {}
        for kernel in sorted(self.kernels, key=lambda kernel: (kernel.extra_cycles, kernel.scratch_bytes)):
            for granularity in kernel.granularities:
                found.setdefault((granularity, kernel.reads, kernel.writes), []).append(kernel)
        return {how: tuple(kernels) for how, kernels in found.items()}


@dataclass(frozen=True)
class Work:
    """Steps in an order in which they can run, and the storages they need in the arena. What lies outside of it is left out.

    `inputs` are written by the caller before the first step (and may be destroyed); `kept` must outlive the last one.
    """

    steps: tuple[Step, ...]
    storages: Mapping[int, Storage]
    inputs: frozenset[int]
    kept: frozenset[int]

    def reordered(self, order: Sequence[int]) -> "Work":
        """The same work with its steps in another order, given by their present indices."""
        return Work(tuple(self.steps[i] for i in order), self.storages, self.inputs, self.kept)

    def with_least_scratch(self) -> "Work":
        """The same work with the scratch of those kernels that need least."""
        steps = tuple(
            replace(step, scratch_bytes=min([k.scratch_bytes for k in step.kernels] or [step.scratch_bytes]))
            for step in self.steps
        )
        return Work(steps, self.storages, self.inputs, self.kept)


@dataclass(frozen=True)
class LiveRange:
    """First and last step (inclusive) at which a storage must hold its bytes."""

    first: int
    last: int


def live_ranges(work: Work) -> dict[int, LiveRange]:
    """Live range of every storage; an input lives from step 0, and a result that nobody reads during its own step."""
    first = dict.fromkeys(work.inputs, 0)
    last = dict.fromkeys(work.inputs, 0)
    for index, step in enumerate(work.steps):
        for storage in step.writes:
            first.setdefault(storage, index)
        for storage in (*step.reads, *step.writes):
            last[storage] = index
    end = max(len(work.steps) - 1, 0)
    last.update(dict.fromkeys(work.kept, end))
    return {storage: LiveRange(first.get(storage, 0), last[storage]) for storage in sorted(last)}


def usable_overlaps(
    work: Work, ranges: Mapping[int, LiveRange], index: int, kernel: KernelOption | None = None
) -> tuple[Overlap, ...]:
    """The overlaps of a step that computes all at once with a kernel: those whose input dies there."""
    return tuple(
        overlap
        for overlap in (*work.steps[index].overlaps, *(kernel.overlaps if kernel else ()))
        if overlap.read not in work.kept and ranges[overlap.read].last == index
    )


def work_of(
    graph: Graph, selection: Selection, align: int = 4, input_mode: InputMode = InputMode.ARENA
) -> Work:
    """Read storages and steps from a graph with chosen kernels; full tensors are aligned to `align` bytes at least.

    Variables, and the graph's inputs unless `input_mode` says so, are not in the arena.
    """
    shown, outside = shown_tensors(graph), outside_tensors(graph, input_mode)
    _check_views(graph)
    tensors: dict[int, list[int]] = {}
    for tensor_id in dict.fromkeys((*graph.inputs, *(t for node in graph.nodes for t in node.outputs))):
        if not is_gathered(graph, tensor_id) and shown[tensor_id][0] not in outside:
            tensors.setdefault(shown[tensor_id][0], []).append(tensor_id)
    storages = {
        root: Storage(
            root,
            max(graph.tensors[t].bytes for t in members),
            max([align, *(graph.tensors[t].dtype.element_bytes for t in members)]),
            tuple(members),
        )
        for root, members in tensors.items()
    }
    runs = [node for node in graph.nodes if not operator_of(node).is_view]
    return Work(
        steps=tuple(_step(graph, node, shown, outside, selection) for node in runs),
        storages=storages,
        inputs=frozenset(t for t in graph.inputs if t in storages),
        kept=frozenset(shown[t][0] for t in graph.outputs if shown[t][0] in storages),
    )


def _check_views(graph: Graph) -> None:
    """Views of constants are folded, outputs do not show variables: earlier stages have seen to it."""
    for node in graph.nodes:
        if operator_of(node).is_view and node.kind != "ROWS":
            source = graph.tensor(node.inputs[0])
            assert not source.is_constant and not is_gathered(graph, source.id), (
                f"{node.place}: view of {source.name}"
            )


def _follows(graph: Graph, current: Operation, shown: Mapping[int, tuple[int, ...]]) -> tuple[int, ...]:
    """The nodes that the operator waits for, and those that read the old value of a variable that it assigns."""
    node = current.node
    old = {variable.read for variable in graph.variables if variable.assigned in node.outputs}
    waits = operator_of(node).follows(current)
    return waits + tuple(
        other.id
        for other in graph.nodes
        if old and other is not node and not operator_of(other).is_view
        if old.intersection(root for t in other.inputs if t is not None for root in shown[t])
    )


def _step(
    graph: Graph,
    node: Node,
    shown: Mapping[int, tuple[int, ...]],
    outside: frozenset[int],
    selection: Selection,
) -> Step:
    current = operation(graph, node)
    sources = {
        tensor.id: Source(
            tuple(
                graph.tensors[root]
                for root in shown[tensor.id]
                if root not in outside and not graph.tensors[root].is_constant
            ),
            is_gathered(graph, tensor.id),
        )
        for tensor in graph.activations(node)
    }
    reads = tuple(dict.fromkeys(root.id for source in sources.values() for root in source.tensors))
    writes = tuple(tensor for tensor in node.outputs if tensor not in outside)
    kernels = _kernel_options(selection[node.id], current, reads if writes else ())
    return Step(
        node=node.id,
        reads=reads,
        writes=writes,
        scratch_bytes=selection[node.id].chosen.scratch_bytes,
        overlaps=tuple(
            Overlap(storage, node.outputs[0], exact=True)
            for storage in reads
            if writes
            if _may_overwrite(current, [storage in shown[t] if t is not None else False for t in node.inputs])
        ),
        kernels=kernels,
        follows=_follows(graph, current, shown),
        gathers=any(source.is_gathered for source in sources.values()),
        rows=row_step(current, sources) if writes and _any(kernels, Granularity.ROW) else None,
        accumulation=accumulating_step(current, sources)
        if writes and _any(kernels, Granularity.ACCUMULATE)
        else None,
        planar_row_bytes=planar_row_bytes(current.output.shape)
        if any(kernel.writes is RowFormat.PLANAR for kernel in kernels)
        else 0,
    )


def _kernel_options(choice: Choice, current: Operation, reads: Sequence[int]) -> tuple[KernelOption, ...]:
    """All candidates within the limits, the chosen one first; `reads` are the storages of the operation's inputs."""
    return tuple(
        KernelOption(
            c.kernel,
            c.scratch_bytes,
            c.cycles - choice.chosen.cycles if c.is_linked else max(0, c.cycles - choice.chosen.cycles),
            c.granularities,
            kernel_overlaps(current, c, reads),
            c.reads,
            c.writes,
        )
        for c in (choice.chosen, *choice.rejected)
        if not c.over_limit
    )


def _any(kernels: Sequence[KernelOption], granularity: Granularity) -> bool:
    return any(granularity in kernel.granularities for kernel in kernels)


def _may_overwrite(current: Operation, uses: Sequence[bool]) -> bool:
    """True when every input that has this storage may be overwritten by the output, byte for byte."""
    allowed = operator_of(current.node).overwrites(current)
    indices = [index for index, used in enumerate(uses) if used]
    return all(index in allowed and current.input(index).bytes == current.output.bytes for index in indices)
