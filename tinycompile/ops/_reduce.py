"""What reductions over axes share: options, axes, shapes, and a kernel that accumulates channels side by side.

Source of the semantics: tensorflow/lite/kernels/reduce.cc and internal/reference/reduce.h.
"""

from abc import abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from tinycompile.board import Board
from tinycompile.ir import Attributes, Options
from tinycompile.ops._copy import collapse
from tinycompile.ops._limits import constant_input, constant_integers, has_elements
from tinycompile.ops.access import WHOLE, Access
from tinycompile.ops.base import Cost, Kernel, Limit, Operation, Operator, registry
from tinycompile.program import Granularity, KernelCode, Parameter, Passing

_LANES, _VECTOR_LANES = 4, 16
"""Accumulators that stand side by side when the last dimension is kept: what registers hold, and what vectors do."""


@dataclass(frozen=True)
class ReduceAttributes(Attributes):
    """Options of a reduction."""

    keep_dims: bool = False


def has_legal_axes(operation: Operation) -> str | None:
    """Axes are dimensions of the input, negative ones counted from the end."""
    source, axes = operation.inputs[0], constant_integers(operation, 1)
    if source is None or axes is None:
        return None
    rank = len(source.shape)
    return None if all(-rank <= axis < rank for axis in axes) else f"axes {axes} of {source.describe()}"


class Reduction(Operator):
    """Base of the reductions."""

    limits: ClassVar[tuple[Limit, ...]] = (has_elements, constant_input(1, "list of axes"), has_legal_axes)
    min_inputs = 2

    def parse(self, options: Options) -> ReduceAttributes:
        """Read ReducerOptions."""
        return ReduceAttributes(bool(options.get("keep_dims", False)))

    def infer(self, operation: Operation) -> tuple[tuple[int, ...], ...]:
        """Reduced dimensions have extent 1 or are gone."""
        attributes = operation.node.attributes
        assert isinstance(attributes, ReduceAttributes)
        shape, reduced = operation.input(0).shape, set(axes_of(operation))
        if attributes.keep_dims:
            return (tuple(1 if axis in reduced else extent for axis, extent in enumerate(shape)),)
        return (tuple(extent for axis, extent in enumerate(shape) if axis not in reduced),)

    def access(self, operation: Operation, index: int) -> Access:
        """All of the input."""
        return WHOLE

    @abstractmethod
    def form(self, operation: Operation) -> "Form":
        """How elements are accumulated."""


@dataclass(frozen=True)
class Form:
    """A way to accumulate, by its name in `reduce/reduce.c.j2`, with its int32 arguments in the order of that file."""

    name: str
    arguments: tuple[int, ...] = ()
    count: int = 1
    """Number of elements that are reduced to each output."""


class ReduceKernel(Kernel):
    """For each output, or for some neighbouring ones, a pass over the elements that are reduced to it."""

    name = "reduce"
    granularities: ClassVar[tuple[Granularity, ...]] = (Granularity.WHOLE,)

    def cost(self, operation: Operation, board: Board) -> Cost:
        """About two cycles an element, and the requantization."""
        return Cost(9 * operation.input(0).elements // 5 + 14 * operation.output.elements, 200)

    def lower(self, operation: Operation, board: Board, granularity: Granularity) -> KernelCode:
        """Holes of `reduce/reduce.c.j2`."""
        operator = registry.operators[operation.node.kind]
        assert isinstance(operator, Reduction)
        form = operator.form(operation)
        kept, reduced = reduction_loops(operation)
        channels = 1
        if kept and kept[-1][2] == 1:
            channels, kept = kept[-1][0], kept[:-1]
        parameters: dict[str, Parameter] = {
            "kind": operation.node.kind,
            "in_type": operation.input(0).dtype.c_type,
            "out_type": operation.output.dtype.c_type,
            "form": form.name,
            "count": form.count,
            "out_min": operation.output.dtype.limits[0] if form.name == "scaled_sum" else 0,
            "out_max": operation.output.dtype.limits[1] if form.name == "scaled_sum" else 0,
            "kept": kept,
            "reduced": reduced,
            "channels": channels,
            "lanes": min(_VECTOR_LANES if board.is_host else _LANES, channels),
            "unrolled": not board.is_host,
        }
        return KernelCode(
            template="reduce/reduce.c.j2",
            parameters=parameters,
            granularity=granularity,
            inputs=((0, Passing.POINTER),),
            arguments=form.arguments,
            runtime=("tc_requantize.h",) if form.name == "scaled_sum" else (),
        )


def axes_of(operation: Operation) -> tuple[int, ...]:
    """The reduced dimensions, each once, in ascending order."""
    rank = len(operation.input(0).shape)
    return tuple(sorted({int(axis) % rank for axis in operation.input(1).values.reshape(-1)})) if rank else ()


def reduced_elements(operation: Operation) -> int:
    """Elements that are reduced to each output."""
    return operation.input(0).elements // operation.output.elements


def reduction_loops(operation: Operation) -> tuple[tuple[tuple[int, ...], ...], tuple[tuple[int, ...], ...]]:
    """Loops over the outputs (extent, stride in the output, stride in the input), and over the reduced elements
    (extent, 0, stride in the input)."""
    shape, reduced = operation.input(0).shape, axes_of(operation)
    strides = np.empty(shape, np.int8).strides
    kept = [axis for axis in range(len(shape)) if axis not in reduced]
    out = np.empty([shape[axis] for axis in kept], np.int8).strides
    outer = collapse([shape[axis] for axis in kept], out, [strides[axis] for axis in kept])
    inner = collapse(
        [shape[axis] for axis in reduced], [0] * len(reduced), [strides[axis] for axis in reduced]
    )
    return outer, inner
