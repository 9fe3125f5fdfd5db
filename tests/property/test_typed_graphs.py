"""Random networks of every type, compiled for the host and the M7: what the reference kernels compute."""

from functools import cache
from pathlib import Path

import pytest
from pytest_subtests import SubTests

from tests.ops.batch import Target, run_batch
from tests.ops.case import Case
from tests.ops.matrix import check
from tests.property.typed_graphs import TYPES, random_network
from tests.support.oracles import Answer, Question, ask, is_installed

QUICK = range(4)
LONG = 60
BATCH = 20

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not is_installed("tflite-runtime"),
        reason="TFLM takes other graphs; docs/adr/0002-one-oracle-per-platform.md",
    ),
]


@cache
def _cases(seeds: range) -> tuple[Case, ...]:
    return tuple(random_network(dtype, seed) for dtype in TYPES for seed in seeds)


@cache
def _expected(seeds: range) -> list[Answer]:
    return ask([Question(case.model, case.samples) for case in _cases(seeds)], "tflite-runtime")


def _check(seeds: range, target: Target, optimize: str, subtests: SubTests, folder: Path) -> None:
    found = run_batch(_cases(seeds), target, folder, optimize)
    for case, outputs, answer in zip(_cases(seeds), found, _expected(seeds), strict=True):
        with subtests.test(case.id):
            assert not isinstance(outputs, str), outputs
            check(case, outputs, answer)


@pytest.mark.needs("gcc")
@pytest.mark.parametrize("optimize", ["speed", "ram"])
def test_portable_c(optimize: str, subtests: SubTests, tmp_path: Path) -> None:
    """Under the sanitizers."""
    _check(QUICK, Target.HOST, optimize, subtests, tmp_path)


@pytest.mark.qemu
@pytest.mark.parametrize("optimize", ["speed", "ram"])
def test_c_on_m7(optimize: str, subtests: SubTests, tmp_path: Path) -> None:
    """On the emulator, with guards around the arena."""
    _check(QUICK, Target.M7, optimize, subtests, tmp_path)


@pytest.mark.long
@pytest.mark.qemu
@pytest.mark.parametrize("first", range(0, LONG, BATCH))
@pytest.mark.parametrize("optimize", ["speed", "ram"])
@pytest.mark.parametrize("target", Target, ids=lambda target: target.value)
def test_many(target: Target, optimize: str, first: int, subtests: SubTests, tmp_path: Path) -> None:
    _check(range(first, first + BATCH), target, optimize, subtests, tmp_path)
