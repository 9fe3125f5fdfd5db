"""Which rows an output row depends on, as the operators' reference semantics show it.

The program says which rows of an input a call gets. Here the reference (`Operator.evaluate`, the numpy code that tests compare
with TFLite) says whether they are enough: those rows are kept and all others drawn anew; an output row that changes depends on a
row that its call did not get. A third of the output rows is tried at a time. Nothing is taken from `Access`.

A window needs more: which of its pointers a row comes through. So all weights but those of one row of the filter become zero;
what is left depends on the row behind one pointer, and on no row where the pointer is NULL.

Whatever is found is a mistake for sure. What random values do not show (a sum that saturates, say) goes unseen, so there are many
values in a row, and tests let all operators show all of their dependences.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np

from tinycompile.ir import Array, DType, Tensor
from tinycompile.ops import Operation
from tinycompile.replay.trials import ENOUGH_ELEMENTS, Operands, evaluated

GROUPS = 3
"""Output units that are not tried together: a mistake by so many rows, and by multiples, would go unseen."""
MOST_REPEATS = 8
"""Units of few elements are tried with so many different values, so that some sum does not saturate."""
WIDEST = 1 << 15
"""Integers are drawn from -WIDEST to WIDEST,"""
SCALAR = 64
"""and a single one from -SCALAR to SCALAR."""
FILTER_REACH = 100.0
"""Weights of float32 are large beside biases and clamps, so that sums fall on both sides of them."""

Given = Mapping[int, Collection[int]]
"""For units of the output the units of an input that their calls get; a unit that is not there is never computed."""


def contradictions(operation: Operation, index: int, units: tuple[int, int], given: Given) -> Iterator[int]:
    """Units of the output that depend on other units of input `index` than those that are given.

    `units` is into how many equal parts (rows or pixels) the input and the output are cut.
    """
    in_units, out_units = units
    elements = max(operation.output.elements // out_units, 1)
    groups = [[unit for unit in given if unit % GROUPS == group] for group in range(GROUPS)]
    kept = [sorted({source for unit in group for source in given[unit]}) for group in groups]
    trials: list[Operands] = []
    for seed in range(min(-(-ENOUGH_ELEMENTS // elements), MOST_REPEATS)):
        rng = np.random.default_rng((seed, index))
        operands = [
            None if t is None else t.data if t.is_constant else values_of(t, rng) for t in operation.inputs
        ]
        tensor = operation.input(index)
        trials += [operands, *(_redrawn(operands, tensor, index, in_units, rows, rng) for rows in kept)]
    outputs = [_cut(output, out_units) for output in evaluated(operation, trials)]
    found: set[int] = set()
    for first in range(0, len(outputs), 1 + GROUPS):
        expected, *changed = outputs[first : first + 1 + GROUPS]
        for group, output in zip(groups, changed, strict=True):
            differs = (output != expected).any(axis=1)
            found.update(unit for unit in group if differs[unit])
    yield from sorted(found)


def with_filter_row(operation: Operation, index: int, row: int) -> Operation:
    """The operation with a filter (input `index`, [units, rows, columns, channels]) of which all rows but one are zero."""
    weights = operation.input(index)
    values = np.full(weights.shape, weights.zero_point, weights.dtype.numpy)
    rng = np.random.default_rng(row)
    if weights.dtype is DType.FLOAT32:
        drawn = rng.normal(scale=FILTER_REACH, size=values[:, row].shape)
    else:
        low, high = weights.dtype.limits
        drawn = rng.choice([low + 1, low // 2, high // 2, high], size=values[:, row].shape)
    values[:, row] = drawn.astype(values.dtype)
    inputs = tuple(replace(weights, data=values) if i == index else t for i, t in enumerate(operation.inputs))
    return replace(operation, inputs=inputs)


def filters_of(operation: Operation, index: int, filter_rows: int) -> list[int]:
    """Constant inputs beside `index` that are filters with so many rows."""
    return [
        i
        for i, tensor in enumerate(operation.inputs)
        if i != index and tensor is not None and tensor.is_constant
        if len(tensor.shape) == 4 and tensor.shape[1] == filter_rows
    ]


def values_of(tensor: Tensor, rng: np.random.Generator) -> Array:
    """Random values of a tensor's type: half of them from all of its range, half near its zero point, where ties are likely."""
    shape, dtype = tensor.shape, tensor.dtype
    if dtype is DType.BOOL:
        return rng.integers(0, 2, shape).astype(np.bool_)
    is_scalar = (
        tensor.elements == 1
    )  # it may be a factor or a zero point of everything: neither zero nor extreme
    near = rng.integers(-1, 2, shape)
    wide: Array
    if dtype is DType.FLOAT32:
        wide = rng.normal(scale=3.0, size=shape)
    else:
        low, high = dtype.limits
        most = SCALAR if is_scalar else WIDEST
        wide = rng.integers(max(low, -most), min(high, most) + 1, shape)
        zero_points = tensor.quantization.zero_points if tensor.quantization else (0,)
        near = np.clip(near + zero_points[0], low, high)
    return np.where(rng.random(shape) < (1.0 if is_scalar else 0.5), wide, near).astype(dtype.numpy)


def _redrawn(
    operands: Sequence[Array | None],
    tensor: Tensor,
    index: int,
    units: int,
    kept: Sequence[int],
    rng: np.random.Generator,
) -> list[Array | None]:
    """Operands of which input `index` has new values in all units but the kept ones."""
    old, new = operands[index], values_of(tensor, rng).reshape(units, -1)
    assert old is not None
    new[kept] = old.reshape(units, -1)[kept]
    return [new.reshape(tensor.shape) if i == index else array for i, array in enumerate(operands)]


def _cut(output: Array, units: int) -> Array:
    """The bytes of an output, cut into units: [units, bytes]."""
    return np.ascontiguousarray(output).reshape(-1).view(np.uint8).reshape(units, -1)
