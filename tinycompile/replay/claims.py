"""What the program claims that outputs depend on, collected from its calls and held against the reference semantics."""

from collections.abc import Collection, Iterator, Mapping, Sequence

from tinycompile.ir import Tensor
from tinycompile.ops import Operation, operator_of, row_shape
from tinycompile.program import Granularity, Stage
from tinycompile.replay.evidence import contradictions, filters_of, with_filter_row
from tinycompile.replay.memory import TaggedMemory
from tinycompile.replay.pointers import Pointer
from tinycompile.replay.trials import narrowed

Rows = tuple[int | None, ...]
"""The rows behind the pointers of one call, None where a pointer is NULL."""
Given = Mapping[int, Rows]
"""By output row; a row that nobody needs may not be there."""


class Claims:
    """Rows that calls got pointers to, by operator, input and call."""

    def __init__(self, memory: TaggedMemory) -> None:
        self._memory = memory
        self._given: dict[tuple[int, int], dict[int, Rows]] = {}
        self._found: dict[object, tuple[int, ...]] = {}

    def given(self, stage: Stage, index: int, row: int, passed: Sequence[Pointer | None]) -> None:
        """A call for an output row got these pointers to input `index`; one to the whole input claims no row."""
        by_row = self._given.setdefault((stage.node, index), {})
        if all(at is None or at.row is not None for at in passed):
            by_row[row] = tuple(None if at is None else at.row for at in passed)

    def check(self, stage: Stage, current: Operation, updated: Collection[int]) -> None:
        """Every output row depends on nothing but what its call got, and the output on no input that the kernel does not get."""
        for index, tensor in enumerate(current.inputs):
            if tensor is None or tensor.is_constant or index in updated:
                continue
            if index not in stage.operands:
                for _ in self._contradictions(current, index, (1, 1), {0: ()}):
                    wanted = "a pointer to it: the output depends on it"
                    self._memory.violate(current.node.place, f"no pointer to {tensor.name!r}", wanted)
            elif stage.granularity is Granularity.ROW and (by_row := self._given.get((stage.node, index))):
                self._check_rows(current, index, by_row)

    def pixels(self, current: Operation, index: int) -> None:
        """A kernel goes through pixels in order: each output pixel depends on the input's pixel at its place alone."""
        tried = narrowed(current)
        units = _pixels(tried.input(index)), _pixels(tried.output)
        given = {pixel: (pixel,) for pixel in range(units[1])}
        if units[0] != units[1] or self._contradictions(tried, index, units, given):
            found = "an output pixel that depends on other pixels"
            self._memory.violate(
                current.node.place, found, "one that depends on the pixel at its place alone"
            )

    def last_rows(self, current: Operation, index: int) -> list[int]:
        """The last row of an input that each output row depends on, for a kernel that goes through rows in order."""
        units = row_shape(current.input(index).shape)[0], current.rows
        access = operator_of(current.node).access(current, index)
        needs = [access.need(row, *units, current.images) for row in range(current.rows)]
        given = {row: tuple(range(first, last + 1)) for row, (first, last) in enumerate(needs)}
        for row in self._contradictions(narrowed(current), index, units, given):
            place = f"{current.node.place}, row {row}"
            self._memory.violate(place, "an output that depends on more", f"on rows {given[row]} alone")
        return [last for _, last in needs]

    def _check_rows(self, current: Operation, index: int, given: Given) -> None:
        """Rows that are enough, and for a filter those behind the right pointers."""
        for role, tried, rows in variants(narrowed(current), index, given):
            units = row_shape(current.input(index).shape)[0], current.rows
            for row in self._contradictions(tried, index, units, rows, role):
                found = ", ".join("NULL" if y is None else f"row {y}" for y in given[row]) or "nothing"
                name = current.input(index).name
                wanted = f"pointers to all that the reference reads there{role}"
                self._memory.violate(f"{current.node.place}, row {row}", f"{found} of {name!r} given", wanted)

    def _contradictions(
        self, tried: Operation, index: int, units: tuple[int, int], given: Given, role: str = ""
    ) -> tuple[int, ...]:
        """As `contradictions`; layers of equal shapes are tried once. `role` tells filters apart of which one row is left."""
        ins, outs = map(range, units)  # what lies outside of them is a violation already
        kept = {
            unit: tuple(u for u in given[unit] if u is not None and u in ins)
            for unit in given
            if unit in outs
        }
        shapes = tuple(None if t is None else (t.shape, t.dtype) for t in (*tried.inputs, *tried.outputs))
        key = (role, tried.node.kind, tried.node.attributes, shapes, index, units, tuple(kept.items()))
        if key not in self._found:
            self._found[key] = tuple(contradictions(tried, index, units, kept))
        return self._found[key]


def variants(current: Operation, index: int, given: Given) -> Iterator[tuple[str, Operation, Given]]:
    """The operation with all of its windows; for a filter each of its rows alone, with the pointer that it is multiplied with."""
    operator, height = operator_of(current.node), current.rows // current.images
    pointers = max(map(len, given.values()))
    multiplied = {unit: operator.filter_pointers(current, pointers, unit % height) for unit in given}
    filter_rows = max(map(len, multiplied.values()))
    filters = filters_of(current, index, filter_rows)
    if not filters:
        yield "", current, given
    for filter_index in filters:
        for row in range(filter_rows):
            behind = {unit: _at(rows, multiplied[unit][row]) for unit, rows in given.items()}
            yield f" by row {row} of the filter", with_filter_row(current, filter_index, row), behind


def _at(rows: Rows, pointer: int | None) -> Rows:
    """The row behind one pointer."""
    return () if pointer is None else rows[pointer : pointer + 1]


def _pixels(tensor: Tensor) -> int:
    return tensor.elements // tensor.shape[-1]
