"""Random networks of every type, compiled for the host and the M7: what the reference kernels compute."""

from functools import cache
from pathlib import Path

import pytest
from pytest_subtests import SubTests

from tests.ops.batch import Target
from tests.ops.case import Case
from tests.property.checking import check_all
from tests.property.typed_graphs import TYPES, random_network
from tests.support.oracles import is_installed

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


@pytest.mark.long
@pytest.mark.qemu
@pytest.mark.parametrize("first", range(0, LONG, BATCH))
@pytest.mark.parametrize("optimize", ["speed", "ram"])
@pytest.mark.parametrize("target", Target, ids=lambda target: target.value)
def test_many(target: Target, optimize: str, first: int, subtests: SubTests, tmp_path: Path) -> None:
    check_all(_cases(range(first, first + BATCH)), target, optimize, subtests, tmp_path)
