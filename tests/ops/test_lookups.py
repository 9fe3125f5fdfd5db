"""Operators that take indices or shapes as operands against the reference: computed and constant ones, every type."""

from dataclasses import replace

import numpy as np

from tests.ops.case import Case, Const, Operand, make_samples, one_op, rng_of
from tests.ops.matrix import OperatorMatrix
from tests.ops.test_movement import spec
from tflite_support.builder import Spec

Shape = tuple[int, ...]

_NUMBERS = ("int8", "uint8", "int16", "int32", "int64", "float32")


def _gather_nd(name: str, table: Shape, tuples: Shape, dtype: str, index: str, constant: bool) -> Case:
    case_id = f"{dtype}_{index}_{name}_{'constant' if constant else 'computed'}"
    out = spec((*tuples[:-1], *table[tuples[-1] :]), dtype)
    indices = rng_of(case_id).integers(0, table[: tuples[-1]], tuples).astype(index)
    second: Operand = Const(indices) if constant else Spec(tuples, index)
    case = one_op(case_id, "GATHER_ND", [spec(table, dtype), second], out, version=1)
    if constant:
        return case
    return replace(case, samples=tuple((sample[0], indices) for sample in case.samples))


class TestGatherNd(OperatorMatrix):
    cases = tuple(
        _gather_nd(name, table, tuples, dtype, index, constant)
        for dtype in _NUMBERS
        for index in ("int32", "int64")
        for constant in (False, True)
        for name, table, tuples in (
            ("elements", (4, 5), (3, 2)),
            ("rows", (4, 5), (2, 3, 1)),
            ("one_tuple", (2, 3, 4), (2,)),
            ("all_of_an_image", (1, 3, 2, 2), (2, 2, 4)),
        )
    )


def _embedding(table: Shape, count: int, types: tuple[str, str], constant: bool) -> Case:
    held, wanted = types
    case_id = f"{held}_{wanted}_{count}_of_{'x'.join(map(str, table))}_{constant}"
    indices = rng_of(case_id).integers(0, table[0], (count,)).astype(np.int32)
    record = Spec(table, held, 0.03) if held == "int8" else Spec(table, held)
    out = Spec((count, *table[1:]), wanted, 0.03) if wanted == "int8" else Spec((count, *table[1:]), wanted)
    second: Operand = record
    if constant:
        second = Const(make_samples(rng_of(case_id), [record])[0][0], record.scale)
    case = one_op(case_id, "EMBEDDING_LOOKUP", [Spec((count,), "int32"), second], out, version=1)
    return replace(case, samples=tuple((indices, *sample[1:]) for sample in case.samples))


class TestEmbeddingLookup(OperatorMatrix):
    cases = tuple(
        _embedding(table, count, types, constant)
        for types in (("int8", "int8"), ("float32", "float32"), ("int8", "float32"))
        for constant in (False, True)
        for table, count in (((5, 7), 3), ((4, 2, 3), 6), ((1, 9), 1))
    )


def _broadcast_args(first: Shape, second: Shape, dtype: str) -> Case:
    case_id = f"{dtype}_{'x'.join(map(str, first))}_{'x'.join(map(str, second))}"
    shapes = tuple(np.array(shape, dtype) for shape in (first, second))
    out = Spec((max(len(first), len(second)),), dtype)
    case = one_op(case_id, "BROADCAST_ARGS", [Spec(shape.shape, dtype) for shape in shapes], out, version=1)
    return replace(case, samples=(shapes,))


class TestBroadcastArgs(OperatorMatrix):
    cases = tuple(
        _broadcast_args(first, second, dtype)
        for dtype in ("int32", "int64")
        for first, second in (((4, 5), (4, 5)), ((1, 5), (4, 1)), ((3,), (2, 7, 1)), ((2, 1, 6), (6,)))
    )


def _update(name: str, shape: Shape, box: Shape, dtype: str, index: str) -> Case:
    operands = [spec(shape, dtype), spec(box, dtype), Spec((len(shape),), index)]
    case_id, oracle = f"{dtype}_{index}_{name}", "tflm" if index == "int64" else "tflite-runtime"
    case = one_op(case_id, "DYNAMIC_UPDATE_SLICE", operands, spec(shape, dtype), oracle=oracle, version=1)
    rng, reach = rng_of(case.id), max(shape) + 2
    starts = [rng.integers(-2, reach, len(shape)).astype(index) for _ in case.samples]
    return replace(
        case, samples=tuple((*sample[:2], start) for sample, start in zip(case.samples, starts, strict=True))
    )


class TestDynamicUpdateSlice(OperatorMatrix):
    cases = tuple(
        _update(name, shape, box, dtype, index)
        for dtype in ("int8", "int32", "int64", "float32", "bool")
        for index in ("int32", "int64")
        if index == "int32" or dtype not in ("int64", "bool")  # no reference takes these
        for name, shape, box in (
            ("vector", (9,), (3,)),
            ("matrix", (4, 5), (2, 3)),
            ("rows", (6, 5), (2, 5)),
            ("image", (1, 4, 5, 3), (1, 2, 2, 3)),
            ("all", (2, 3), (2, 3)),
            ("element", (3, 3), (1, 1)),
        )
    )
