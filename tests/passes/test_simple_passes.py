"""Before and expected text of each small pass; every rewrite is also run against the graph before it."""

from textwrap import dedent

import numpy as np
import pytest

from tests.passes.equality import apply
from tests.passes.graphs import finish, shifted
from tflite_support.builder import Builder, Spec
from tinycompile.ir import to_text
from tinycompile.passes import PASSES, run_passes
from tinycompile.passes.fold_constants import FoldConstants
from tinycompile.passes.fold_pad import FoldPad
from tinycompile.passes.join_lookups import JoinLookups
from tinycompile.passes.remove_dead import RemoveDead
from tinycompile.passes.remove_no_ops import RemoveNoOps
from tinycompile.passes.simplify_mean import SimplifyMean

_RNG = np.random.default_rng(5)
_UNIT = {"stride_w": 1, "stride_h": 1}


def _expected(text: str) -> str:
    return dedent(text).lstrip("\n")


def _convolution(
    builder: Builder, source: int, shape: tuple[int, ...], depth: int, taps: int = 3, **options: object
) -> int:
    weights = builder.const(_RNG.integers(-127, 128, (shape[-1], taps, taps, depth), np.int8), scale=0.01)
    bias = builder.const(_RNG.integers(-500, 500, shape[-1], np.int32))
    spec = Spec(shape, "int8", 0.3, -5)
    return builder.op("CONV_2D", [source, weights, bias], spec, **{**_UNIT, "padding": "VALID", **options})


def _pad(builder: Builder, source: int, shape: tuple[int, ...], amounts: list[tuple[int, int]]) -> int:
    table = builder.const(np.array(amounts, np.int32))
    return builder.op("PAD", [source, table], Spec(shape, "int8", 0.5, 3))


def test_pad_goes_into_convolutions() -> None:
    builder = Builder()
    x = builder.input((1, 6, 5, 2), "int8", 0.5, 3)
    padded = _pad(builder, x, (1, 8, 8, 2), [(0, 0), (2, 0), (1, 2), (0, 0)])
    y = _convolution(builder, padded, (1, 3, 3, 4), 2, stride_w=2, stride_h=2)
    after = apply(FoldPad(), finish(builder, [x], [y]))
    assert to_text(after) == _expected(
        """
        graph m
          input %0: int8[1,6,5,2]
          %5: int8[1,3,3,4] = CONV_2D(%0, const int8[4,3,3,2], const int32[4]) """
        + (
            "{window={padding=VALID, stride_rows=2, stride_columns=2, dilation_rows=1, dilation_columns=1, "
            "pads={top=2, bottom=0, left=1, right=2}}, activation=NONE}"
        )
        + """
          output %5
        """
    )
    assert after.nodes[0].source == (0, 1)


def test_pad_adds_to_the_padding_of_the_convolution() -> None:
    builder = Builder()
    x = builder.input((1, 6, 6, 2), "int8", 0.5, 3)
    padded = _pad(builder, x, (1, 7, 7, 2), [(0, 0), (0, 1), (1, 0), (0, 0)])
    same = _convolution(builder, padded, (1, 7, 7, 3), 2, padding="SAME")
    valid = _convolution(builder, padded, (1, 5, 5, 3), 2)
    after = apply(FoldPad(), finish(builder, [x], [same, valid]))
    assert [node.kind for node in after.nodes] == ["CONV_2D", "CONV_2D"]
    pads = [node.attributes.window.pads for node in after.nodes]  # type: ignore[attr-defined]
    assert [(p.top, p.bottom, p.left, p.right) for p in pads] == [(1, 2, 2, 1), (0, 1, 1, 0)]


@pytest.mark.parametrize(
    ("shape", "amounts"),
    [
        ((1, 6, 6, 3), [(0, 0), (0, 0), (0, 0), (0, 1)]),  # channels
        ((1, 9, 6, 2), [(0, 0), (3, 0), (0, 0), (0, 0)]),  # a window wholly outside of the image
    ],
)
def test_pad_stays(shape: tuple[int, ...], amounts: list[tuple[int, int]]) -> None:
    builder = Builder()
    x = builder.input((1, 6, 6, 2), "int8", 0.5, 3)
    padded = _pad(builder, x, shape, amounts)
    y = _convolution(builder, padded, (1, shape[1] - 2, 4, 4), shape[3])
    before = finish(builder, [x], [y])
    assert to_text(apply(FoldPad(), before)) == to_text(before)


def test_pad_stays_when_something_else_reads_it() -> None:
    builder = Builder()
    x = builder.input((1, 6, 6, 2), "int8", 0.5, 3)
    padded = _pad(builder, x, (1, 8, 8, 2), [(0, 0), (1, 1), (1, 1), (0, 0)])
    y = _convolution(builder, padded, (1, 6, 6, 4), 2)
    before = finish(builder, [x], [y, padded])
    assert to_text(apply(FoldPad(), before)) == to_text(before)


