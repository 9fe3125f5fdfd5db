"""A generated directory written by hand: two transposes, with everything that the contract of generated code asks for.

The tools are tested against it and not against the compiler, which has tests of its own.
"""

import json
from collections.abc import Callable
from pathlib import Path
from textwrap import dedent

import numpy as np
import pytest

from tflite_support.builder import Builder, Spec
from tinycompile.toolchain import Sample

HEADER = """
    #ifndef TOY_H
    #define TOY_H
    #include <stddef.h>
    #include <stdint.h>
    typedef enum tc_status { TC_OK = 0, TC_ERROR = 1 } tc_status;
    #define TOY_ARENA_BYTES 64u
    #define TOY_ARENA_ALIGN 16u
    #define TOY_STATE_BYTES 4u
    #define TOY_INPUT_COUNT 1u
    #define TOY_INPUT_0_BYTES 32u
    #define TOY_OUTPUT_COUNT 1u
    #define TOY_OUTPUT_0_BYTES 32u
    typedef struct toy_context { void *arena; void *state; } toy_context;
    tc_status toy_init(toy_context *ctx, void *arena, void *state);
    int8_t *toy_input_0(const toy_context *ctx);
    tc_status toy_invoke(const toy_context *ctx);
    const int8_t *toy_output_0(const toy_context *ctx);
    #endif
"""

# Layer 0 (input 4x8 at 0, output 8x4 at 32) works row by row, layer 1 (back to 4x8, at 0) at once; the table is the weights.
SOURCE = """
    #include "toy.h"
    #ifdef TC_TRACE_HEADER
    #include TC_TRACE_HEADER
    #else
    #define TC_TRACE_ROW(layer, output, row, data, bytes) ((void)0)
    #define TC_TRACE_LAYER(layer) ((void)0)
    #endif

    extern const int8_t toy_table[256];

    tc_status toy_init(toy_context *ctx, void *arena, void *state)
    {
        ctx->arena = arena;
        ctx->state = state;
        *(uint32_t *)state = 0u;
        return TC_OK;
    }

    int8_t *toy_input_0(const toy_context *ctx) { return ctx->arena; }
    const int8_t *toy_output_0(const toy_context *ctx) { return ctx->arena; }

    static void transpose_row(int8_t *out, const int8_t *in, int32_t row)
    {
        for (int32_t i = 0; i < 4; ++i) { out[i] = toy_table[128 + in[8 * i + row]]; }
    }

    static void transpose_back(int8_t *out, const int8_t *in)
    {
        for (int32_t y = 0; y < 4; ++y) { for (int32_t x = 0; x < 8; ++x) { out[8 * y + x] = in[4 * x + y]; } }
    }

    tc_status toy_invoke(const toy_context *ctx)
    {
        int8_t *arena = ctx->arena;
        ++*(uint32_t *)ctx->state;
        for (int32_t row = 7; row >= 0; --row) {
            transpose_row(arena + 32 + 4 * row, arena, row);
            TC_TRACE_ROW(0, 0, row, arena + 32 + 4 * row, 4);
        }
        TC_TRACE_LAYER(0);
        transpose_back(arena, arena + 32);
        /* HERE */
        TC_TRACE_ROW(1, 0, 0, arena, 32);
        TC_TRACE_LAYER(1);
        return TC_OK;
    }
"""

CMAKE = """
    cmake_minimum_required(VERSION 3.16)
    project(toy LANGUAGES C)
    add_library(toy STATIC toy.c toy_weights.c)
    target_include_directories(toy PUBLIC .)
    target_compile_options(toy PRIVATE -O2)
"""

TENSOR = {
    "index": 0,
    "name": "x",
    "dtype": "int8",
    "shape": [4, 8],
    "bytes": 32,
    "scale": 0.5,
    "zero_point": 3,
}
REPORT = {
    "name": "toy",
    "options": {},
    "inputs": [TENSOR],
    "outputs": [TENSOR],
    "layers": [
        {
            "index": 0,
            "op": "TRANSPOSE",
            "name": "t",
            "outputs": [{"tensor": 2, "shape": [8, 4], "dtype": "int8"}],
        },
        {
            "index": 1,
            "op": "TRANSPOSE",
            "name": "u",
            "outputs": [{"tensor": 3, "shape": [4, 8], "dtype": "int8"}],
        },
    ],
}

MakeToy = Callable[..., Path]


def table(wrong: int | None = None) -> str:
    """The identity on int8; `wrong` is a value that is mapped to its successor."""
    values = ",".join(str(v + (v == wrong)) for v in range(-128, 128))
    return (
        "#include <stdint.h>\nextern const int8_t toy_table[256];\n"
        f'__attribute__((section(".tc_weights.toy"))) const int8_t toy_table[256] = {{{values}}};\n'
    )


@pytest.fixture
def make_toy(tmp_path: Path) -> MakeToy:
    """Write the directory: `here` is C put behind the last layer, `wrong` damages the table, `source` replaces toy.c."""

    def make(here: str = "", wrong: int | None = None, source: str = SOURCE) -> Path:
        directory = tmp_path / "toy"
        directory.mkdir()
        files = {
            "toy.h": dedent(HEADER),
            "toy.c": dedent(source).replace("/* HERE */", here),
            "toy_weights.c": table(wrong),
            "CMakeLists.txt": dedent(CMAKE),
            "report.json": json.dumps(REPORT),
        }
        for name, text in files.items():
            (directory / name).write_text(text)
        return directory

    return make


@pytest.fixture
def toy_model() -> bytes:
    """The .tflite file that the directory would come from; tensors 2 and 3 are those of the two layers."""
    builder = Builder()
    order = builder.const(np.array([1, 0], np.int32))
    x = builder.input((4, 8), "int8", 0.5, 3)
    t = builder.op("TRANSPOSE", [x, order], Spec((8, 4), "int8", 0.5, 3))
    u = builder.op("TRANSPOSE", [t, order], Spec((4, 8), "int8", 0.5, 3))
    assert (t, u) == (2, 3), "REPORT names these tensors"
    return builder.finish([x], [u])


@pytest.fixture
def toy_samples() -> tuple[Sample, ...]:
    """Three samples; only the last one holds the value 77."""
    samples = [np.random.default_rng(seed).integers(-128, 77, (4, 8)).astype(np.int8) for seed in range(3)]
    samples[2][1, 3] = 77
    return tuple((sample,) for sample in samples)
