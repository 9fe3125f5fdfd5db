"""Steps row by row: which rows of each storage must exist before a call, and which are never read again.

Everything follows from `Access.need`. A call computes one output row, or takes in one input row when the kernel accumulates.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from tinycompile.ir import Tensor
from tinycompile.ops import Operation, operator_of, row_shape


@dataclass(frozen=True)
class RowRead:
    """How the calls of a step read one storage, in rows of that storage.

    `goal[c]` rows must exist before call c; call c and all later ones read no row below `low[c]`, and after the last call
    (`low[calls]`) none is needed. `overwritten`: the output row may lie exactly over the input row with its index.
    """

    storage: int
    rows: int
    row_bytes: int
    goal: tuple[int, ...]
    low: tuple[int, ...]
    overwritten: bool = False


@dataclass(frozen=True)
class Source:
    """The tensors in the arena under which an input is written: one, or for gathered rows (ROWS) any number."""

    tensors: tuple[Tensor, ...]
    is_gathered: bool = False


@dataclass(frozen=True)
class RowStep:
    """A step that can run row by row: its calls, the bytes of an output row, what it reads, and the images of its batch.

    `accumulates`: a call takes in one input row, and only the last one writes the only output row.
    """

    calls: int
    row_bytes: int
    reads: tuple[RowRead, ...]
    images: int = 1
    accumulates: bool = False


def row_step(current: Operation, sources: Mapping[int, Source]) -> RowStep | None:
    """The output rows of an operation; None when it has several outputs.

    `sources` tells for each computed input where it is written; variables are not in the arena.
    """
    if len(current.outputs) != 1:
        return None
    calls, row_elements = row_shape(current.output.shape)
    merged: dict[int, RowRead] = {}
    for index, tensor in enumerate(current.inputs):
        source = sources.get(tensor.id) if tensor is not None else None
        if tensor is None or source is None:
            continue
        for root in source.tensors:
            in_order = not source.is_gathered and row_shape(tensor.shape) == row_shape(root.shape)
            read = _row_read(current, index, root, calls) if in_order else _whole_read(root, calls)
            merged[root.id] = _both(merged[root.id], read) if root.id in merged else read
    return RowStep(
        calls=calls,
        row_bytes=row_elements * current.output.dtype.element_bytes,
        reads=tuple(merged.values()),
        images=current.images,
    )


def accumulating_step(current: Operation, sources: Mapping[int, Source]) -> RowStep | None:
    """The input rows of a reduction to one output row; None for an operation that is none."""
    inputs = [tensor for tensor in current.inputs if tensor is not None and not tensor.is_constant]
    if len(inputs) != 1 or len(current.outputs) != 1 or row_shape(current.output.shape)[0] != 1:
        return None
    source = sources[inputs[0].id]
    if source.is_gathered or not source.tensors:
        return None
    (root,) = source.tensors
    rows, row_elements = row_shape(root.shape)
    if row_shape(inputs[0].shape) != (rows, row_elements):
        return None
    row_bytes = row_elements * root.dtype.element_bytes
    read = RowRead(root.id, rows, row_bytes, tuple(range(1, rows + 1)), tuple(range(rows + 1)))
    return RowStep(rows, current.output.bytes, (read,), current.images, accumulates=True)


def _whole_read(root: Tensor, calls: int) -> RowRead:
    """A view cuts the bytes into other rows: every call waits for all of them."""
    rows, row_elements = row_shape(root.shape)
    row_bytes = row_elements * root.dtype.element_bytes
    return RowRead(root.id, rows, row_bytes, (rows,) * calls, (*(0,) * calls, rows))


def _row_read(current: Operation, index: int, root: Tensor, calls: int) -> RowRead:
    rows, row_elements = row_shape(root.shape)
    row_bytes = row_elements * root.dtype.element_bytes
    operator = operator_of(current.node)
    access = operator.access(current, index)
    needs = [access.need(call, rows, calls, current.images) for call in range(calls)]
    low = [rows]
    for first, _ in reversed(needs):
        low.append(min(first, low[-1]))
    same_rows = current.input(index).bytes == current.output.bytes and rows == calls
    row_by_row = all(need == (call, call) for call, need in enumerate(needs))
    return RowRead(
        storage=root.id,
        rows=rows,
        row_bytes=row_bytes,
        goal=tuple(last + 1 for _, last in needs),
        low=tuple(reversed(low)),
        overwritten=same_rows and row_by_row and index in operator.overwrites(current),
    )


def _both(a: RowRead, b: RowRead) -> RowRead:
    """Two inputs of one step with the same storage."""
    return RowRead(
        storage=a.storage,
        rows=a.rows,
        row_bytes=a.row_bytes,
        goal=tuple(map(max, a.goal, b.goal)),
        low=tuple(map(min, a.low, b.low)),
        overwritten=a.overwritten and b.overwritten,
    )
