"""Asks a reference what a model computes, in a child process (an oracle may crash on a file)."""

import importlib.util
import struct
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import tflite

from tinycompile.errors import Problem, ToolError, UsageError
from tinycompile.oracles import ORACLES
from tinycompile.toolchain.generated import Array
from tinycompile.toolchain.harness import Sample
from tinycompile.toolchain.oracle_defects import defect_of
from tinycompile.toolchain.process import run

_CHILD = Path(__file__).with_name("oracle_child.py")
"""Run as a file, with `-P` so that its neighbours hide no package: the child needs nothing of tinycompile."""

_OUTPUTS_FIELD = 8
"""Place of `outputs` in the vtable of SubGraph."""


@dataclass(frozen=True)
class OracleResult:
    """What an oracle computed."""

    outputs: tuple[Sample, ...]
    tensors: Mapping[int, Array] = field(default_factory=dict)
    """The intermediate tensors that were asked for, after the last sample, by their index in the file."""


Reference = Callable[[Sequence[Sample], Sequence[int]], OracleResult]
"""Computes samples in order, and gives the tensors with these indices after the last one."""


def available_oracles() -> tuple[str, ...]:
    """Oracles whose package is installed."""
    return tuple(
        name for name, oracle in ORACLES.items() if importlib.util.find_spec(oracle.module) is not None
    )


def default_oracles() -> tuple[str, ...]:
    """The installed oracles, which are asked in turn when none is named.

    When none is installed it is the first one, so that its absence is what the user hears of.
    """
    return available_oracles() or (next(iter(ORACLES)),)


def require_oracle(name: str) -> None:
    """Raises UsageError for a name that is no oracle, ToolError when its package is not installed."""
    if name not in ORACLES:
        raise UsageError(
            Problem(f"oracle {name!r}", "there is no such oracle", f"there are: {', '.join(ORACLES)}")
        )
    if name in available_oracles():
        return
    others = available_oracles()
    instead = f" or use --oracle {others[0]}" if others else ""
    raise ToolError(
        Problem(
            f"oracle {name}",
            "its package is not installed",
            action=f"pip install {ORACLES[name].distribution}{instead}",
        )
    )


def ask_oracles(oracles: Sequence[str], model: bytes, samples: Sequence[Sample]) -> tuple[str, OracleResult]:
    """The first of the oracles that can run the model and is to be trusted with it, and what it computed.

    Raises ToolError with what each of them said when none can.
    """
    problems: list[Problem | str] = []
    for oracle in oracles:
        defect = defect_of(oracle, model)
        if defect:
            problems.append(Problem(f"oracle {oracle}", defect))
            continue
        try:
            return oracle, run_oracle(oracle, model, samples)
        except ToolError as error:
            problems.extend(error.problems)
    raise ToolError([*problems, _instead(oracles)])


def run_oracle(
    oracle: str,
    model: bytes,
    samples: Sequence[Sample],
    *,
    tensors: Sequence[int] = (),
    timeout_seconds: float = 1200.0,
) -> OracleResult:
    """Run all samples in one interpreter, in order; state stays between them.

    `tensors` are indices of intermediate tensors wanted after the last sample. Raises ToolError when the oracle is missing,
    refuses the model or crashes on it.
    """
    require_oracle(oracle)
    assert samples, "an oracle needs a sample"
    with tempfile.TemporaryDirectory(prefix="tinycompile-oracle-") as folder:
        directory = Path(folder)
        (directory / "model.tflite").write_bytes(with_outputs(model, tensors) if tensors else model)
        stacks = {f"input_{i}": np.stack([sample[i] for sample in samples]) for i in range(len(samples[0]))}
        np.savez(directory / "inputs.npz", tensors=np.array(tensors, dtype=np.int64), **stacks)
        command: list[str | Path] = [
            sys.executable,
            "-P",
            _CHILD,
            oracle,
            directory,
        ]
        run(command, task=f"oracle {oracle}", timeout_seconds=timeout_seconds)
        own_outputs = tflite.Model.GetRootAs(model).Subgraphs(0).OutputsLength()
        return _read(directory / "outputs.npz", len(samples), own_outputs)


def with_outputs(model: bytes, tensors: Sequence[int]) -> bytes:
    """The model with these tensors as outputs behind its own.

    tflite-runtime lets ADD and its like overwrite an input even when all tensors are to be preserved, but never an output. The
    new list of outputs is appended to the file, and the subgraph's offset (field 2 of SubGraph in the schema) points to it.
    """
    graph = tflite.Model.GetRootAs(model).Subgraphs(0)
    own = [graph.Outputs(i) for i in range(graph.OutputsLength())]
    listed = [*own, *(tensor for tensor in tensors if tensor not in own)]
    table = graph._tab
    field = table.Pos + table.Offset(_OUTPUTS_FIELD)
    padded = bytearray(model) + bytes(-len(model) % 4)
    struct.pack_into("<I", padded, field, len(padded) - field)
    return bytes(padded + struct.pack(f"<{len(listed) + 1}i", len(listed), *listed))


def _instead(tried: Sequence[str]) -> Problem:
    """What to do when none of these oracles runs a model."""
    others = [name for name in ORACLES if name not in tried]
    installed = [name for name in others if name in available_oracles()]
    if installed:
        action = f"try --oracle {' or --oracle '.join(installed)}"
    elif others:
        packages = " or ".join(
            f"pip install {ORACLES[name].distribution} (--oracle {name})" for name in others
        )
        action = f"try another one: {packages}; --oracle evaluate compares with our own references"
    else:
        action = "--oracle evaluate compares with our own references"
    return Problem(f"oracle {', '.join(tried)}", "cannot run this model", action=action)


def _read(path: Path, samples: int, outputs: int) -> OracleResult:
    with np.load(path) as archive:
        stacks = [archive[f"output_{i}"] for i in range(outputs)]
        tensors = {int(key[7:]): archive[key] for key in archive.files if key.startswith("tensor_")}
    return OracleResult(tuple(tuple(stack[n] for stack in stacks) for n in range(samples)), tensors)
