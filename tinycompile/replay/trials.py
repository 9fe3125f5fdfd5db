"""Operations on images of other extents, on which it costs less to try what rows depend on.

A few columns tell as much of the rows as the whole image does, and images of a batch are computed alike.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from tinycompile.ir import Array
from tinycompile.ops import Operation, operator_of, row_shape

ENOUGH_ELEMENTS = 64
"""Elements in each row of a narrow output."""

Operands = Sequence[Array | None]


def narrowed(operation: Operation) -> Operation:
    """The operation with as few columns as leave ENOUGH_ELEMENTS in each output row; unchanged where columns cannot be cut."""
    shapes = [t.shape for t in operation.inputs if t is not None and not t.is_constant]
    widths = {shape[2] for shape in shapes if len(shape) == 4}
    if len(widths) != 1:
        return operation
    (width,) = widths
    constants = [t for t in operation.inputs if t is not None and t.is_constant]
    if any(len(tensor.shape) > 1 and tensor.shape[-2] == width for tensor in constants):
        return operation  # a value for each column, perhaps
    for columns in (2**power for power in range(width.bit_length())):
        tried = _with_images(operation, columns=columns)
        if tried is None or tried.output.shape[:2] != operation.output.shape[:2]:
            continue  # a filter that is wider, say
        if tried.output.shape == operation.output.shape:
            continue  # the size is given
        if row_shape(tried.output.shape)[1] >= ENOUGH_ELEMENTS:
            return tried
    return operation


def evaluated(operation: Operation, trials: Sequence[Operands]) -> list[Array]:
    """The first output of each trial, whose constant operands are the same; in one batch where that is possible."""
    evaluate = operator_of(operation.node).evaluate
    batch = _with_images(operation, copies=len(trials))
    with np.errstate(all="ignore"):
        if batch is None:
            return [evaluate(operation, operands)[0] for operands in trials]
        joined = [
            None if t is None else t.data if t.is_constant else np.concatenate(values)
            for t, *values in zip(operation.inputs, *trials, strict=True)
        ]
        return np.split(evaluate(batch, joined)[0], len(trials))


def _with_images(operation: Operation, *, columns: int = 0, copies: int = 1) -> Operation | None:
    """The operation on images of other extents, None when it does not work on images.

    The shape of the output must follow from the inputs: an operator that says what it was given is asked with another shape.
    """
    images = [t for t in operation.inputs if t is not None and not t.is_constant]
    if len(operation.outputs) != 1 or any(len(t.shape) != 4 for t in (*images, operation.output)):
        return None
    (batch, *others) = {t.shape[0] for t in (*images, operation.output)}
    constants = [
        t.shape[0] for t in operation.inputs if t is not None and t.is_constant and len(t.shape) == 4
    ]
    if others or (batch > 1 and batch in constants):
        return None  # a value for each image, perhaps
    shapes = {t.id: (t.shape[0] * copies, t.shape[1], columns or t.shape[2], t.shape[3]) for t in images}
    inputs = tuple(
        replace(t, shape=shapes[t.id]) if t is not None and t.id in shapes else t for t in operation.inputs
    )
    asked = replace(operation, inputs=inputs, outputs=(replace(operation.output, shape=(0, 0, 0, 0)),))
    (shape,) = operator_of(operation.node).infer(asked)
    if len(shape) != 4 or shape[0] != operation.output.shape[0] * copies or min(shape) < 1:
        return None
    return replace(asked, outputs=(replace(operation.output, shape=shape),))
