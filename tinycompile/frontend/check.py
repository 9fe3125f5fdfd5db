"""Holds each operator of the model against what its file in `tinycompile.ops` says: operands, types, limits, shapes."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import TypeVar

import numpy as np

from tinycompile.errors import Problem
from tinycompile.ir import Attributes, Options
from tinycompile.ops import Operation, Operator, TypeRule, find_operator, operator_named, operator_of

_MOST_RULES = 8
"""Combinations of types that a message lists in any case."""

_log = logging.getLogger(__name__)
_T = TypeVar("_T")


def parse_attributes(kind: str, options: Options, place: str) -> Attributes | Problem:
    """The typed options of an operator, or what is wrong with them."""
    return attempt(lambda: operator_named(kind).parse(options), place, "options")


def is_supported(kind: str) -> bool:
    """True for the kinds of operators that a file may have."""
    operator = find_operator(kind)
    return operator is not None and not operator.made_by_passes


def check_node(operation: Operation, place: str) -> list[Problem]:
    """Everything that is wrong with one operator. Later checks assume the earlier ones, so the first that fails is the last."""
    operator = operator_of(operation.node)
    for check in (_check_operands, _check_types, _check_limits, _check_shapes):
        problems = attempt(partial(check, operator, operation, place), place, "operands")
        if isinstance(problems, Problem):
            return [problems]
        if problems:
            return problems
    return []


def attempt(action: Callable[[], _T], place: str, what: str) -> _T | Problem:
    """Limits and shape inference should survive any model; when one does not, the user still gets a message with a place."""
    try:
        with np.errstate(all="ignore"):  # absurd scales overflow, and a limit refuses what came out
            return action()
    except Exception as error:
        _log.debug("%s: a check failed", place, exc_info=True)
        return Problem(place, f"its {what} make no sense ({type(error).__name__}: {error})")


def _check_operands(operator: Operator, operation: Operation, place: str) -> list[Problem]:
    least, given = operator.min_inputs, len(operation.inputs)
    most = least if operator.max_inputs is None else operator.max_inputs
    if not least <= given <= most:
        wanted = f"{least}" if least == most else f"{least} to {most}"
        return [Problem(place, f"has {given} inputs", f"{wanted} are supported")]
    missing = [i for i in range(least) if operation.inputs[i] is None]
    return [Problem(place, f"input {i} is missing") for i in missing]


def _check_types(operator: Operator, operation: Operation, place: str) -> list[Problem]:
    if any(rule.fits(operation) for rule in operator.types):
        return []
    inputs = ", ".join("none" if t is None else t.dtype.value for t in operation.inputs)
    outputs = ", ".join(t.dtype.value for t in operation.outputs)
    supported = " or ".join(map(str, _nearest(operator.types, operation)))
    return [Problem(place, f"types are {inputs} -> {outputs}", f"supported: {supported}")]


def _nearest(rules: Sequence[TypeRule], operation: Operation) -> list[TypeRule]:
    """Of many rules those that differ in the outputs only, or in the inputs only; all when there are none."""
    same_inputs = [rule for rule in rules if rule.fits(replace(operation, outputs=()))]
    same_outputs = [rule for rule in rules if rule.fits(replace(operation, inputs=()))]
    return (same_inputs or same_outputs or list(rules)) if len(rules) > _MOST_RULES else list(rules)


def _check_limits(operator: Operator, operation: Operation, place: str) -> list[Problem]:
    problems = []
    for limit in operator.limits:
        found = attempt(partial(limit, operation), place, "operands")
        if isinstance(found, Problem):
            problems.append(found)
        elif found is not None:
            problems.append(Problem(place, found, _sentence(limit)))
    return problems


def _sentence(limit: Callable[..., object]) -> str:
    """The docstring of a limit, on one line and without the full stop."""
    return " ".join((limit.__doc__ or "").split()).rstrip(".")


def _check_shapes(operator: Operator, operation: Operation, place: str) -> list[Problem]:
    inferred = operator.infer(operation)
    if len(inferred) != len(operation.outputs):
        return [Problem(place, f"has {len(operation.outputs)} outputs", f"{len(inferred)} are supported")]
    return [
        Problem(place, f'computes {list(shape)} for "{tensor.name}", but the file says {list(tensor.shape)}')
        for shape, tensor in zip(inferred, operation.outputs, strict=True)
        if tuple(shape) != tensor.shape
    ]
