"""Random networks in C under every plan: the bytes of the reference, and no access outside of the arena."""

import subprocess
from math import inf
from pathlib import Path

import numpy as np
import pytest

from tests.planning.random_models import random_model
from tinycompile.board import load_board
from tinycompile.codegen import emit, emit_code
from tinycompile.codegen.environment import environment
from tinycompile.frontend import read_model
from tinycompile.ir import Array, Graph
from tinycompile.lowering import BuildInfo, lower, select
from tinycompile.ops.interpret import evaluate_graph
from tinycompile.passes import passes_for, run_passes
from tinycompile.plan import InputMode
from tinycompile.planning import plan
from tinycompile.program import Granularity, Program

MODELS_PER_PROGRAM = 12
FLAGS = ["-std=c99", "-O0", "-g", "-Wall", "-Wextra", "-Werror", "-Wno-unused-function"]
SANITIZERS = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"]

_MAIN = """
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
//% for p, _, _ in cases
#include "${p.name}.h"
//% endfor

/* Rows of an input in ascending order, each once. */
typedef struct rows {
    const int8_t *data;
    int32_t row_bytes;
    int32_t next;
    int wrong;
} rows;

static void read_row(void *user, int32_t row, void *data)
{
    rows *source = user;
    source->wrong |= row != source->next++;
    memcpy(data, source->data + row * source->row_bytes, source->row_bytes);
}

//% for p, inputs, outputs in cases
static int check_${p.name}(void)
{
    /* An arena of its own, so that the address sanitizer sees every access outside of it. */
    int8_t *arena = malloc(${p.arena_bytes});
    ${p.name}_context context;
    int wrong = ${p.name}_init(&context, arena, NULL) != TC_OK;

    memset(arena, 0x5a, ${p.arena_bytes});
//% for values in inputs
    TC_ALIGNED(4) static const int8_t input_${loop.index0}[] = {${values | c_array}};
//% if p.options.input == "const"
    ${p.name}_set_input_${loop.index0}(&context, input_${loop.index0});
//% elif p.options.input == "rows"
    rows rows_${loop.index0} = {input_${loop.index0}, ${p.name | upper}_INPUT_${loop.index0}_ROW_BYTES, 0, 0};
    ${p.name}_set_rows_${loop.index0}(&context, read_row, &rows_${loop.index0});
//% else
    memcpy(${p.name}_input_${loop.index0}(&context), input_${loop.index0}, sizeof input_${loop.index0});
//% endif
//% endfor
    wrong |= ${p.name}_invoke(&context) != TC_OK;
//% for values in outputs
    static const int8_t output_${loop.index0}[] = {${values | c_array}};
    wrong |= memcmp(${p.name}_output_${loop.index0}(&context), output_${loop.index0}, sizeof output_${loop.index0}) != 0;
//% endfor
//% for _ in inputs if p.options.input == "rows"
    wrong |= rows_${loop.index0}.wrong;
//% endfor
    free(arena);
    return wrong;
}
//% endfor

int main(void)
{
//% for p, _, _ in cases
    printf("${p.name} %d\\n", check_${p.name}());
//% endfor
    return 0;
}
"""


def compile_random(seed: int, mode: str, inputs: InputMode = InputMode.ARENA) -> tuple[Graph, Program]:
    """A random network as a program for the host, with as much fusion as memory asks for in mode `ram`."""
    board = load_board("host")
    imported = read_model(random_model(seed), "random")
    graph = run_passes(imported, passes_for(streamed_inputs=inputs is InputMode.ROWS))
    allowance = inf if mode == "ram" else None
    selection, schedule, memory = plan(
        graph, select(graph, board), optimize=mode, allowance=allowance, input_mode=inputs
    )
    info = BuildInfo(f"net{seed}", "test", "test", {"optimize": mode, "input": inputs.value}, {})
    return imported, lower(graph, selection, schedule, memory, board, info)


def expected(graph: Graph, seed: int) -> tuple[list[Array], list[Array]]:
    """Random inputs and what the operators' references make of them."""
    rng = np.random.default_rng(seed)
    inputs = {t: rng.integers(-128, 128, graph.tensors[t].shape).astype(np.int8) for t in graph.inputs}
    values = evaluate_graph(graph, inputs)
    return list(inputs.values()), [values[t] for t in graph.outputs]


@pytest.mark.slow
@pytest.mark.needs("gcc")
@pytest.mark.parametrize("first", range(0, 48, MODELS_PER_PROGRAM))
@pytest.mark.parametrize(
    ("mode", "inputs"),
    [
        ("speed", InputMode.ARENA),
        ("balanced", InputMode.ARENA),
        ("ram", InputMode.ARENA),
        ("ram", InputMode.CONST),
        ("ram", InputMode.ROWS),
        ("speed", InputMode.ROWS),
    ],
)
def test_random_networks_are_exact(mode: str, inputs: InputMode, first: int, tmp_path: Path) -> None:
    cases = []
    for seed in range(first, first + MODELS_PER_PROGRAM):
        graph, program = compile_random(seed, mode, inputs)
        for path, text in emit(program, emit_code(program)).items():
            (tmp_path / path).write_text(text, encoding="utf-8")
        cases.append((program, *expected(graph, seed)))
    main = environment().from_string(_MAIN).render(cases=cases)
    (tmp_path / "main.c").write_text(main, encoding="utf-8")
    sources = sorted(path.name for path in tmp_path.glob("*.c"))
    subprocess.run(["gcc", *FLAGS, *SANITIZERS, "-o", "check", *sources, "-lm"], cwd=tmp_path, check=True)
    result = subprocess.run(["./check"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr[:4000]
    assert [line for line in result.stdout.splitlines() if not line.endswith(" 0")] == []
    assert len(result.stdout.splitlines()) == MODELS_PER_PROGRAM


def test_the_networks_use_what_the_planner_can_do() -> None:
    """Rings, several targets, rows run backward, reductions that take in rows: all occur in what the test above runs."""
    programs = [compile_random(seed, "ram")[1] for seed in range(48)]
    stages = [stage for program in programs for region in program.regions for stage in region.stages]
    regions = [region for program in programs for region in program.regions]
    assert sum(operand.ring_rows > 1 for stage in stages for operand in stage.outputs) > 5
    assert any(len(region.targets) > 1 for region in regions)
    assert any(region.backward for region in regions)
    assert any(stage.granularity is Granularity.ACCUMULATE for stage in stages)
