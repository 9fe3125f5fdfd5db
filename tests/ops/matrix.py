"""The checks of the operator matrix; a test class of an operator only lists its cases.

Cases run in batches: one child process asks the reference for all models, one compiler call builds all generated C.
"""

from collections import Counter
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
from numpy.typing import NDArray
from pytest_subtests import SubTests

from tests.ops.batch import Target, run_batch
from tests.ops.case import Array, Case
from tflite_support.oracles import Answer, Question, ask, is_installed
from tinycompile.frontend import read_model
from tinycompile.ops.interpret import evaluate_graph, initial_state, next_state

_BOTH = is_installed("tflite-runtime") and is_installed("tflm")


@cache
def _answers(cases: tuple[Case, ...], oracle: str) -> dict[str, Answer]:
    given = ask([Question(case.model, case.samples) for case in cases], oracle)
    return {case.id: answer for case, answer in zip(cases, given, strict=True)}


def _references(cases: tuple[Case, ...], tflm_differs: Mapping[str, str]) -> dict[str, Answer]:
    """What the reference of each case computes.

    Where tflite-runtime has no wheels TFLM stands in, and cases are missing that it does not take or computes otherwise.
    """
    answers: dict[str, Answer] = {}
    for oracle in sorted({case.oracle for case in cases}):
        chosen = tuple(case for case in cases if case.oracle == oracle)
        if is_installed(oracle):
            answers |= _answers(chosen, oracle)
        else:
            found = _answers(chosen, "tflm")
            answers |= {
                name: answer
                for name, answer in found.items()
                if answer.refusal is None and name not in tflm_differs
            }
    return answers


class OperatorMatrix:
    """Reference semantics in numpy, generated C on the host and on the M7, each equal to TFLite on every byte."""

    cases: ClassVar[tuple[Case, ...]]
    tflm_differs: ClassVar[Mapping[str, str]] = {}
    """Cases where TFLM computes something else than tflite-runtime, which we follow: name -> what it does."""

    @pytest.fixture
    def expected(self) -> dict[str, Answer]:
        """What the reference computes for each case."""
        return _references(self.cases, self.tflm_differs)

    def test_cases_are_sound(self, expected: dict[str, Answer]) -> None:
        """No case is refused by the reference (such a case is dropped, with a comment), and names are unique."""
        refusals = {name: answer.refusal for name, answer in expected.items() if answer.refusal}
        assert refusals == {}
        assert [name for name, count in Counter(case.id for case in self.cases).items() if count > 1] == []

    @pytest.mark.skipif(not _BOTH, reason="this platform has wheels of one reference only")
    def test_tflm_agrees(self, expected: dict[str, Answer], subtests: SubTests) -> None:
        """TFLM computes the same where it takes the model, but for the differences that are known."""
        answers = _answers(self.cases, "tflm")
        for case in self.cases:
            if answers[case.id].refusal is None:
                with subtests.test(case.id):
                    outputs = [list(sample) for sample in answers[case.id].outputs]
                    difference = first_difference(case, outputs, expected[case.id])
                    assert (difference is not None) == (case.id in self.tflm_differs), difference

    def test_numpy_reference(self, expected: dict[str, Answer], subtests: SubTests) -> None:
        """The operator's `evaluate`."""
        for case in _answered(self.cases, expected):
            with subtests.test(case.id):
                graph = read_model(case.model, case.id)
                state = initial_state(graph)
                found = []
                for sample in case.samples:
                    found.append(evaluate_graph(graph, dict(zip(graph.inputs, sample, strict=True)), state))
                    state = next_state(graph, found[-1])
                check(case, [[values[t] for t in graph.outputs] for values in found], expected[case.id])

    @pytest.mark.slow
    def test_portable_c(self, expected: dict[str, Answer], subtests: SubTests, tmp_path: Path) -> None:
        """What is generated for the board `host`, under the sanitizers."""
        _check_c(Target.HOST, self.cases, expected, subtests, tmp_path)

    @pytest.mark.slow
    @pytest.mark.qemu
    def test_c_on_m7(self, expected: dict[str, Answer], subtests: SubTests, tmp_path: Path) -> None:
        """What is generated for the M7, on the emulator."""
        _check_c(Target.M7, self.cases, expected, subtests, tmp_path)


def _answered(cases: tuple[Case, ...], expected: dict[str, Answer]) -> tuple[Case, ...]:
    return tuple(case for case in cases if case.id in expected)


def _check_c(
    target: Target, cases: tuple[Case, ...], expected: dict[str, Answer], subtests: SubTests, folder: Path
) -> None:
    chosen = _answered(cases, expected)
    for case, found in zip(chosen, run_batch(chosen, target, folder), strict=True):
        with subtests.test(case.id):
            assert not isinstance(found, str), found
            check(case, found, expected[case.id])


def check(case: Case, found: list[list[Array]], answer: Answer) -> None:
    """Every output of every sample has the reference's type, shape and values."""
    assert answer.refusal is None, answer.refusal
    difference = first_difference(case, found, answer)
    assert difference is None, difference


def first_difference(case: Case, found: list[list[Array]], answer: Answer) -> str | None:
    """Where the first output differs from the reference's, and by how much; None when all are equal."""
    for number, (outputs, wanted) in enumerate(zip(found, answer.outputs, strict=True)):
        for index, (output, reference) in enumerate(zip(outputs, wanted, strict=True)):
            place = f"{case.id}, sample {number}, output {index}"
            if (output.dtype, output.shape) != (reference.dtype, reference.shape):
                return f"{place}: {output.dtype}{output.shape}, the reference has {reference.dtype}{reference.shape}"
            different = np.argwhere(~_equal(output, reference))
            if len(different):
                first = tuple(int(i) for i in different[0])
                return (
                    f"{place}: {len(different)} of {reference.size} elements differ, the first at {list(first)}: "
                    f"{output[first]}, the reference has {reference[first]}"
                )
    return None


def _equal(output: Array, reference: Array) -> NDArray[np.bool_]:
    """Integers are equal; floats differ by 1e-5 of their value (or by 1e-6 of the greatest, where sums cancel)."""
    if output.dtype.kind != "f":
        return output == reference
    peak = float(np.abs(reference).max(initial=0.0))
    return np.isclose(output, reference, rtol=1e-5, atol=1e-6 * peak, equal_nan=True)