def test_no_ops_go() -> None:
    builder = Builder()
    x = builder.input((1, 4, 1, 3), "int8", 0.5, 3)
    same = builder.op("RESHAPE", [x], Spec((1, 4, 1, 3), "int8", 0.5, 3))
    padded = _pad(builder, same, (1, 4, 1, 3), [(0, 0)] * 4)
    order = builder.const(np.array([0, 2, 1, 3], np.int32))
    moved = builder.op("TRANSPOSE", [padded, order], Spec((1, 1, 4, 3), "int8", 0.5, 3))
    y = _convolution(builder, moved, (1, 1, 4, 2), 3, taps=1)
    after = RemoveDead().run(apply(RemoveNoOps(), finish(builder, [x], [y])))
    assert to_text(after).splitlines()[1:3] == [
        "  input %0: int8[1,4,1,3]",
        "  %5: int8[1,1,4,3] = RESHAPE(%0, const int32[4])",
    ]
    assert [node.kind for node in after.nodes] == ["RESHAPE", "CONV_2D"]


def test_quantize_to_other_parameters_stays() -> None:
    builder = Builder()
    x = builder.input((1, 4), "int8", 0.5, 3)
    same = builder.op("QUANTIZE", [x], Spec((1, 4), "int8", 0.5, 3))
    y = builder.op("QUANTIZE", [same], Spec((1, 4), "int8", 0.25, 3))
    after = apply(RemoveNoOps(), finish(builder, [x], [y]))
    assert [node.inputs for node in after.nodes] == [(x,)]


def test_a_no_op_between_input_and_output_stays() -> None:
    builder = Builder()
    x = builder.input((1, 4), "int8", 0.5, 3)
    y = builder.op("RESHAPE", [x], Spec((1, 4), "int8", 0.5, 3))
    before = finish(builder, [x], [y])
    assert to_text(apply(RemoveNoOps(), before)) == to_text(before)


def test_a_no_op_before_an_output_leaves_the_output() -> None:
    builder = Builder()
    x = builder.input((1, 4, 4, 2), "int8", 0.5, 3)
    inner = _convolution(builder, x, (1, 2, 2, 3), 2)
    y = builder.op("RESHAPE", [inner], Spec((1, 2, 2, 3), "int8", 0.3, -5, name="out"))
    after = apply(RemoveNoOps(), finish(builder, [x], [y]))
    assert [node.kind for node in after.nodes] == ["CONV_2D"]
    assert after.outputs == (y,)
    assert after.tensors[y].name == "out"


def test_packing_and_unpacking_one_tensor_moves_nothing() -> None:
    builder = Builder()
    x = builder.input((1, 6), "int8", 0.5, 1)
    packed = builder.op("PACK", [x], Spec((1, 1, 6), "int8", 0.5, 1), axis=0, values_count=1)
    (flat,) = builder.op("UNPACK", [packed], [Spec((1, 6), "int8", 0.5, 1)], axis=0, num=1)
    y = builder.op("ADD", [flat, flat], Spec((1, 6), "int8", 0.5, 1))
    after = apply(RemoveNoOps(), finish(builder, [x], [y, packed]))
    assert [node.kind for node in after.nodes] == ["RESHAPE", "RESHAPE", "ADD"]


def test_packing_two_tensors_stays() -> None:
    builder = Builder()
    x, y = builder.input((6,), "int8", 0.5, 1), builder.input((6,), "int8", 0.5, 1)
    both = builder.op("PACK", [x, y], Spec((2, 6), "int8", 0.5, 1), axis=0, values_count=2)
    after = apply(RemoveNoOps(), finish(builder, [x, y], [both]))
    assert [node.kind for node in after.nodes] == ["PACK"]


def test_transposed_means() -> None:
    """The tail of models from channels-first frameworks: two MEANs over height and width of a transposed image."""
    builder = Builder()
    x = builder.input((1, 3, 5, 8), "int8", 0.5, 6)
    order = builder.const(np.array([0, 3, 1, 2], np.int32))
    moved = builder.op("TRANSPOSE", [x, order], Spec((1, 8, 3, 5), "int8", 0.5, 6))
    last, middle = builder.const(np.array([3], np.int32)), builder.const(np.array([2], np.int32))
    rows = builder.op("MEAN", [moved, last], Spec((1, 8, 3), "int8", 0.5, 6))
    y = builder.op("MEAN", [rows, middle], Spec((1, 8), "int8", 0.4, 5))
    graph = apply(SimplifyMean(), finish(builder, [x], [y]))
    after = RemoveDead().run(apply(RemoveNoOps(), graph))
    assert [node.kind for node in after.nodes] == ["MEAN", "MEAN"]
    axes = [graph.tensor(node.inputs[1]).values.tolist() for node in after.nodes]
    assert axes == [[2], [1]]
    assert [after.tensors[node.outputs[0]].shape for node in after.nodes] == [(1, 3, 8), (1, 8)]


