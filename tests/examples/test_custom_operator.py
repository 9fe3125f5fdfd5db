"""The example of a custom operator: built and run with its plugin, against peaks that are computed here."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from examples.custom_operator.make_model import DECAY, model
from tests.ops.batch import Target, run_batch
from tests.ops.case import Case
from tinycompile.driver.prove import verify_model
from tinycompile.ops import load_plugin, unload_plugins

ZERO_POINT = -10


@pytest.fixture(autouse=True)
def _no_plugin_stays() -> Iterator[None]:
    yield
    unload_plugins()


@pytest.fixture
def folder(project_root: Path) -> Path:
    return project_root / "examples" / "custom_operator"


def test_committed_model_is_what_the_script_writes(folder: Path) -> None:
    assert (folder / "peak_hold.tflite").read_bytes() == model()


@pytest.mark.slow
@pytest.mark.qemu
@pytest.mark.parametrize("target", Target)
def test_peaks_follow_at_once_and_fall_slowly(target: Target, folder: Path, tmp_path: Path) -> None:
    load_plugin(folder / "peak_hold.py")
    rng = np.random.default_rng(3)
    samples = [rng.integers(-128, 128, (1, 8), dtype=np.int8) for _ in range(6)]
    samples += [np.full((1, 8), -128, np.int8)] * 50
    case = Case("peak_hold", model(), tuple((sample,) for sample in samples))
    (found,) = run_batch([case], target, tmp_path)
    peaks = [-128] * 8
    for sample, outputs in zip(samples, found, strict=True):
        levels = [max(int(x), ZERO_POINT) for x in sample[0]]
        peaks = [max(x, peak - DECAY) for x, peak in zip(levels, peaks, strict=True)]
        assert (outputs[0][0].tolist(), outputs[1][0].tolist()) == (peaks, levels)


@pytest.mark.slow
def test_verify_compares_with_the_plugin_itself(folder: Path) -> None:
    outcome = verify_model(folder / "peak_hold.tflite", board="host", plugins=[folder / "peak_hold.py"])
    assert (outcome.exact, outcome.oracle) == (True, "evaluate")
