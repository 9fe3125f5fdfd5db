"""Random graphs of mixed operators, compiled in every mode for the host and the M7: the bytes of the reference kernels.

The matrix of `tests/ops` has one operator a model; here fusion, placement, aliasing and passes meet operators that they were not
written beside. Seeds of the sweeps are fixed, and a failure names its seed. Hypothesis draws others, and finds the shortest
graph that fails.
"""

from collections import Counter
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pytest_subtests import SubTests

from tests.ops.batch import Target, run_batch
from tests.ops.case import Case
from tests.ops.matrix import check
from tests.property.checking import check_all, expected
from tests.property.random_graphs import kinds_of, random_case
from tests.support.oracles import is_installed
from tinycompile.driver import OPTIMIZE

QUICK = range(8)
LONG = 240
BATCH = 24

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not is_installed("tflite-runtime"),
        reason="TFLM takes other graphs; docs/adr/0002-one-oracle-per-platform.md",
    ),
]


@cache
def _cases(seeds: range) -> tuple[Case, ...]:
    return tuple(map(random_case, seeds))


@pytest.mark.needs("gcc")
@pytest.mark.parametrize("optimize", ["speed", "ram"])
def test_portable_c(optimize: str, subtests: SubTests, tmp_path: Path) -> None:
    """Under the sanitizers."""
    check_all(_cases(QUICK), Target.HOST, optimize, subtests, tmp_path)


@pytest.mark.qemu
@pytest.mark.parametrize("optimize", ["speed", "ram"])
def test_c_on_m7(optimize: str, subtests: SubTests, tmp_path: Path) -> None:
    """On the emulator, with guards around the arena."""
    check_all(_cases(QUICK), Target.M7, optimize, subtests, tmp_path)


@pytest.mark.needs("gcc")
@settings(max_examples=8)
@given(
    seed=st.integers(0, 2**32 - 1), operators=st.integers(3, 12), optimize=st.sampled_from(("speed", "ram"))
)
def test_any_graph(seed: int, operators: int, optimize: str) -> None:
    case = random_case(seed, operators)
    (answer,) = expected((case,))
    with TemporaryDirectory() as folder:
        (outputs,) = run_batch([case], Target.HOST, Path(folder), optimize)
    assert not isinstance(outputs, str), outputs
    check(case, outputs, answer)


@pytest.mark.long
@pytest.mark.qemu
@pytest.mark.parametrize("first", range(0, LONG, BATCH))
@pytest.mark.parametrize("optimize", OPTIMIZE)
@pytest.mark.parametrize("target", Target, ids=lambda target: target.value)
def test_many(target: Target, optimize: str, first: int, subtests: SubTests, tmp_path: Path) -> None:
    check_all(_cases(range(first, first + BATCH)), target, optimize, subtests, tmp_path)


def test_the_graphs_are_mixed() -> None:
    """All kinds of operators occur among the seeds of the long sweep, and graphs have 3 operators or more."""
    cases = [random_case(seed) for seed in range(LONG)]
    kinds = Counter(kind for case in cases for kind in kinds_of(case))
    assert min(len(kinds_of(case)) for case in cases) >= 3
    assert len(kinds) >= 17 and min(kinds.values()) >= 10, kinds
