"""Compile, then prove and measure: what `verify`, `bench` and `inspect` do."""

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Unpack

from tinycompile.board import Board, board_names, load_board
from tinycompile.driver.compile import Compilation, compile_model
from tinycompile.driver.options import CompileOptions
from tinycompile.driver.output import write_directory
from tinycompile.errors import Problem, UsageError
from tinycompile.ops import evaluate_graph, initial_state, next_state
from tinycompile.oracles import OWN_REFERENCE
from tinycompile.report import inspect
from tinycompile.toolchain import (
    BenchResult,
    OracleResult,
    Reference,
    Sample,
    Tool,
    VerifyResult,
    bench_directory,
    check_tools,
    load_samples,
    make_samples,
    read_generated,
    verify_directory,
)

__all__ = ["Tool", "all_boards", "bench_model", "check_tools", "inspect_model", "verify_model"]

_REPORTED = (
    "index", "op", "name", "kernel", "macs", "macs_executed", "estimated_cycles", "estimated_flash_bytes",
    "scratch_bytes", "alternatives",
)  # fmt: skip
"""What the measurement of a layer repeats of its report."""

_ONLY_REAL = "0 with --inputs FILE.npz compares only the inputs of the file"

BENCH_SAMPLES = 4
"""Samples that `bench` verifies before it measures."""
MEASURED_SAMPLES = 2
"""Samples that are run when nothing is verified; the second one counts."""


def verify_model(
    model: Path,
    *,
    samples: int = 10,
    inputs: Path | None = None,
    oracle: str | None = None,
    **options: Unpack[CompileOptions],
) -> VerifyResult:
    """Compare every output byte of the generated code with the oracle's.

    `samples` random and extreme inputs are made (none with 0), followed by the real ones of `inputs` (NPZ). `oracle` defaults to
    the most trusted one that is installed and can run the model, and to the operators' own references where plugins add some.

    Raises:
        TinyCompileError: what `compile_model` raises; UsageError when there is nothing to compare; ToolError when a tool or the
            oracle is missing or fails.
    """
    least = 1 if inputs is None else 0
    if samples < least:
        raise UsageError(Problem("--samples", f"{samples} is too few", f"{least} or more", _ONLY_REAL))
    compilation = compile_model(model, **options)
    with _written(compilation) as directory:
        data = _samples(directory, compilation, samples, inputs)
        name = oracle or _default_oracle(options)
        reference = _own_reference(compilation) if name == OWN_REFERENCE else None
        return verify_directory(
            directory, compilation.board, compilation.model, data, name, reference=reference
        )


def bench_model(
    model: Path,
    *,
    layers: bool = False,
    inputs: Path | None = None,
    oracle: str | None = None,
    **options: Unpack[CompileOptions],
) -> dict[str, Any]:
    """Verify a model on a few samples and measure its second inference; the keys are those of `bench --json`.

    None stands for what was not measured; `notes` say why.
    """
    compilation = compile_model(model, **options)
    name = oracle or _default_oracle(options)
    reference = _own_reference(compilation) if name == OWN_REFERENCE else None
    with _written(compilation) as directory:
        data = _samples(directory, compilation, BENCH_SAMPLES, inputs)
        work = directory.parent / "work"
        verified = verify_directory(
            directory, compilation.board, compilation.model, data, name, work_dir=work, reference=reference
        )
        measured = bench_directory(directory, compilation.board, data, layers, work_dir=work)
    return _bench_row(model.stem, compilation, verified, measured)


def measure(compilation: Compilation) -> BenchResult:
    """Measure the generated code of a compilation, without comparing its outputs with a reference."""
    with _written(compilation) as directory:
        data = _samples(directory, compilation, MEASURED_SAMPLES, None)
        return bench_directory(directory, compilation.board, data)


def inspect_model(model: Path, plugins: Sequence[Path] = ()) -> dict[str, Any]:
    """The model as the file has it, and its memory over time."""
    compilation = compile_model(model, board="host", plugins=plugins)
    return inspect(compilation.imported, compilation.graph, compilation.schedule, compilation.memory)


def all_boards() -> tuple[Board, ...]:
    """Every board there is."""
    return tuple(load_board(name) for name in board_names())


def _bench_row(
    name: str, compilation: Compilation, verified: VerifyResult, measured: BenchResult
) -> dict[str, Any]:
    """What the report says, what was found and what was measured, as one row of a table."""
    report = compilation.report
    by_layer = {layer.index: layer for layer in measured.layers}
    return {
        "model": name,
        "board": compilation.board.name,
        **report["options"],
        "macs": report["macs"],
        "macs_executed": report["macs_executed"],
        "instructions": measured.instructions,
        "cycles_m7": measured.cycles_m7,
        "cycles_m4": measured.cycles_m4,
        "estimated_cycles": sum(layer["estimated_cycles"] for layer in report["layers"]),
        "arena_bytes": report["arena_bytes"],
        "state_bytes": report["state_bytes"],
        "stack_bytes": measured.stack_bytes,
        "stack_bound_bytes": measured.stack_bound_bytes,
        "code_bytes": measured.code_bytes,
        "weights_bytes": measured.weights_bytes,
        "passed": verified.passed,
        "exact": verified.exact,
        "max_relative_error": verified.max_relative_error,
        "samples": verified.samples,
        "oracle": verified.oracle,
        "notes": list(measured.notes),
        "layers": [
            {
                **{key: layer[key] for key in _REPORTED},
                "instructions": by_layer[layer["index"]].instructions,
                "cycles_m7": by_layer[layer["index"]].cycles_m7,
            }
            for layer in report["layers"]
            if layer["index"] in by_layer
        ],
    }


@contextmanager
def _written(compilation: Compilation) -> Iterator[Path]:
    """The generated directory on disk for as long as it is needed."""
    with tempfile.TemporaryDirectory(prefix="tinycompile-") as folder:
        directory = Path(folder) / compilation.program.name
        write_directory(compilation.files, directory)
        yield directory


def _samples(directory: Path, compilation: Compilation, count: int, inputs: Path | None) -> list[Sample]:
    generated = read_generated(directory)
    made = list(make_samples(generated, compilation.model, count))
    return made + list(load_samples(generated, inputs)) if inputs else made


def _default_oracle(options: CompileOptions) -> str | None:
    return OWN_REFERENCE if options.get("plugins") else None


def _own_reference(compilation: Compilation) -> Reference:
    """Evaluates the model as the file has it, operator by operator."""
    graph = compilation.imported

    def reference(samples: Sequence[Sample], tensors: Sequence[int]) -> OracleResult:
        state, outputs, values = initial_state(graph), [], {}
        for sample in samples:
            values = evaluate_graph(graph, dict(zip(graph.inputs, sample, strict=True)), state)
            state = next_state(graph, values)
            outputs.append(tuple(values[tensor] for tensor in graph.outputs))
        return OracleResult(tuple(outputs), {tensor: values[tensor] for tensor in tensors})

    return reference
