"""What the planner knows of a graph: storages (tensors that share bytes) and steps (operators that run).

A view (RESHAPE and its like) is no step: its output has the storage of its input. A step may place its output over an input
that dies there: exactly over it (in place), or so that it runs ahead of the rows that are still to be read.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tinycompile.ir import Graph, Node
from tinycompile.ops import Operation, operation, operator_of
from tinycompile.plan import Choice, Selection
from tinycompile.planning.rows import RowStep, accumulating_step, row_step
from tinycompile.program import Granularity


@dataclass(frozen=True)
class Storage:
    """Bytes that one tensor and its views share. `id` is the tensor that is written; `align` is in bytes."""

    id: int
    bytes: int
    align: int
    tensors: tuple[int, ...]


@dataclass(frozen=True)
class Overlap:
    """A written storage may lie over a read one that dies: `written + lead_bytes <= read`.

    `backward`: rows are computed from the last to the first, and `read + lead_bytes <= written`. `exact`: only at equal
    offsets.
    """

    read: int
    written: int
    lead_bytes: int = 0
    exact: bool = False
    backward: bool = False

    def joint_bytes(self, read_bytes: int, written_bytes: int) -> int:
        """Bytes that the two storages take together, at their best."""
        low, high = (read_bytes, written_bytes) if self.backward else (written_bytes, read_bytes)
        return min(low + high, max(self.lead_bytes + high, low))


@dataclass(frozen=True)
class KernelOption:
    """A kernel that could compute a step; `extra_cycles` is what it costs more than the chosen one."""

    name: str
    scratch_bytes: int
    extra_cycles: int
    granularities: tuple[Granularity, ...]


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
    rows: RowStep | None = None
    accumulation: RowStep | None = None


@dataclass(frozen=True)
class Work:
    """Steps in an order in which they can run, and the storages they need. Variables have storages of their own elsewhere.

    `inputs` are written by the caller before the first step (and may be destroyed); `kept` must outlive the last one.
    """

    steps: tuple[Step, ...]
    storages: Mapping[int, Storage]
    inputs: frozenset[int]
    kept: frozenset[int]

    def reordered(self, order: Sequence[int]) -> "Work":
        """The same work with its steps in another order, given by their present indices."""
        return Work(tuple(self.steps[i] for i in order), self.storages, self.inputs, self.kept)


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


def usable_overlaps(work: Work, ranges: Mapping[int, LiveRange], index: int) -> tuple[Overlap, ...]:
    """The overlaps of a step that computes all at once: those whose input dies there."""
    return tuple(
        overlap
        for overlap in work.steps[index].overlaps
        if overlap.read not in work.kept and ranges[overlap.read].last == index
    )


def work_of(graph: Graph, selection: Selection, align: int = 4) -> Work:
    """Read storages and steps from a graph with chosen kernels; full tensors are aligned to `align` bytes at least."""
    roots = _roots(graph)
    held = _held(graph)
    tensors: dict[int, list[int]] = {}
    for tensor_id in dict.fromkeys((*graph.inputs, *(t for node in graph.nodes for t in node.outputs))):
        if not graph.tensors[tensor_id].is_constant and _root(roots, tensor_id) not in held:
            tensors.setdefault(_root(roots, tensor_id), []).append(tensor_id)
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
        steps=tuple(_step(graph, node, roots, selection) for node in runs),
        storages=storages,
        inputs=frozenset(t for t in graph.inputs if t in storages),
        kept=frozenset(_root(roots, t) for t in graph.outputs if not graph.tensors[t].is_constant),
    )


def _held(graph: Graph) -> frozenset[int]:
    """Tensors that variables hold before or after the call."""
    return frozenset(t for variable in graph.variables for t in (variable.read, variable.assigned))


def _follows(graph: Graph, node: Node, roots: Mapping[int, int]) -> tuple[int, ...]:
    """The other nodes that read the old value of a variable that this one assigns."""
    old = {variable.read for variable in graph.variables if variable.assigned in node.outputs}
    return tuple(
        other.id
        for other in graph.nodes
        if old and other is not node and not operator_of(other).is_view
        if old.intersection(_root(roots, t) for t in other.inputs if t is not None)
    )


def _roots(graph: Graph) -> dict[int, int]:
    """The input of each view by its output."""
    views: dict[int, int] = {}
    for node in graph.nodes:
        if operator_of(node).is_view:
            source = graph.tensor(node.inputs[0])
            assert not source.is_constant, (
                f"{node.place}: a view of a constant is a constant; it was not folded"
            )
            views[node.outputs[0]] = source.id
    return views


def _root(roots: Mapping[int, int], tensor: int) -> int:
    while tensor in roots:
        tensor = roots[tensor]
    return tensor


def _step(graph: Graph, node: Node, roots: Mapping[int, int], selection: Selection) -> Step:
    current = operation(graph, node)
    held = _held(graph)
    written_as = {
        tensor.id: graph.tensors[root]
        for tensor in graph.activations(node)
        if (root := _root(roots, tensor.id)) not in held
    }
    reads = tuple(dict.fromkeys(root.id for root in written_as.values()))
    writes = tuple(tensor for tensor in node.outputs if tensor not in held)
    kernels = _kernel_options(selection[node.id])
    return Step(
        node=node.id,
        reads=reads,
        writes=writes,
        scratch_bytes=selection[node.id].chosen.scratch_bytes,
        overlaps=tuple(
            Overlap(storage, node.outputs[0], exact=True)
            for storage in reads
            if writes
            if _may_overwrite(
                current, [_root(roots, t) == storage if t is not None else False for t in node.inputs]
            )
        ),
        kernels=kernels,
        follows=_follows(graph, node, roots),
        rows=row_step(current, written_as) if writes and _any(kernels, Granularity.ROW) else None,
        accumulation=accumulating_step(current, written_as)
        if writes and _any(kernels, Granularity.ACCUMULATE)
        else None,
    )


def _kernel_options(choice: Choice) -> tuple[KernelOption, ...]:
    """All candidates, the chosen one first."""
    return tuple(
        KernelOption(c.kernel, c.scratch_bytes, max(0, c.cycles - choice.chosen.cycles), c.granularities)
        for c in (choice.chosen, *choice.rejected)
    )


def _any(kernels: Sequence[KernelOption], granularity: Granularity) -> bool:
    return any(granularity in kernel.granularities for kernel in kernels)


def _may_overwrite(current: Operation, uses: Sequence[bool]) -> bool:
    """True when every input that has this storage may be overwritten by the output, byte for byte."""
    allowed = operator_of(current.node).overwrites(current)
    indices = [index for index, used in enumerate(uses) if used]
    return all(index in allowed and current.input(index).bytes == current.output.bytes for index in indices)
