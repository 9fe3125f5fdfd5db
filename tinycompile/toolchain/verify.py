"""Runs a generated directory beside an oracle and compares every output; a difference is traced to its layer."""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tinycompile.board import Board
from tinycompile.errors import ToolError
from tinycompile.toolchain.agreement import FLOAT_TOLERANCE, agrees, is_equal, largest_error
from tinycompile.toolchain.boundary import as_the_model_gives_them, as_the_model_takes_them
from tinycompile.toolchain.cmake import build_firmware
from tinycompile.toolchain.generated import Array, Generated, LayerInfo, read_generated
from tinycompile.toolchain.harness import Sample, read_trace
from tinycompile.toolchain.oracle import OracleResult, Reference, ask_oracles, default_oracles, run_oracle
from tinycompile.toolchain.runner import run_harness
from tinycompile.toolchain.workspace import workspace

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class LayerDifference:
    """The first layer whose result differs from the oracle's intermediate tensor."""

    layer: int
    op: str
    name: str
    output: int
    index: tuple[int, ...]
    expected: float
    got: float
    differing: int
    """How many elements of the tensor differ."""

    def __str__(self) -> str:
        place = f'first layer that differs: {self.layer} {self.op} "{self.name}"'
        return f"{place}, {self.differing} elements, at {list(self.index)}: expected {self.expected}, got {self.got}"


@dataclass(frozen=True)
class Difference:
    """The first output element that is not what the oracle computed."""

    sample: int
    output: int
    index: tuple[int, ...]
    expected: float
    got: float
    differing: int
    layer: LayerDifference | None
    """None when no layer whose tensor the file has differs, or the oracle does not give intermediate tensors."""

    def __str__(self) -> str:
        where = (
            f"sample {self.sample}, output {self.output}, {self.differing} elements, at {list(self.index)}"
        )
        return f"{where}: expected {self.expected}, got {self.got}"


@dataclass(frozen=True)
class VerifyResult:
    """Whether a model's generated code computes what the oracle does: integers on every byte, floats within the tolerance."""

    model: str
    board: str
    oracle: str
    samples: int
    difference: Difference | None = None
    differing_samples: int = 0
    inexact_samples: int = 0
    """Samples with float outputs that are within the tolerance, but not the oracle's bytes."""
    max_relative_error: float = 0.0
    """Largest difference of float outputs over the largest magnitude of that output; 0 for integers."""

    @property
    def passed(self) -> bool:
        """Every output agrees with the oracle's."""
        return self.difference is None

    @property
    def exact(self) -> bool:
        """Every byte of every output equals the oracle's."""
        return self.passed and not self.inexact_samples

    def as_dict(self) -> dict[str, Any]:
        """The result for JSON."""
        verdict = {"passed": self.passed, "exact": self.exact, "float_tolerance": FLOAT_TOLERANCE}
        return {**asdict(self), **verdict}

    def summary(self) -> str:
        """The result in a few lines of text."""
        head = f"{self.model} on {self.board} against {self.oracle}"
        error = f"relative error of float outputs up to {self.max_relative_error:.3g}"
        if self.exact:
            return f"{head}: exact, {_count(self.samples)}"
        if self.difference is None:
            agreement = f"within tolerance, {_count(self.samples)}, {self.inexact_samples} of them not exact"
            return f"{head}: {agreement}\n  {error}, {FLOAT_TOLERANCE:g} is allowed"
        lines = [
            f"{head}: DIFFERENT in {self.differing_samples} of {_count(self.samples)}",
            f"  {self.difference}",
        ]
        if self.max_relative_error:
            lines.append(f"  {error}")
        lines.append(
            f"  {self.difference.layer}"
            if self.difference.layer
            else "  no layer found that differs by itself"
        )
        return "\n".join(lines)


def _count(samples: int) -> str:
    return "1 sample" if samples == 1 else f"{samples:,} samples"


