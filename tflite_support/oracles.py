"""Runs many models through a reference interpreter in one child process, because a reference may abort on a model.

The child writes a result after each model; when it dies, the model that killed it is refused with the reason and a new
child goes on with the next one.
"""

import importlib.util
import pickle
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Samples = Sequence[Sequence[Array]]

_SECONDS = 300
_PACKAGES = {"tflite-runtime": "tflite_runtime", "tflm": "tflite_micro", "tflite-builtin": "tflite_runtime"}


@dataclass(frozen=True)
class Question:
    """A model with its samples: for each sample one array for each input of the model."""

    model: bytes
    samples: Samples


@dataclass(frozen=True)
class Answer:
    """For each sample the outputs of the model; or why the reference refused the model."""

    outputs: tuple[tuple[Array, ...], ...] = ()
    refusal: str | None = None


def is_installed(oracle: str) -> bool:
    """True when the package of a reference is there; none has wheels for every platform (docs/adr/0002)."""
    return importlib.util.find_spec(_PACKAGES[oracle]) is not None


def ask(questions: Sequence[Question], oracle: str | None = None) -> list[Answer]:
    """Outputs of `tflite-runtime` (its reference kernels) or of `tflm` for every model, in order.

    By default the first of them that is installed. `tflite-builtin` is tflite-runtime with its default kernels, for operators
    that are not among the reference kernels.
    """
    oracle = oracle or next(filter(is_installed, _PACKAGES), None)
    assert oracle is not None, "no reference is installed"
    answers: list[Answer] = []
    with tempfile.TemporaryDirectory() as folder:
        asked, answered = Path(folder, "asked"), Path(folder, "answered")
        while len(answers) < len(questions):
            rest = [(q.model, [list(sample) for sample in q.samples]) for q in questions[len(answers) :]]
            asked.write_bytes(pickle.dumps(rest))
            command = [sys.executable, __file__, oracle, str(asked), str(answered)]
            child = subprocess.run(command, capture_output=True, text=True, timeout=_SECONDS)
            answers += _read(answered)
            if child.returncode != 0:
                last = (child.stderr.strip().splitlines() or ["no message"])[-1]
                answers.append(Answer(refusal=f"child ended with {child.returncode}: {last}"))
    return answers


def _read(path: Path) -> list[Answer]:
    answers: list[Answer] = []
    with path.open("rb") as stream:
        while True:
            try:
                outputs, refusal = pickle.load(stream)
            except EOFError:
                return answers
            answers.append(Answer(tuple(tuple(sample) for sample in outputs), refusal))


# What follows runs in the child; it is this file as a script and knows nothing of the project.


def _serve(oracle: str, asked: Path, answered: Path) -> None:
    runners: dict[str, Callable[[bytes, Samples], list[list[Array]]]] = {
        "tflite-runtime": partial(_run_tflite_runtime, "BUILTIN_REF"),
        "tflite-builtin": partial(_run_tflite_runtime, "BUILTIN_WITHOUT_DEFAULT_DELEGATES"),
        "tflm": _run_tflm,
    }
    run = runners[oracle]
    with answered.open("wb") as stream:
        for model, samples in pickle.loads(asked.read_bytes()):
            try:
                answer: tuple[list[list[Array]], str | None] = (run(model, samples), None)
            except (RuntimeError, ValueError) as error:
                answer = ([], str(error) or type(error).__name__)
            pickle.dump(answer, stream)
            stream.flush()


def _run_tflite_runtime(kernels: str, model: bytes, samples: Samples) -> list[list[Array]]:
    from tflite_runtime.interpreter import Interpreter, OpResolverType

    interpreter = Interpreter(
        model_content=model, experimental_op_resolver_type=OpResolverType[kernels], num_threads=1
    )
    interpreter.allocate_tensors()
    inputs, outputs = interpreter.get_input_details(), interpreter.get_output_details()
    results = []
    for sample in samples:
        for detail, values in zip(inputs, sample, strict=True):
            interpreter.set_tensor(detail["index"], values)
        interpreter.invoke()
        results.append([np.array(interpreter.get_tensor(detail["index"])) for detail in outputs])
    return results


def _run_tflm(model: bytes, samples: Samples) -> list[list[Array]]:
    import tflite
    from tflite_micro import runtime

    count = tflite.Model.GetRootAs(model).Subgraphs(0).OutputsLength()
    # by default ten times the model, which tables of an FFT exceed
    interpreter = runtime.Interpreter.from_bytes(model, arena_size=max(1 << 20, 10 * len(model)))
    results = []
    for sample in samples:
        for index, values in enumerate(sample):
            interpreter.set_input(values, index)
        interpreter.invoke()
        results.append([np.array(interpreter.get_output(index)) for index in range(count)])
    return results


if __name__ == "__main__":
    _serve(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]))
