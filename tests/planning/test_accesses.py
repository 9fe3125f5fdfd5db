"""Kernels touch what the program says and nothing else: random networks and real models under the address sanitizer.

The replay of each build takes it for granted that a kernel reads no more than it has pointers to; here the kernels show it.
"""

import subprocess
from pathlib import Path

import numpy as np
import pytest

from tests.planning.instrumented import instrumented
from tests.planning.test_generated_code import FLAGS, SANITIZERS, compile_random, expected
from tests.property.random_graphs import random_case
from tflite_support.oracles import Question, ask
from tinycompile.codegen.environment import environment
from tinycompile.driver import compile_model
from tinycompile.ir import Array
from tinycompile.program import Operand, Program

MODELS_PER_PROGRAM = 8
MIXED_GRAPHS = 16
SECONDS = 300

_MAIN = """
#include <sanitizer/asan_interface.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
//% for p, _, _ in cases
#include "${p.name}.h"
//% endfor

//% for p, inputs, outputs in cases
static int check_${p.name}(void)
{
    int8_t *arena = malloc(${p.arena_bytes}), *state = malloc(${p.state_bytes + 1});
    ${p.name}_context context;
    int wrong = ${p.name}_init(&context, arena, state) != TC_OK;
    memset(arena, 0x5a, ${p.arena_bytes});
//% for values in inputs
    static const uint8_t input_${loop.index0}[] = {${values | c_array}};
    memcpy(${p.name}_input_${loop.index0}(&context), input_${loop.index0}, sizeof input_${loop.index0});
//% endfor
    wrong |= ${p.name}_invoke(&context) != TC_OK;
    __asan_unpoison_memory_region(arena, ${p.arena_bytes});
//% for values in outputs
    static const uint8_t output_${loop.index0}[] = {${values | c_array}};
    wrong |= memcmp(${p.name}_output_${loop.index0}(&context), output_${loop.index0}, sizeof output_${loop.index0}) != 0;
//% endfor
    free(arena);
    free(state);
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

Case = tuple[Program, list[Array], list[Array]]


def run(cases: list[Case], folder: Path, **options: dict[int, int]) -> subprocess.CompletedProcess[str]:
    """Build the instrumented code of all cases with a main program that compares their outputs; run it."""
    for program, _, _ in cases:
        for path, text in instrumented(program, **options).items():
            (folder / path).write_text(text, encoding="utf-8")
    as_bytes = [
        (program, *([a.reshape(-1).view(np.uint8) for a in arrays] for arrays in data))
        for program, *data in cases
    ]
    main = environment().from_string(_MAIN).render(cases=as_bytes)
    (folder / "main.c").write_text(main, encoding="utf-8")
    sources = sorted(path.name for path in folder.glob("*.c"))
    subprocess.run(["gcc", *FLAGS, *SANITIZERS, "-o", "check", *sources, "-lm"], cwd=folder, check=True)
    return subprocess.run(
        ["./check"], cwd=folder, capture_output=True, text=True, timeout=SECONDS, check=False
    )


def check(cases: list[Case], folder: Path) -> None:
    done = run(cases, folder)
    assert done.returncode == 0, done.stderr[:4000]
    assert done.stdout.splitlines() == [f"{program.name} 0" for program, _, _ in cases]


@pytest.mark.slow
@pytest.mark.needs("gcc")
@pytest.mark.parametrize("first", range(0, 32, MODELS_PER_PROGRAM))
@pytest.mark.parametrize("mode", ["speed", "ram"])
def test_random_networks(mode: str, first: int, tmp_path: Path) -> None:
    cases = []
    for seed in range(first, first + MODELS_PER_PROGRAM):
        graph, program = compile_random(seed, mode)
        cases.append((program, *expected(graph, seed)))
    check(cases, tmp_path)


@pytest.mark.slow
@pytest.mark.needs("gcc")
@pytest.mark.parametrize("mode", ["speed", "ram"])
def test_graphs_of_mixed_operators(mode: str, tmp_path: Path) -> None:
    cases: list[Case] = []
    for seed in range(MIXED_GRAPHS):
        case = random_case(seed)
        program = compile_model(case.model, board="host", optimize=mode, name=f"mixed{seed}").program
        (answer,) = ask([Question(case.model, [case.samples[0]])], case.oracle)
        assert answer.refusal is None, answer.refusal
        cases.append((program, list(case.samples[0]), list(answer.outputs[0])))
    check(cases, tmp_path)


def real_case(model: Path, optimize: str, oracle: str | None = None) -> Case:
    """A model with random inputs, and what a reference makes of them."""
    program = compile_model(model, board="host", optimize=optimize, name=f"m_{optimize}").program
    rng = np.random.default_rng(3)
    inputs = [rng.integers(-128, 128, port.shape).astype(np.int8) for port in program.inputs]
    (answer,) = ask([Question(model.read_bytes(), [inputs])], oracle)
    assert answer.refusal is None, answer.refusal
    return program, inputs, list(answer.outputs[0])


@pytest.mark.needs("gcc")
def test_the_digits_model(digits_model: Path, tmp_path: Path) -> None:
    check([real_case(digits_model, optimize) for optimize in ("speed", "ram")], tmp_path)


@pytest.mark.models
@pytest.mark.slow
@pytest.mark.needs("gcc")
@pytest.mark.parametrize("name", ["kws_ref_model", "pretrainedResnet_quant", "ad01_int8"])
def test_real_models(name: str, models_dir: Path, tmp_path: Path) -> None:
    model = models_dir / f"{name}.tflite"
    check([real_case(model, optimize) for optimize in ("speed", "ram")], tmp_path)


def _overlap(one: Operand, other: Operand) -> bool:
    """True when a call may touch bytes of one operand because they are the other's."""
    return one.offset < other.offset + other.bytes and other.offset < one.offset + one.bytes


@pytest.mark.slow
@pytest.mark.needs("gcc")
def test_a_kernel_that_reads_more_than_it_says_is_caught(digits_model: Path, tmp_path: Path) -> None:
    """Each stage in turn is declared to read less than it does."""
    case = real_case(digits_model, "ram")
    stages = [stage for region in case[0].regions for stage in region.stages]
    apart = [
        position for position, stage in enumerate(stages) if not _overlap(stage.inputs[0], stage.outputs[0])
    ]
    assert len(apart) > 5
    for position in apart:
        done = run([case], tmp_path, short={position: 1})
        assert done.returncode != 0 and "ERROR: AddressSanitizer" in done.stderr, f"stage {position}"


def test_the_networks_stream() -> None:
    """What is run above has regions of several stages, rings, and stages that run backward."""
    programs = [compile_random(seed, "ram")[1] for seed in range(32)]
    regions = [region for program in programs for region in program.regions]
    assert any(len(region.stages) > 2 for region in regions)
    assert any(
        operand.ring_rows > 1 for region in regions for stage in region.stages for operand in stage.outputs
    )
    assert len(regions) > len(programs)
