"""Random graphs, compiled in every mode for the host and the M7: the bytes of the reference kernels.

The matrix of `tests/ops` has one operator a model; here fusion, placement, aliasing and passes meet operators that they were not
written beside. Seeds of the sweeps are fixed, and a failure names its seed. Hypothesis draws others, and finds the shortest
graph that fails.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
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
from tests.property.typed_graphs import TYPES, random_network
from tflite_support.oracles import is_installed
from tinycompile.driver import OPTIMIZE

MIXED_SEEDS = range(240)


@dataclass(frozen=True)
class Family:
    """Graphs that are drawn alike: those of a seed; seeds of a quick test, and of a sweep, so many of them at a time."""

    make: Callable[[int], Sequence[Case]]
    quick: range
    seeds: range
    batch: int
    modes: Sequence[str]


FAMILIES = {
    "mixed": Family(lambda seed: [random_case(seed)], range(8), MIXED_SEEDS, 24, OPTIMIZE),
    "typed": Family(
        lambda seed: [random_network(dtype, seed) for dtype in TYPES],
        range(4),
        range(60),
        20,
        ("speed", "ram"),
    ),
}
SWEEPS = [
    (family, optimize, first)
    for family, made in FAMILIES.items()
    for optimize in made.modes
    for first in made.seeds[:: made.batch]
]

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not is_installed("tflite-runtime"),
        reason="TFLM takes other graphs; docs/adr/0002-one-oracle-per-platform.md",
    ),
]


@cache
def _cases(family: str, seeds: range) -> tuple[Case, ...]:
    return tuple(case for seed in seeds for case in FAMILIES[family].make(seed))


@pytest.mark.parametrize(
    "target",
    [
        pytest.param(Target.HOST, id="host", marks=pytest.mark.needs("gcc")),
        pytest.param(Target.M7, id="m7", marks=pytest.mark.qemu),
    ],
)
@pytest.mark.parametrize("optimize", ["speed", "ram"])
@pytest.mark.parametrize("family", FAMILIES)
def test_few(family: str, optimize: str, target: Target, subtests: SubTests, tmp_path: Path) -> None:
    """On the host under the sanitizers, on the emulator with guards around the arena."""
    check_all(_cases(family, FAMILIES[family].quick), target, optimize, subtests, tmp_path)


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
@pytest.mark.parametrize("target", Target, ids=lambda target: target.value)
@pytest.mark.parametrize(("family", "optimize", "first"), SWEEPS)
def test_many(
    family: str, optimize: str, first: int, target: Target, subtests: SubTests, tmp_path: Path
) -> None:
    seeds = range(first, first + FAMILIES[family].batch)
    check_all(_cases(family, seeds), target, optimize, subtests, tmp_path)


def test_the_graphs_are_mixed() -> None:
    """All kinds of operators occur among the seeds of the long sweep, and graphs have 3 operators or more."""
    cases = [random_case(seed) for seed in MIXED_SEEDS]
    kinds = Counter(kind for case in cases for kind in kinds_of(case))
    assert min(len(kinds_of(case)) for case in cases) >= 3
    assert len(kinds) >= 17 and min(kinds.values()) >= 10, kinds