def test_transposed_mean_that_keeps_dimensions() -> None:
    builder = Builder()
    x = builder.input((1, 3, 5, 8), "int8", 0.5, 6)
    order = builder.const(np.array([0, 3, 1, 2], np.int32))
    moved = builder.op("TRANSPOSE", [x, order], Spec((1, 8, 3, 5), "int8", 0.5, 6))
    axes = builder.const(np.array([2, 3], np.int32))
    y = builder.op("MEAN", [moved, axes], Spec((1, 8, 1, 1), "int8", 0.5, 6), keep_dims=True)
    after = run_passes(apply(SimplifyMean(), finish(builder, [x], [y])))
    assert [node.kind for node in after.nodes] == ["MEAN", "RESHAPE"]
    assert after.tensors[after.nodes[0].outputs[0]].shape == (1, 1, 1, 8)


def test_constants_fold() -> None:
    builder = Builder()
    x = builder.input((1, 6), "int8", 0.5)
    stored = builder.const(np.arange(6, dtype=np.int8).reshape(3, 2), scale=0.25, zero_point=1)
    order = builder.const(np.array([1, 0], np.int32))
    turned = builder.op("TRANSPOSE", [stored, order], Spec((2, 3), "int8", 0.25, 1))
    flat = builder.op("RESHAPE", [turned], Spec((1, 6), "int8", 0.25, 1))
    y = builder.op("ADD", [x, flat], Spec((1, 6), "int8", 0.5))
    after = apply(FoldConstants(), finish(builder, [x], [y]))
    assert [node.kind for node in after.nodes] == ["ADD"]
    assert after.tensors[flat].values.tolist() == [[0, 2, 4, 1, 3, 5]]


def test_a_constant_output_is_still_computed() -> None:
    builder = Builder()
    x = builder.input((1, 6), "int8", 0.5)
    stored = builder.const(np.arange(6, dtype=np.int8), scale=0.25)
    constant = builder.op("RESHAPE", [stored], Spec((1, 6), "int8", 0.25))
    y = builder.op("ADD", [x, stored], Spec((1, 6), "int8", 0.5))
    after = apply(FoldConstants(), finish(builder, [x], [y, constant]))
    assert [node.kind for node in after.nodes] == ["RESHAPE", "ADD"]


def test_dead_operators_go_and_inputs_stay() -> None:
    builder = Builder()
    x, unused = builder.input((1, 6), "int8", 0.5), builder.input((1, 3), "int8", 0.5)
    dead = builder.op("RESHAPE", [unused], Spec((3,), "int8", 0.5))
    builder.op("RESHAPE", [dead], Spec((3, 1), "int8", 0.5))
    y = builder.op("ADD", [x, x], Spec((1, 6), "int8", 0.5))
    after = apply(RemoveDead(), finish(builder, [x, unused], [y]))
    assert to_text(after) == _expected("""
        graph m
          input %0: int8[1,6]
          input %1: int8[1,3]
          %4: int8[1,6] = ADD(%0, %0) {activation=NONE}
          output %4
        """)


def test_pipeline_dumps_after_each_pass() -> None:
    builder = Builder()
    x = builder.input((1, 6), "int8", 0.5)
    y = builder.op("ADD", [x, x], Spec((1, 6), "int8", 0.5))
    seen: list[str] = []
    run_passes(finish(builder, [x], [y]), dump=lambda name, graph: seen.append(f"{name} {len(graph.nodes)}"))
    assert seen == [f"{step.name} 1" for step in PASSES]
    assert len(set(seen)) == len(PASSES)


def test_functions_of_one_byte_become_one_table() -> None:
    builder = Builder()
    shape = (1, 4, 5, 3)
    x = builder.input(shape, "int8", 0.05, 7)
    y = shifted(builder, "MUL", x, Spec(shape, "int8", 0.06, -9), 80)
    y = shifted(builder, "SUB", y, Spec(shape, "int8", 0.04, 11), -33)
    y = builder.op("TANH", [y], Spec(shape, "int8", 1 / 128, 0))
    y = _convolution(builder, y, (1, 2, 3, 4), 3)
    after = apply(JoinLookups(), finish(builder, [x], [y]))
    assert [node.kind for node in after.nodes] == ["LOOKUP", "CONV_2D"]
    assert after.nodes[0].source == (0, 1, 2) and after.nodes[0].inputs == (x,)


def test_tables_that_others_read_stay() -> None:
    """A graph output, two readers, a constant that differs from element to element."""
    builder = Builder()
    shape = (1, 4, 5, 3)
    spec = Spec(shape, "int8", 0.06, -9)
    x = builder.input(shape, "int8", 0.05, 7)
    shown = shifted(builder, "MUL", x, spec, 80)
    a = shifted(builder, "SUB", shown, spec, 5)
    b = builder.op("ADD", [a, shifted(builder, "MUL", a, spec, 6)], spec)
    many = builder.const(_RNG.integers(-127, 128, shape[-1:], np.int8), scale=0.02)
    c = shifted(builder, "SUB", builder.op("MUL", [b, many], spec), spec, 3)
    graph = finish(builder, [x], [shown, c])
    assert apply(JoinLookups(), graph) is graph
