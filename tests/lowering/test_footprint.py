"""Flash of candidates: the code of equal functions is printed once."""

import numpy as np

from tflite_support.builder import Builder, Spec
from tinycompile.codegen import kernel_code_bytes
from tinycompile.driver import prepare
from tinycompile.lowering import footprints, select
from tinycompile.lowering.constants import function_key
from tinycompile.program import KernelCode


def model_of(layers: int) -> bytes:
    """1x1 convolutions of equal shapes with weights of their own."""
    rng, builder = np.random.default_rng(5), Builder()
    x = first = builder.input((1, 6, 6, 8), "int8", 0.05, 3)
    for _ in range(layers):
        weights = builder.const(rng.integers(-90, 91, (8, 1, 1, 8)).astype(np.int8), [0.01] * 8, [0] * 8)
        bias = builder.const(rng.integers(-500, 500, 8).astype(np.int32), [0.0005] * 8, [0] * 8)
        x = builder.op(
            "CONV_2D", [x, weights, bias], Spec((1, 6, 6, 8), "int8", 0.05, 3), stride_w=1, stride_h=1
        )
    return builder.finish([first], [x])


def test_equal_functions_are_printed_once() -> None:
    printed: list[KernelCode] = []

    def code_bytes(code: KernelCode) -> int:
        printed.append(code)
        return kernel_code_bytes(code)

    prepared = prepare(model_of(5), name="equal", board="m7")
    selection = select(prepared.graph, prepared.board)
    found = footprints(prepared.graph, selection, prepared.board, code_bytes)
    options = [option for options in found.options.values() for option in options.values()]
    keys = list(map(function_key, printed))
    assert len(found.options) == 5
    assert len(keys) == len(set(keys)) < len(options) / 2
    assert {option.shared for option in options} == set(keys)
    sizes = dict(zip(keys, map(kernel_code_bytes, printed), strict=True))
    assert all(option.shared_bytes == sizes[option.shared] for option in options)