def verify_directory(
    generated_dir: Path,
    board: Board,
    model: bytes,
    samples: Sequence[Sample],
    oracle: str | None = None,
    *,
    work_dir: Path | None = None,
    reference: Reference | None = None,
) -> VerifyResult:
    """Build, run all samples in order, compare with the oracle; without one, with the first of ours that can run the model.

    A `reference` takes the oracle's place, which then is only its name.

    `work_dir` keeps the build for a later call; without it everything is removed in the end. Raises ToolError when a tool or the
    oracle is missing or fails, VerificationError when the generated code reports an error or writes outside of its memory.
    """
    generated = read_generated(generated_dir)
    given = as_the_model_takes_them(generated, model, samples)
    if reference is not None:
        name, expected = oracle or "reference", reference(given, ())
    else:
        name, expected = ask_oracles((oracle,) if oracle else default_oracles(), model, given)
    with workspace(work_dir) as directory:
        firmware = build_firmware(generated, board, directory / "plain")
        result = run_harness(generated, firmware, board, samples)
        outputs = tuple(
            as_the_model_gives_them(generated, e, o)
            for e, o in zip(expected.outputs, result.outputs, strict=True)
        )
        pairs = list(zip(expected.outputs, outputs, strict=True))
        differing = [n for n, (a, b) in enumerate(pairs) if not _all(agrees, a, b)]
        inexact = sum(not _all(is_equal, a, b) for a, b in pairs) - len(differing)
        error = max(largest_error(a, b) for a, b in pairs)
        layer = None
        if differing:
            until = samples[: differing[0] + 1]
            ask = reference or _asking(name, model)
            layer = _first_layer(generated, board, model, until, ask, directory)
    return VerifyResult(
        generated.name,
        board.name,
        name,
        len(samples),
        _difference(differing[0], *pairs[differing[0]], layer) if differing else None,
        len(differing),
        inexact,
        error,
    )


def _all(holds: Callable[[Array, Array], bool], expected: Sample, got: Sample) -> bool:
    return all(holds(a, b) for a, b in zip(expected, got, strict=True))


def _asking(oracle: str, model: bytes) -> Reference:
    return lambda samples, tensors: run_oracle(oracle, model, samples, tensors=tensors)


def _difference(number: int, expected: Sample, got: Sample, layer: LayerDifference | None) -> Difference:
    for output, (a, b) in enumerate(zip(expected, got, strict=True)):
        place = None if agrees(a, b) else _first_place(a, b)
        if place is not None:
            index, differing = place
            return Difference(
                number, output, index, _value(a, index), _value(b.reshape(a.shape), index), differing, layer
            )
    raise AssertionError("the outputs are equal")


def _first_place(expected: Array, got: Array) -> tuple[tuple[int, ...], int] | None:
    """Index of the first element whose bytes differ, and how many do; None when all are equal."""
    a = np.ascontiguousarray(expected).reshape(-1)
    b = np.ascontiguousarray(got).reshape(-1)
    unequal = a.view(np.uint8) != b.view(np.uint8)
    places = np.flatnonzero(unequal.reshape(a.size, -1).any(axis=1))
    if places.size == 0:
        return None
    return tuple(int(i) for i in np.unravel_index(places[0], expected.shape)), int(places.size)


def _value(array: Array, index: tuple[int, ...]) -> float:
    value: float = array[index].item()
    return value


def _first_layer(
    generated: Generated,
    board: Board,
    model: bytes,
    samples: Sequence[Sample],
    ask: Reference,
    directory: Path,
) -> LayerDifference | None:
    """Run again up to the sample that differs, with a trace of every layer, beside the oracle's tensors."""
    sample = len(samples) - 1
    firmware = build_firmware(generated, board, directory / "trace", trace="ROWS", trace_sample=sample)
    run_harness(generated, firmware, board, samples)
    trace = read_trace(generated, firmware.directory)
    wanted = sorted({t.tensor for layer in generated.layers for t in layer.outputs if t.tensor is not None})
    try:
        given = as_the_model_takes_them(generated, model, samples)
        expected = ask(given, wanted)
    except ToolError:
        return None  # the difference itself is known; TFLM may crash when asked for some tensors
    return first_layer_difference(generated.layers, trace, expected)


def first_layer_difference(
    layers: Sequence[LayerInfo], trace: Mapping[tuple[int, int], Array], expected: OracleResult
) -> LayerDifference | None:
    """The first layer, in the order of execution, whose traced result is not the oracle's tensor."""
    for layer in layers:
        for output, info in enumerate(layer.outputs):
            reference = expected.tensors.get(info.tensor) if info.tensor is not None else None
            got = trace.get((layer.index, output))
            if reference is None or got is None:
                continue
            if info.channels is not None:
                reference = reference[..., list(info.channels)]
            if reference.nbytes != got.nbytes:
                _log.warning(
                    "layer %d %s: its trace has %d bytes, tensor %s of the model %d; not compared",
                    layer.index, layer.op, got.nbytes, info.tensor, reference.nbytes,
                )  # fmt: skip
                continue
            place = None if agrees(reference, got) else _first_place(reference, got)
            if place is not None:
                index, differing = place
                values = _value(reference, index), _value(got.reshape(reference.shape), index)
                return LayerDifference(layer.index, layer.op, layer.name, output, index, *values, differing)
    return None
