"""Tensors of the graph as operands in memory."""

from dataclasses import dataclass, replace

from tinycompile.ir import Graph, Tensor
from tinycompile.lowering.constants import ConstantPool
from tinycompile.ops import (
    Operation,
    Pattern,
    is_gathered,
    operation,
    operator_of,
    planar_row_bytes,
    row_runs,
    row_shape,
)
from tinycompile.plan import BufferKind, MemoryPlan
from tinycompile.program import C_TYPES, Constant, Granularity, Operand, Passing, Piece, RowFormat, Space

_SPACES = {
    BufferKind.STATE: Space.STATE,
    BufferKind.INPUT: Space.INPUT,
    BufferKind.SOURCE: Space.SOURCE,
}
"""Where buffers lie that are not in the arena."""


@dataclass(frozen=True, eq=False)
class OperandResolver:
    """Knows where each tensor lives: in the arena, in the state, with the caller, or in flash when it is constant."""

    graph: Graph
    plan: MemoryPlan
    constants: ConstantPool

    def whole(self, tensor: Tensor) -> Operand:
        """The tensor as one block that starts at its base."""
        rows, row_elements = row_shape(tensor.shape)
        row_bytes = row_elements * tensor.dtype.element_bytes
        operand = Operand(Space.ARENA, 0, tensor.dtype.c_type, rows, row_bytes)
        if tensor.is_constant:
            constant = Constant("data", tensor.values, comment=f"{tensor.name} {tensor.describe()}", align=8)
            return replace(
                operand, space=Space.CONSTANT, constant=self.constants.add(f"t{tensor.id}_data", constant)
            )
        if is_gathered(self.graph, tensor.id):
            return replace(operand, pieces=self.pieces(tensor))
        placement = self.plan.storage_of(tensor.id)
        if placement.buffer.format is RowFormat.PLANAR:
            row_bytes = planar_row_bytes(tensor.shape)
            operand = replace(operand, c_type=C_TYPES["int16"], row_bytes=row_bytes, format=RowFormat.PLANAR)
        return replace(
            operand,
            space=_SPACES.get(placement.buffer.kind, Space.ARENA),
            offset=placement.offset,
            ring_rows=placement.buffer.ring_rows if placement.buffer.kind is BufferKind.RING else 0,
            port=placement.buffer.port,
        )

    def pieces(self, tensor: Tensor) -> tuple[Piece, ...]:
        """Where the rows of a tensor lie that has no bytes of its own."""
        view = operation(self.graph, self.graph.producers[tensor.id])
        element_bytes = tensor.dtype.element_bytes
        found: list[Piece] = []
        first_row = 0
        for run in row_runs(view):
            place = self.whole(view.input(run.input))
            offset, stride = place.offset + run.offset * element_bytes, run.stride * element_bytes
            end_row = first_row + run.rows
            found.append(Piece(place.space, offset, first_row, end_row, stride, place.constant, place.port))
            first_row = end_row
        return tuple(found)

    def output(self, tensor: Tensor, granularity: Granularity) -> Operand:
        """The operand that a stage writes."""
        return replace(self.whole(tensor), by_row=granularity is Granularity.ROW)

    def input(self, operation: Operation, index: int, passing: Passing, granularity: Granularity) -> Operand:
        """The operand that a stage reads, with its window when rows are passed."""
        tensor = operation.input(index)
        access = operator_of(operation.node).access(operation, index)
        operand = self.whole(tensor)
        if granularity is Granularity.ACCUMULATE:
            return replace(operand, by_row=True)
        if granularity is Granularity.WHOLE or access.pattern not in (Pattern.POINTWISE, Pattern.WINDOW):
            assert passing is Passing.POINTER, f"{operation.node.place}: only a window is passed as rows"
            return operand
        images = tensor.shape[0] if len(tensor.shape) == 4 else 1
        assert images == operation.images, f"{operation.node.place}: batches differ"
        return replace(
            operand,
            passing=passing,
            by_row=True,
            window_rows=access.window_rows,
            stride=access.stride,
            dilation=access.dilation,
            pad_before=access.pad_before,
            repeat=access.repeat,
            lead=access.lead,
        )

    def describe(self, tensor: Tensor) -> str:
        """For comments: type, shape, quantization and arena range."""
        quantization = ""
        if (
            tensor.dtype.is_integer
            and tensor.quantization is not None
            and not tensor.quantization.per_channel
        ):
            quantization = f" scale {tensor.scale:.6g} zero point {tensor.zero_point}"
        if tensor.is_constant:
            return f"constant {tensor.describe()}"
        if is_gathered(self.graph, tensor.id):
            view = self.graph.producers[tensor.id]
            parts = [self.describe(self.graph.tensor(source)) for source in view.inputs]
            return f"{tensor.describe()}{quantization} rows of {'; '.join(parts)}"
        placement = self.plan.storage_of(tensor.id)
        space = _SPACES.get(placement.buffer.kind, Space.ARENA).value
        return f"{tensor.describe()}{quantization} {space} {placement.offset}..{placement.end}"
