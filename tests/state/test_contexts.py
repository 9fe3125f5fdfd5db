"""`NAME_init` resets the state, contexts do not share it, and bad memory is refused: plain C programs under the sanitizers."""

import subprocess
from pathlib import Path

import numpy as np
import pytest

from tests.state.models import MODELS
from tinycompile.driver import Compilation, compile_model
from tinycompile.frontend import read_model
from tinycompile.ops import evaluate_graph, initial_state, next_state

CALLS = 6
FLAGS = ["-std=c99", "-O1", "-g", "-Wall", "-Wextra", "-Werror", "-Wno-unused-function"]
SANITIZERS = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
STREAMING = (
    "accumulate",
    "delay",
    "swap",
    "window",
    "mixed_windows",
    "two_stages",
    "computed_initial_values",
)

_MAIN = """
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "model.h"

/* Memory of its own, so that the address sanitizer sees every access outside of it. */
static void *filled(size_t bytes)
{
    void *memory = malloc(bytes);
    memset(memory, 0x5a, bytes);
    return memory;
}

static void call(const model_context *context, int round)
{
    for (unsigned i = 0; i < MODEL_INPUT_0_BYTES; ++i) {
        model_input_0(context)[i] = (int8_t)((int)(i * 29u + (unsigned)round * 53u) % 120 - 60);
    }
    if (model_invoke(context) != TC_OK) {
        exit(2);
    }
    for (unsigned i = 0; i < MODEL_OUTPUT_0_BYTES; ++i) {
        printf("%d ", model_output_0(context)[i]);
    }
    printf("\\n");
}

int main(void)
{
    model_context a, b;
    void *const arena = filled(MODEL_ARENA_BYTES), *const state_a = filled(MODEL_STATE_BYTES);
    void *const state_b = filled(MODEL_STATE_BYTES);

    if (model_init(NULL, arena, state_a) != TC_ERROR_NULL_POINTER || model_init(&a, arena, NULL) != TC_ERROR_NULL_POINTER
        || model_init(&a, arena, (uint8_t *)state_a + 1) != TC_ERROR_MISALIGNED) {
        return 3;
    }
    for (int again = 0; again < 2; ++again) { /* init resets */
        if (model_init(&a, arena, state_a) != TC_OK) {
            return 4;
        }
        for (int round = 0; round < CALLS; ++round) {
            call(&a, round);
        }
    }
    if (model_init(&a, arena, state_a) != TC_OK || model_init(&b, arena, state_b) != TC_OK) {
        return 5;
    }
    for (int round = 0; round < CALLS; ++round) { /* two contexts take turns in one arena */
        call(&a, round);
        call(&b, round);
    }
    free(arena);
    free(state_a);
    free(state_b);
    return 0;
}
"""


def _outputs(compilation: Compilation, folder: Path) -> list[list[int]]:
    for path, text in compilation.files.items():
        (folder / path).write_text(text, encoding="utf-8")
    (folder / "main.c").write_text(_MAIN, encoding="utf-8")
    sources = [folder / path for path in compilation.files if path.endswith(".c")]
    program = folder / "main"
    flags = [*FLAGS, *SANITIZERS, f"-DCALLS={CALLS}", f"-I{folder}"]
    subprocess.run(["cc", *flags, folder / "main.c", *sources, "-lm", "-o", program], check=True)
    ran = subprocess.run([program], check=True, capture_output=True, text=True)
    return [[int(value) for value in line.split()] for line in ran.stdout.splitlines()]


def _expected(model: bytes) -> list[list[int]]:
    """The first outputs of the calls of a model that starts anew, by the reference semantics of the imported graph."""
    graph = read_model(model, "model")
    tensor, state, found = graph.tensors[graph.inputs[0]], initial_state(graph), []
    for number in range(CALLS):
        values = (np.arange(tensor.elements) * 29 + number * 53) % 120 - 60
        values = values.astype(np.int8).reshape(tensor.shape)
        result = evaluate_graph(graph, {tensor.id: values}, state)
        state = next_state(graph, result)
        found.append(result[graph.outputs[0]].reshape(-1).tolist())
    return found


@pytest.mark.needs("cc")
@pytest.mark.parametrize("name", STREAMING)
def test_every_start_gives_the_same_outputs(name: str, tmp_path: Path) -> None:
    compilation = compile_model(MODELS[name], board="host", name="model")
    found, once = _outputs(compilation, tmp_path), _expected(MODELS[name])
    assert found[: 2 * CALLS] == once * 2
    assert found[2 * CALLS :] == [row for row in once for _ in range(2)]
