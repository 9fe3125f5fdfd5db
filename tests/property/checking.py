"""Random graphs beside the reference, many at a time: one child process and one compiler call for all of them."""

from functools import cache
from pathlib import Path

from pytest_subtests import SubTests

from tests.ops.batch import Target, run_batch
from tests.ops.case import Case
from tests.ops.matrix import check
from tflite_support.oracles import Answer, Question, ask


@cache
def expected(cases: tuple[Case, ...]) -> list[Answer]:
    """What tflite-runtime computes for each."""
    return ask([Question(case.model, case.samples) for case in cases], "tflite-runtime")


def check_all(
    cases: tuple[Case, ...], target: Target, optimize: str, subtests: SubTests, folder: Path
) -> None:
    """One subtest for each graph."""
    found = run_batch(cases, target, folder, optimize)
    for case, outputs, answer in zip(cases, found, expected(cases), strict=True):
        with subtests.test(case.id):
            assert not isinstance(outputs, str), outputs
            check(case, outputs, answer)
