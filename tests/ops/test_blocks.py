"""Operators that repeat, reverse, pick or regroup pixels, against the reference."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from tests.ops.case import Case, Const, Operand, one_op, rng_of
from tests.ops.matrix import OperatorMatrix
from tests.ops.test_movement import integers, spec
from tflite_support.builder import Spec

Shape = tuple[int, ...]
Pairs = tuple[tuple[int, int], ...]

_NUMBERS = ("int8", "uint8", "int16", "int32", "int64", "float32")


class TestReverseV2(OperatorMatrix):
    cases = tuple(
        one_op(
            f"{dtype}_axis_{axis}",
            "REVERSE_V2",
            [spec(shape, dtype), integers([axis])],
            spec(shape, dtype),
            version=1,
        )
        for dtype in (*_NUMBERS, "bool")
        for shape, axis in (((2, 3, 4, 5), 3), ((2, 3, 4), 1), ((7,), 0))
    )


class TestBroadcastTo(OperatorMatrix):
    cases = tuple(
        one_op(
            f"{dtype}_{len(shape)}_to_{len(out)}_{index}",
            "BROADCAST_TO",
            [spec(shape, dtype), integers(out)],
            spec(out, dtype),
            version=2,
        )
        for dtype in (*_NUMBERS, "bool")
        for index, (shape, out) in enumerate(
            (
                ((1, 3, 1), (2, 3, 4)),
                ((3,), (2, 3)),
                ((1, 1, 5, 1), (2, 3, 5, 4)),
                ((2, 3), (2, 3)),
                ((), (2, 2)),
            )
        )
    )


class TestTile(OperatorMatrix):
    cases = tuple(
        one_op(
            f"{dtype}_{index}",
            "TILE",
            [spec(shape, dtype), integers(multiples)],
            spec(tuple(a * b for a, b in zip(shape, multiples, strict=True)), dtype),
            version=2,
        )
        for dtype in ("int8", "uint8", "int32", "int64", "float32", "bool")
        for index, (shape, multiples) in enumerate(
            (((2, 3), (2, 1)), ((2, 3), (1, 3)), ((1, 2, 3, 2), (1, 2, 2, 3)), ((5,), (4,)), ((2, 3), (1, 1)))
        )
    )


def _depth_blocks(kind: str) -> Iterator[Case]:
    for dtype in ("int8", "uint8", "int32", "int64", "float32"):
        for images, rows, columns, channels, block in ((1, 2, 3, 1, 2), (2, 2, 1, 2, 3), (1, 2, 2, 4, 1)):
            large = spec((images, rows * block, columns * block, channels), dtype)
            deep = spec((images, rows, columns, channels * block * block), dtype)
            x, y = (deep, large) if kind == "DEPTH_TO_SPACE" else (large, deep)
            yield one_op(f"{dtype}_block_{block}", kind, [x], y, version=1, block_size=block)


class TestDepthToSpace(OperatorMatrix):
    cases = (*_depth_blocks("DEPTH_TO_SPACE"),)


class TestSpaceToDepth(OperatorMatrix):
    cases = (*_depth_blocks("SPACE_TO_DEPTH"),)


_BATCH_BLOCKS: dict[str, tuple[Shape, Shape, Pairs]] = {
    "2x2": ((1, 4, 4, 2), (2, 2), ((0, 0), (0, 0))),
    "2x3_borders": ((2, 5, 4, 1), (2, 3), ((1, 0), (0, 2))),
    "3x2_borders": ((1, 3, 3, 2), (3, 2), ((2, 1), (1, 2))),
    "larger_than_the_image": ((1, 1, 1, 2), (4, 4), ((2, 1), (1, 2))),
    "1x1": ((1, 3, 2, 2), (1, 1), ((0, 0), (0, 0))),
    "three_dimensions": ((2, 6, 3), (3,), ((0, 0),)),
    "three_dimensions_borders": ((2, 5, 3), (3,), ((1, 3),)),
}


def _batch_blocks(kind: str) -> Iterator[Case]:
    """The inner extents plus borders are whole blocks; the two operators are each other's inverse."""
    for dtype in _NUMBERS:
        for name, (shape, blocks, borders) in _BATCH_BLOCKS.items():
            padded = [shape[1 + i] + sum(borders[i]) for i in range(len(blocks))]
            inner = [extent // block for extent, block in zip(padded, blocks, strict=True)]
            batches = spec((shape[0] * int(np.prod(blocks)), *inner, shape[-1]), dtype)
            x, y = (
                (spec(shape, dtype), batches)
                if kind == "SPACE_TO_BATCH_ND"
                else (batches, spec(shape, dtype))
            )
            version = 3 if len(shape) == 3 else 2
            yield one_op(
                f"{dtype}_{name}", kind, [x, integers(blocks), integers(borders)], y, version=version
            )


class TestSpaceToBatchND(OperatorMatrix):
    def test_tflm_agrees(self) -> None:  # type: ignore[override]
        pytest.skip("TFLM leaves borders as it finds them in memory")

    cases = (*_batch_blocks("SPACE_TO_BATCH_ND"),)


class TestBatchToSpaceND(OperatorMatrix):
    cases = (*_batch_blocks("BATCH_TO_SPACE_ND"),)


def _mirror(name: str, shape: Shape, pads: Pairs, mode: str, dtype: str) -> Case:
    out = tuple(before + extent + after for extent, (before, after) in zip(shape, pads, strict=True))
    options = {"mode": {"REFLECT": 0, "SYMMETRIC": 1}[mode]}
    return one_op(
        f"{dtype}_{name}_{mode}",
        "MIRROR_PAD",
        [spec(shape, dtype), integers(pads)],
        spec(out, dtype),
        version=1,
        **options,
    )


class TestMirrorPad(OperatorMatrix):
    cases = tuple(
        _mirror(name, shape, pads, mode, dtype)
        for dtype in _NUMBERS
        for mode in ("REFLECT", "SYMMETRIC")
        for name, shape, pads in (
            ("matrix", (4, 5), ((1, 2), (3, 0))),
            ("image", (1, 4, 5, 2), ((0, 0), (2, 2), (1, 3), (0, 0))),
            ("vector", (3,), ((2, 2),)),
            ("three_dimensions", (2, 3, 4), ((1, 1), (0, 2), (3, 1))),
            ("nothing", (2, 3), ((0, 0), (0, 0))),
        )
    )


def _gather(
    name: str, shape: Shape, indices: Shape, axis: int, batch: int, dtype: str, constant: bool
) -> Case:
    at = axis % len(shape)
    out = spec((*shape[:at], *indices[batch:], *shape[at + 1 :]), dtype)
    case_id = f"{dtype}_{name}_{'constant' if constant else 'computed'}"
    places = rng_of(case_id).integers(0, shape[at], indices).astype(np.int32)
    second: Operand = Const(places) if constant else Spec(indices, "int32")
    case = one_op(
        case_id, "GATHER", [spec(shape, dtype), second], out, version=1, axis=axis, batch_dims=batch
    )
    if constant:
        return case
    return replace(case, samples=tuple((sample[0], places) for sample in case.samples))


class TestGather(OperatorMatrix):
    cases = tuple(
        _gather(name, shape, indices, axis, batch, dtype, constant)
        for dtype in (*_NUMBERS, "bool")
        for constant in (False, True)
        for name, shape, indices, axis, batch in (
            ("rows", (4, 5), (3,), 0, 0),
            ("columns", (4, 5), (2, 2), 1, 0),
            ("one_index", (4, 5, 3), (), 1, 0),
            ("batch", (2, 4, 5), (2, 3), 1, 1),
            ("two_batches", (2, 3, 4, 5), (2, 3, 2), -1, 2),
        )
    )


class TestFill(OperatorMatrix):
    cases = tuple(
        one_op(dtype, "FILL", [integers((2, 3)), spec((), dtype)], spec((2, 3), dtype), version=1)
        for dtype in ("int8", "int16", "int32", "int64", "float32", "bool")
    )


class TestZerosLike(OperatorMatrix):
    cases = tuple(
        one_op(dtype, "ZEROS_LIKE", [spec((2, 3), dtype)], spec((2, 3), dtype), version=1)
        for dtype in ("int32", "int64", "float32")
    )


class TestShape(OperatorMatrix):
    cases = tuple(
        one_op(
            f"{x}_{y}",
            "SHAPE",
            [spec((2, 3, 5), x)],
            Spec((3,), y),
            version=1,
            out_type={"int32": 2, "int64": 4}[y],
        )
        for x in ("int8", "float32")
        for y in ("int32", "int64")
    )
